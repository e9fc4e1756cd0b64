/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "profiler/probes/probe_files.h"
#include "tests/unit/fail_alloc.h"
#include "tests/unit/unit.h"

static const struct called_case {
	const char *name, *basename, *asked;
	bool is_called;
} called_cases[] = {
	{ "a library by its soname", "libc.so.6", "libc", true },
	{ "by its whole name", "libc.so.6", "libc.so.6", true },
	{ "an old one by its version", "libc-2.31.so", "libc", true },
	{ "a program", "python3.11", "python3.11", true },
	{ "not another that begins so", "libcap.so.2", "libc", false },
	{ "nor one with a word behind a dash", "libc-client.so.1", "libc", false },
	{ "nor one with a number and no suffix", "libc-2", "libc", false },
	{ "nor a part of the name", "libc.so.6", "lib", false },
};

static void test_called(void **state)
{
	const struct called_case *c = *state;

	assert_int_equal(probe_file_is_called(c->basename, c->asked), c->is_called);
}

static bool has_path_end(const struct probe_files *files, const char *end)
{
	for (size_t i = 0; i < files->count; i++) {
		const char *path = module_info(files->modules[i])->path;

		if (strlen(path) >= strlen(end) && !strcmp(path + strlen(path) - strlen(end), end))
			return true;
	}
	return false;
}

static void find(const char *name, const struct probe_targets *targets, struct probe_files *ret)
{
	struct error err = { 0 };

	*ret = (struct probe_files){ 0 };
	assert_int_equal(probe_files_find(name, targets, ret, &err), 0);
}

/* Found by the running processes and by the folders: one file, once. */
static void test_library(void **state)
{
	const struct probe_targets all = { 0 };
	struct probe_files files;
	size_t same = 0;

	find("libc", &all, &files);
	assert_true(has_path_end(&files, "/libc.so.6"));
	for (size_t i = 0; i < files.count; i++)
		for (size_t k = 0; k < i; k++)
			same += module_info(files.modules[i])->inode ==
					module_info(files.modules[k])->inode &&
				module_info(files.modules[i])->device ==
					module_info(files.modules[k])->device;
	assert_int_equal(same, 0);
	probe_files_done(&files);
}

static void test_program(void **state)
{
	const struct probe_targets all = { 0 };
	struct probe_files files;

	find("gzip", &all, &files);
	assert_true(has_path_end(&files, "/gzip"));
	probe_files_done(&files);
}

static void test_path(void **state)
{
	const struct probe_targets all = { 0 };
	struct probe_files files;

	find("/proc/self/exe", &all, &files);
	assert_int_equal(files.count, 1);
	probe_files_done(&files);
}

/* By it a file is known again, whatever path it is mapped by. */
static void test_build_id(void **state)
{
	const struct probe_targets all = { 0 };
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	const struct elf_build_id *own;
	struct probe_files files;

	find("/proc/self/exe", &all, &files);
	assert_int_equal(module_open(files.modules[0], &elf), 0);
	own = elf_file_build_id(elf);
	assert_true(own->size);
	assert_memory_equal(&module_info(files.modules[0])->build_id, own, sizeof(*own));
	probe_files_done(&files);
	find("/proc/self/cmdline", &all, &files);
	assert_int_equal(files.count, 1);
	assert_int_equal(module_info(files.modules[0])->build_id.size, 0);
	probe_files_done(&files);
}

static void test_target(void **state)
{
	const pid_t self = getpid();
	const struct probe_targets targets = { .pids = &self, .pid_count = 1 };
	struct probe_files files;

	find("", &targets, &files);
	assert_true(has_path_end(&files, "/test_probe_files"));
	assert_true(has_path_end(&files, "/libc.so.6"));
	probe_files_done(&files);
}

/* What is about to be executed: as a shell finds it, with the libraries it is linked with. */
static const struct command_case {
	const char *name, *command, *file, *library;
} command_cases[] = {
	{ "a command of the path", "gzip", "/gzip", "/libc.so.6" },
	{ "a command by its path", "/bin/ls", "/ls", "/libselinux.so.1" },
	{ "with what its libraries need themselves", "/bin/ls", "/ls", "/libpcre2-8.so.0" },
	{ "with the dynamic linker", "gzip", "/gzip", "/ld-linux-x86-64.so.2" },
	{ "a script, with what runs it", "/usr/bin/ldd", "/bash", "/libc.so.6" },
};

static void test_command(void **state)
{
	const struct command_case *c = *state;
	const pid_t self = getpid();
	const struct probe_targets targets = { .pids = &self, .pid_count = 1,
					       .command = c->command };
	struct probe_files files;

	find("", &targets, &files);
	assert_true(has_path_end(&files, c->file));
	assert_true(has_path_end(&files, c->library));
	/* Not of the process that waits to become the command. */
	assert_false(has_path_end(&files, "/test_probe_files"));
	probe_files_done(&files);
}

static const struct refused_case {
	const char *name, *asked, *says;
	int result;
} refused_cases[] = {
	{ "no file and no target", "", "-p", -EINVAL },
	{ "a path that is not there", "/no/such/file", "/no/such/file", -ENOENT },
	{ "a name nobody knows", "libnosuchthing", "libnosuchthing", -ENOENT },
	{ "a folder", "/usr", "/usr", -ENOENT },
};

static void test_refused(void **state)
{
	const struct refused_case *c = *state;
	const struct probe_targets all = { 0 };
	struct probe_files files = { 0 };
	struct error err = { 0 };

	assert_int_equal(probe_files_find(c->asked, &all, &files, &err), c->result);
	assert_non_null(strstr(err.text, c->says));
	probe_files_done(&files);
}

static int run_find(void *arg)
{
	const pid_t self = getpid();
	const struct probe_targets targets = { .pids = &self, .pid_count = 1 };
	struct probe_files files = { 0 };
	int r = probe_files_find("libc", &targets, &files, NULL);

	probe_files_done(&files);
	return r;
}

static int run_command(void *arg)
{
	const struct probe_targets targets = { .command = "/usr/bin/ldd" };
	struct probe_files files = { 0 };
	int r = probe_files_find("", &targets, &files, NULL);

	probe_files_done(&files);
	return r;
}

static void test_no_memory(void **state)
{
	assert_true(fail_alloc_each(run_find, NULL) > 0);
	assert_true(fail_alloc_each(run_command, NULL) > 0);
}

int main(void)
{
	static const struct CMUnitTest rest[] = {
		UNIT_TEST("a library is found once", test_library),
		UNIT_TEST("a program is found by the path of commands", test_program),
		UNIT_TEST("a path is that file", test_path),
		UNIT_TEST("a file has its build ID, and one that is no program none",
			  test_build_id),
		UNIT_TEST("without a name it is what the target has mapped", test_target),
		UNIT_TEST("memory can fail at every allocation", test_no_memory),
	};

	return unit_run_rows("called", test_called, UNIT_ROWS(called_cases)) +
	       unit_run_rows("commands", test_command, UNIT_ROWS(command_cases)) +
	       unit_run_rows("refused", test_refused, UNIT_ROWS(refused_cases)) +
	       cmocka_run_group_tests(rest, NULL, NULL);
}
