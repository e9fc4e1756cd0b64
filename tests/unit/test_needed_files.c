/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "symbolizer/elf/needed_files.h"
#include "tests/unit/compiled_program.h"
#include "tests/unit/fail_alloc.h"

static struct compiled_program program;

static bool needs(const struct needed_files *needed, const char *name)
{
	for (size_t i = 0; i < needed->count; i++)
		if (!strcmp(needed->names[i], name))
			return true;
	return false;
}

static const struct link_case {
	const char *name, *flags;
	const char *library;		/* NULL: it needs none */
	const char *folders;
} link_cases[] = {
	{ "a program needs the C library", "", "libc.so.6" },
	{ "and those it is linked with", "-Wl,--no-as-needed -lm", "libm.so.6" },
	{ "the linker is told where to look", "-Wl,--enable-new-dtags,-rpath,'$ORIGIN/lib:/opt'",
	  "libc.so.6", "$ORIGIN/lib:/opt" },
	{ "in the old way, too", "-Wl,--disable-new-dtags,-rpath,/old", "libc.so.6", "/old" },
	{ "a static program needs none", "-static", NULL },
	{ "a library needs it as well", "-shared -fPIC -Wl,--no-as-needed", "libc.so.6" },
};

static void test_link(void **state)
{
	const struct link_case *c = *state;
	_cleanup_(needed_files_done) struct needed_files needed = { 0 };
	_cleanup_(module_putp) struct module *mod = NULL;
	char command[256];

	snprintf(command, sizeof(command), "cc -o linked source.c %s", c->flags);
	assert_int_equal(compiled_program_run(&program, command), 0);
	mod = compiled_program_module(&program, "linked");
	assert_int_equal(needed_files_read(mod, &needed), 0);
	if (c->library)
		assert_true(needs(&needed, c->library));
	else
		assert_int_equal(needed.count, 0);
	if (c->folders)
		assert_string_equal(needed.folders, c->folders);
	else
		assert_null(needed.folders);
}

static void test_no_elf(void **state)
{
	_cleanup_(needed_files_done) struct needed_files needed = { 0 };
	_cleanup_(module_putp) struct module *mod = compiled_program_module(&program, "source.c");

	assert_int_equal(needed_files_read(mod, &needed), -ENOEXEC);
}

/* Every byte of the names' table is damaged in turn: what is read ends in it. */
static void test_damage(void **state)
{
	_cleanup_free_ uint8_t *bytes = NULL;
	size_t size;
	int read = 0, bad = 0;

	assert_int_equal(compiled_program_run(&program, "cc -o linked source.c"), 0);
	bytes = compiled_program_bytes(&program, "linked", &size);
	for (size_t i = 0; i < size; i += 1 + i % 5) {
		_cleanup_(needed_files_done) struct needed_files needed = { 0 };
		_cleanup_(module_putp) struct module *mod = NULL;
		struct module_info info = { .id = 1, .path = "linked" };
		uint8_t before = bytes[i];

		bytes[i] ^= 0xff;
		mod = module_new_memory(&info, bytes, size);
		if (needed_files_read(mod, &needed) < 0)
			bad++;
		else
			read += needed.count > 0;
		bytes[i] = before;
	}
	assert_true(read > 0 && bad > 0);
}

static int run_read(void *arg)
{
	_cleanup_(needed_files_done) struct needed_files needed = { 0 };

	return needed_files_read(arg, &needed);
}

static void test_no_memory(void **state)
{
	_cleanup_(module_putp) struct module *mod = compiled_program_module(&program, "program");

	assert_true(fail_alloc_each(run_read, mod) > 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("what is no ELF file says so", test_no_elf),
		UNIT_TEST("a damaged file is read within its bounds", test_damage),
		UNIT_TEST("memory can fail at every allocation", test_no_memory),
	};
	int failed;

	compiled_program_init(&program, "cc", "int main(void) { return 0; }\n");
	failed = unit_run_rows("links", test_link, UNIT_ROWS(link_cases)) +
		 cmocka_run_group_tests(tests, NULL, NULL);
	compiled_program_done(&program);
	return failed;
}
