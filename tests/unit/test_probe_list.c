/* SPDX-License-Identifier: BSD-2-Clause */
/* What is listed of every kind of probe; what needs tracefs is skipped where that cannot be read. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>
#include <unistd.h>

#include "profiler/kernel_types/tracepoint_format.h"
#include "profiler/probes/probe_list.h"
#include "tests/unit/compiled_program.h"
#include "tests/unit/fail_alloc.h"

static const char program_source[] =
	"#include <sys/sdt.h>\n"
	"struct point { int x; };\n"
	"__attribute__((noinline)) long move_to(struct point *p, unsigned char step, ...)\n"
	"{ DTRACE_PROBE2(listed, moved, p->x, step); return p->x + step; }\n"
	"__attribute__((noinline)) void no_result(double by) { (void)by; __asm__ volatile(\"\"); }\n"
	"int main(int argc, char **argv)\n"
	"{ struct point p = { argc }; no_result(1); return (int)move_to(&p, 3); }\n";

static const struct probe_targets nobody;

/* ---- the kernel's ---- */

static const struct list_case {
	const char *name, *pattern;
	const char *event, *arguments, *result;	/* of one entry: a glob each; event NULL: nothing */
	bool needs_tracefs;
} list_cases[] = {
	{ "a tracepoint, with its fields", "tracepoint:sched:sched_switch",
	  "tracepoint:sched:sched_switch", "*prev_comm*, *next_prio*", "", true },
	{ "all of a category", "tracepoint:sched:*", "tracepoint:sched:sched_wakeup", "*", "",
	  true },
	{ "a tracepoint by its name alone", "tracepoint:sched_switch",
	  "tracepoint:sched:sched_switch", "*", "", true },
	{ "no tracepoint", "tracepoint:nothing:*", .needs_tracefs = true },
	{ "a raw tracepoint, with the types of the kernel's arguments", "rawtp:sched_switch",
	  "rawtp:sched_switch", "*preempt, struct task_struct*prev, struct task_struct*next*", "" },
	{ "raw tracepoints by a glob", "rawtp:sched_process_*", "rawtp:sched_process_exec", "*",
	  "" },
	{ "a function of the kernel, with types", "kprobe:vfs_read", "kprobe:vfs_read",
	  "struct file*file, char*buf, size_t count, loff_t*pos", "ssize_t" },
	{ "the same by its return", "kretprobe:vfs_read", "kretprobe:vfs_read", "*size_t count*",
	  "ssize_t" },
	{ "a system call, with the names of its arguments", "syscall:openat", "syscall:openat",
	  "*filename*", "long", true },
	{ "system calls by a glob", "syscall:*at", "syscall:mkdirat", "*", "long" },
	{ "no system call", "syscall:nothing" },
	{ "a software counter", "sw:context-switches", "sw:context-switches", "", "" },
	{ "hardware counters", "hw:*", "hw:cycles", "", "" },
	{ "without a kind all of the kernel's", "*sched_switch*", "rawtp:sched_switch", "*", "" },
	{ "nothing is called so", "no_such_name_anywhere", .needs_tracefs = true },
	{ "an empty name", "", .needs_tracefs = true },
};

static const struct probe_entry *find_entry(const struct probe_list *list, const char *event)
{
	for (size_t i = 0; i < probe_list_count(list); i++)
		if (!fnmatch(event, probe_list_at(list, i)->event, 0))
			return probe_list_at(list, i);
	return NULL;
}

static bool has_tracefs(void)
{
	int fd = tracefs_open(NULL);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool has_types(void)
{
	return access("/sys/kernel/btf/vmlinux", R_OK) == 0;
}

static void check_entry(const struct probe_list *list, const char *event, const char *arguments,
			const char *result)
{
	const struct probe_entry *entry = find_entry(list, event);

	assert_non_null(entry);
	if (fnmatch(arguments, entry->arguments, 0))
		fail_msg("%s has the arguments %s", event, entry->arguments);
	assert_int_equal(fnmatch(result, entry->result, 0), 0);
}

static void test_list(void **state)
{
	const struct list_case *c = *state;
	_cleanup_(probe_list_freep) struct probe_list *list = NULL;
	struct error err = { 0 };
	int r = probe_list_read(c->pattern, &nobody, &list, &err);

	if (!has_types())
		skip();
	/* Who may not read it is told so. */
	if (r < 0 && c->needs_tracefs && !has_tracefs()) {
		assert_non_null(strstr(err.text, "tracefs"));
		return;
	}
	assert_int_equal(r, 0);
	if (c->event)
		check_entry(list, c->event, has_tracefs() ? c->arguments : "*", c->result);
	else
		assert_int_equal(probe_list_count(list), 0);
}

/* ---- refusals ---- */

static const struct refused_case {
	const char *name, *pattern;
	int result;
	const char *says;
} refused_cases[] = {
	{ "a kind that there is none of", "thing:name", -EINVAL, "no such kind of probe: thing" },
	{ "which says where the kinds are", "thing:name", -EINVAL, "wick list" },
	{ "a colon and nothing", ":", -EINVAL, "no such kind" },
	{ "an event that is no probe", "cpu:*", -EINVAL, "no such kind of probe: cpu" },
	{ "functions of no file", "uprobe:malloc", -EINVAL, "expected uprobe:FILE:PATTERN" },
	{ "returns of no file", "uretprobe:malloc", -EINVAL, "expected uretprobe:FILE:PATTERN" },
	{ "calls of no file", "fn:malloc", -EINVAL, "expected fn:FILE:PATTERN" },
	{ "declared probes of no file", "usdt:throw", -EINVAL, "expected usdt:FILE:PATTERN" },
	{ "a file that is not there", "uprobe:/no/such/file:*", -ENOENT,
	  "no such file: /no/such/file" },
	{ "a library that is not there", "usdt:libnothing:*", -ENOENT, "libnothing" },
	{ "the target's files, without a target", "uprobe::malloc", -EINVAL, "-p" },
};

static void test_refused(void **state)
{
	const struct refused_case *c = *state;
	_cleanup_(probe_list_freep) struct probe_list *list = NULL;
	struct error err = { 0 };

	assert_int_equal(probe_list_read(c->pattern, &nobody, &list, &err), c->result);
	assert_null(list);
	if (!strstr(err.text, c->says))
		fail_msg("it says: %s", err.text);
	assert_null(strstr(err.text, "memory"));
}

/* ---- files ---- */

static const struct file_case {
	const char *name, *scheme, *pattern;
	const char *event, *arguments, *result;
} file_cases[] = {
	{ "a function, with the types of its debug information", "uprobe", "move_to", "move_to",
	  "struct point*p, unsigned char step, ...", "long*" },
	{ "one without a result", "fn", "no_res*", "no_result", "double by", "" },
	{ "returns as functions", "uretprobe", "main", "main", "int argc, char*argv", "int" },
	{ "a declared probe, with where its arguments lie", "usdt", "listed:*", "listed:moved",
	  "*@*", "" },
	{ "of any provider", "usdt", "moved", "listed:moved", "*@*", "" },
};

static struct compiled_program program;

static void test_file(void **state)
{
	const struct file_case *c = *state;
	_cleanup_(probe_list_freep) struct probe_list *list = NULL;
	struct error err = { 0 };
	char pattern[512], event[512];

	snprintf(pattern, sizeof(pattern), "%s:%s:%s", c->scheme, program.path, c->pattern);
	snprintf(event, sizeof(event), "%s:%s:%s", c->scheme, program.path, c->event);
	assert_int_equal(probe_list_read(pattern, &nobody, &list, &err), 0);
	check_entry(list, event, c->arguments, c->result);
}

/* The files of a target are by what they are called there. */
static void test_target(void **state)
{
	const pid_t self = getpid();
	const struct probe_targets targets = { .pids = &self, .pid_count = 1 };
	_cleanup_(probe_list_freep) struct probe_list *list = NULL;
	struct error err = { 0 };

	assert_int_equal(probe_list_read("uprobe::probe_list_read", &targets, &list, &err), 0);
	assert_non_null(find_entry(list, "uprobe:*test_probe_list:probe_list_read"));
}

static int run_list(void *arg)
{
	_cleanup_(probe_list_freep) struct probe_list *list = NULL;
	struct error err = { 0 };
	int r = probe_list_read(arg, &nobody, &list, &err);

	if (r == -ENOMEM)
		assert_string_equal(err.text, "no memory");
	return r;
}

static void test_no_memory(void **state)
{
	assert_true(fail_alloc_each(run_list, (char *)"sw:*") > 0);
	assert_true(fail_alloc_each(run_list, (char *)"syscall:mkdir*") > 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("without a file it is what the target has mapped", test_target),
		UNIT_TEST("memory can fail at every allocation", test_no_memory),
	};
	int failed;

	compiled_program_init(&program, "cc -O1 -g", program_source);
	failed = unit_run_rows("lists", test_list, UNIT_ROWS(list_cases)) +
		 unit_run_rows("refused", test_refused, UNIT_ROWS(refused_cases)) +
		 unit_run_rows("files", test_file, UNIT_ROWS(file_cases)) +
		 cmocka_run_group_tests(tests, NULL, NULL);
	compiled_program_done(&program);
	return failed;
}
