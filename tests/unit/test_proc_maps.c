/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "profiler/processes/proc_maps.h"

#define HEX_MAX "ffffffffffffffff"

static const struct maps_case {
	const char *name, *line;
	int result;
	struct proc_map map;
	unsigned int major, minor;
} maps_cases[] = {
	{ "a file", "55d0c8a00000-55d0c8a2c000 r-xp 00001000 fd:01 1835   /usr/bin/cat\n", 0,
	  { 0x55d0c8a00000, 0x55d0c8a2c000, 0x1000, 0, 1835, true, "/usr/bin/cat" }, 0xfd, 1 },
	{ "without a newline", "1000-2000 r-xp 0 0:0 1 /x", 0,
	  { 0x1000, 0x2000, 0, 0, 1, true, "/x" }, 0, 0 },
	{ "data is not executable", "1000-2000 rw-p 0 0:0 0 [heap]\n", 0,
	  { 0x1000, 0x2000, 0, 0, 0, false, "[heap]" }, 0, 0 },
	{ "anonymous memory has no path", "1000-2000 rwxp 00000000 00:00 0 \n", 0,
	  { 0x1000, 0x2000, 0, 0, 0, true, "" }, 0, 0 },
	{ "not even a space", "1000-2000 rwxp 00000000 00:00 0\n", 0,
	  { 0x1000, 0x2000, 0, 0, 0, true, "" }, 0, 0 },
	{ "a path with spaces", "1000-2000 r-xs 0 8:3 7    /a b  c\n", 0,
	  { 0x1000, 0x2000, 0, 0, 7, true, "/a b  c" }, 8, 3 },
	{ "a newline in a path", "1000-2000 r-xs 0 8:3 7 /a\\012b\n", 0,
	  { 0x1000, 0x2000, 0, 0, 7, true, "/a\nb" }, 8, 3 },
	{ "a deleted file is named without the remark", "1000-2000 r-xs 0 8:3 7 /a (deleted)\n", 0,
	  { 0x1000, 0x2000, 0, 0, 7, true, "/a" }, 8, 3 },
	{ "the remark alone is a name", "1000-2000 r-xs 0 8:3 7 (deleted)\n", 0,
	  { 0x1000, 0x2000, 0, 0, 7, true, "(deleted)" }, 8, 3 },
	{ "the vDSO", "7ffd0-7ffd2 r-xp 0 0:0 0 [vdso]\n", 0,
	  { 0x7ffd0, 0x7ffd2, 0, 0, 0, true, "[vdso]" }, 0, 0 },
	{ "the largest numbers",
	  "0-" HEX_MAX " ---p " HEX_MAX " ffff:fffff 18446744073709551615 /\n", 0,
	  { 0, UINT64_MAX, UINT64_MAX, 0, UINT64_MAX, false, "/" }, 0xffff, 0xfffff },
	{ "too large an address", "0-1" HEX_MAX " r-xp 0 0:0 0 \n", -EINVAL },
	{ "too large an inode", "0-1 r-xp 0 0:0 18446744073709551616 \n", -EINVAL },
	{ "a hexadecimal inode", "0-1 r-xp 0 0:0 1f /x\n", -EINVAL },
	{ "an empty range", "1000-1000 r-xp 0 0:0 0 \n", -EINVAL },
	{ "a range backwards", "2000-1000 r-xp 0 0:0 0 \n", -EINVAL },
	{ "short permissions", "1000-2000 rx 0 0:0 0 \n", -EINVAL },
	{ "no device", "1000-2000 r-xp 0 0 0 \n", -EINVAL },
	{ "ends after the range", "1000-2000", -EINVAL },
	{ "ends within the permissions", "1000-2000 r-", -EINVAL },
	{ "ends after the device", "1000-2000 r-xp 0 0:0", -EINVAL },
	{ "a sign", "-1-2000 r-xp 0 0:0 0 \n", -EINVAL },
	{ "another file's line", "VmRSS:   123 kB\n", -EINVAL },
	{ "an empty line", "\n", -EINVAL },
	{ "nothing", "", -EINVAL },
};

static void maps_row(void **state)
{
	const struct maps_case *c = *state;
	struct proc_map map = { .start = 42 };
	char *line = strdup(c->line);

	assert_non_null(line);
	assert_int_equal(proc_maps_parse(line, &map), c->result);
	if (c->result < 0) {
		assert_int_equal(map.start, 42);
	} else {
		assert_int_equal(map.start, c->map.start);
		assert_int_equal(map.end, c->map.end);
		assert_int_equal(map.offset, c->map.offset);
		assert_int_equal(map.device, makedev(c->major, c->minor));
		assert_int_equal(map.inode, c->map.inode);
		assert_int_equal(map.executable, c->map.executable);
		assert_string_equal(map.path, c->map.path);
	}
	free(line);
}

/* Every prefix of a line, in memory of just that size. */
static void test_cut(void **state)
{
	static const char whole[] = "55d0c8a00000-55d0c8a2c000 r-xp 00001000 fd:01 1835 /bin/c\n";
	struct proc_map map;

	for (size_t size = 0; size < sizeof(whole); size++) {
		char *line = strndup(whole, size);
		int r;

		assert_non_null(line);
		r = proc_maps_parse(line, &map);
		assert_true(r == 0 || r == -EINVAL);
		/* As soon as the inode's number has begun. */
		assert_int_equal(r == 0, size > (size_t)(strstr(whole, "1835") - whole));
		free(line);
	}
}

static void test_own(void **state)
{
	_cleanup_proc_maps_ struct proc_maps maps = PROC_MAPS_INIT;
	bool found = false, found_stack = false;
	struct proc_map map;
	int r;

	assert_int_equal(proc_maps_open(&maps, "/proc/self/maps"), 0);
	while ((r = proc_maps_next(&maps, &map)) > 0) {
		found |= map.executable && map.start <= (uintptr_t)test_own &&
			 (uintptr_t)test_own < map.end && strstr(map.path, "test_proc_maps");
		found_stack |= !strcmp(map.path, "[stack]");
	}
	assert_int_equal(r, 0);
	assert_true(found && found_stack);
	/* Behind the end is nothing. */
	assert_int_equal(proc_maps_next(&maps, &map), 0);
}

static void test_code(void **state)
{
	_cleanup_proc_maps_ struct proc_maps maps = PROC_MAPS_INIT;
	char link[PROC_MAPS_LINK_BYTES], target[4096];
	struct proc_map map;
	bool found = false;

	assert_int_equal(proc_maps_open(&maps, "/proc/self/maps"), 0);
	while (proc_maps_next_code(&maps, &map) > 0) {
		assert_true(map.executable);
		assert_int_equal(map.path[0], '/');
		if (map.start > (uintptr_t)test_code || (uintptr_t)test_code >= map.end)
			continue;
		found = true;
		proc_maps_link((uint32_t)getpid(), map.start, map.end, link);
		/* Whoever may not follow it sees it all the same. */
		assert_int_equal(readlink(link, target, sizeof(target)), strlen(map.path));
		assert_memory_equal(target, map.path, strlen(map.path));
	}
	assert_true(found);
}

/* Whether it ends before its file is opened or after. */
static void test_gone(void **state)
{
	_cleanup_proc_maps_ struct proc_maps maps = PROC_MAPS_INIT, other = PROC_MAPS_INIT;
	struct proc_map map;
	char path[64];
	int status;
	pid_t child = fork();

	assert_true(child >= 0);
	if (!child) {
		pause();
		_exit(0);
	}
	snprintf(path, sizeof(path), "/proc/%d/maps", child);
	assert_int_equal(proc_maps_open(&maps, path), 0);
	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(proc_maps_next(&maps, &map), -ESRCH);
	assert_int_equal(proc_maps_open(&other, path), -ESRCH);
	proc_maps_close(&other);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("a line cut anywhere is refused or whole enough", test_cut),
		UNIT_TEST("our own maps are read to their end", test_own),
		UNIT_TEST("code of files is what is asked for, and its link leads there",
			  test_code),
		UNIT_TEST("of a process that is gone there are none", test_gone),
	};

	return unit_run_rows("line", maps_row, UNIT_ROWS(maps_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
