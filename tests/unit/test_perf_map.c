/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "symbolizer/perf_map.h"
#include "tests/unit/fail_alloc.h"

static const struct text_case {
	const char *name;
	const char *text;
	uint64_t address;
	const char *expected;	/* NULL: no name */
	uint64_t start;
} text_cases[] = {
	{ "a line", "1000 20 foo\n", 0x1010, "foo", 0x1000 },
	{ "numbers may begin with 0x, as Java's agent writes them", "0x1000 0x20 foo\n", 0x1010,
	  "foo", 0x1000 },
	{ "names may have spaces", "1000 20 LazyCompile:~f a b.js:3\n", 0x1000,
	  "LazyCompile:~f a b.js:3", 0x1000 },
	{ "an address behind the code", "1000 20 foo\n", 0x1020, NULL, 0 },
	{ "an address before the code", "1000 20 foo\n", 0xfff, NULL, 0 },
	{ "lines in any order", "2000 10 b\n1000 10 a\n3000 10 c\n", 0x1008, "a", 0x1000 },
	{ "memory used again", "1000 100 old\n1000 100 new\n", 0x1010, "new", 0x1000 },
	{ "memory used again for something shorter", "1000 100 old\n1040 10 new\n", 0x1045, "new",
	  0x1040 },
	{ "memory used again for something longer", "1040 10 old\n1000 100 new\n", 0x1045, "new",
	  0x1000 },
	{ "a line that is not complete", "1000 20 foo\n2000 20 ba", 0x2000, NULL, 0 },
	{ "an empty text", "", 0x1000, NULL, 0 },
	{ "a line without a name", "1000 20 \n", 0x1000, NULL, 0 },
	{ "a line without a size", "1000 foo\n", 0x1000, NULL, 0 },
	{ "a signed number", "-1 20 foo\n", 0x1000, NULL, 0 },
	{ "a number of more than 64 bits", "10000000000000000 20 foo\n", 0, NULL, 0 },
	{ "code of no size", "1000 0 foo\n", 0x1000, NULL, 0 },
	{ "code past the end of memory", "fffffffffffffff0 20 foo\n", 0xfffffffffffffff1, NULL,
	  0 },
	{ "what comes after a bad line", "garbage\n\n1000 20 foo\n", 0x1000, "foo", 0x1000 },
};

static void text_row(void **state)
{
	_cleanup_(perf_map_freep) struct perf_map *map = NULL;
	const struct text_case *c = *state;
	uint64_t start = 0;
	const char *name;

	assert_int_equal(perf_map_parse(c->text, strlen(c->text), &map), 0);
	name = perf_map_find(map, c->address, &start);
	assert_int_equal(start, c->start);
	if (c->expected)
		assert_string_equal(name, c->expected);
	else
		assert_null(name);
	assert_true(perf_map_bytes(map) >= strlen(c->text));
}

static void test_random_bytes(void **state)
{
	static const char letters[] = "0123456789abcdefxX  \n\n-";
	char text[4096];
	uint32_t random = 3;
	size_t i;
	int round;

	for (round = 0; round < 500; round++) {
		_cleanup_(perf_map_freep) struct perf_map *map = NULL;

		for (i = 0; i < sizeof(text); i++) {
			random = random * 1103515245 + 12345;
			text[i] = round % 4 ? letters[(random >> 8) % (sizeof(letters) - 1)] :
					      (char)(random >> 8);
		}
		assert_int_equal(perf_map_parse(text, sizeof(text), &map), 0);
		for (i = 0; i < 256; i++)
			perf_map_find(map, i, NULL);
	}
}

static int parse_some(void *arg)
{
	_cleanup_(perf_map_freep) struct perf_map *map = NULL;

	return perf_map_parse("1 2 a\n3 4 b\n", 12, &map);
}

static void test_no_memory(void **state)
{
	assert_true(fail_alloc_each(parse_some, NULL) > 2);
}

/* ---- the file of this process ---- */

static char path[64];

static int make_path(void **state)
{
	snprintf(path, sizeof(path), "/tmp/perf-%d.map", getpid());
	return 0;
}

static int remove_path(void **state)
{
	unlink(path);
	rmdir(path);
	return 0;
}

static void write_map(const char *text)
{
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

static void expect_refused(int error)
{
	struct perf_map *map = NULL;

	assert_int_equal(perf_map_open(getpid(), &map), error);
	assert_null(map);
}

static void test_own_file(void **state)
{
	_cleanup_(perf_map_freep) struct perf_map *map = NULL;

	write_map("1000 20 foo\n2000 20 bar\n");
	assert_int_equal(perf_map_open(getpid(), &map), 0);
	assert_int_equal(perf_map_count(map), 2);
	assert_string_equal(perf_map_find(map, 0x2001, NULL), "bar");
}

static void test_no_file(void **state)
{
	expect_refused(-ENOENT);
}

static void test_no_process(void **state)
{
	struct perf_map *map = NULL;

	assert_int_equal(perf_map_open(0x7ffffff0, &map), -ESRCH);
}

static void test_link(void **state)
{
	assert_int_equal(symlink("/etc/passwd", path), 0);
	expect_refused(-EPERM);
}

static void test_pipe(void **state)
{
	assert_int_equal(mkfifo(path, 0600), 0);
	expect_refused(-EPERM);
}

static void test_folder(void **state)
{
	assert_int_equal(mkdir(path, 0700), 0);
	expect_refused(-EPERM);
}

static void test_large(void **state)
{
	write_map("1000 20 foo\n");
	assert_int_equal(truncate(path, (off_t)PERF_MAP_BYTES_MAX + 1), 0);
	expect_refused(-EFBIG);
}

static void test_foreign(void **state)
{
	if (geteuid())
		skip();
	write_map("1000 20 foo\n");
	assert_int_equal(chown(path, 12345, 12345), 0);
	expect_refused(-EPERM);
}

#define FILE_TEST(sentence, function) { (sentence), (function), make_path, remove_path, NULL }

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("random bytes do no harm", test_random_bytes),
		UNIT_TEST("lack of memory is reported", test_no_memory),
		FILE_TEST("the file of a process is read", test_own_file),
		FILE_TEST("there may be none", test_no_file),
		FILE_TEST("there may be no process", test_no_process),
		FILE_TEST("a link in its place is not followed", test_link),
		FILE_TEST("a pipe in its place is not waited for", test_pipe),
		FILE_TEST("a folder in its place is refused", test_folder),
		FILE_TEST("a huge file is refused", test_large),
		FILE_TEST("a file of another user is refused", test_foreign),
	};

	return unit_run_rows("text", text_row, UNIT_ROWS(text_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
