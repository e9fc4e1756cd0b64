/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include "profiler/session.h"
#include "profiler/sources/source.h"
#include "tests/unit/fail_alloc.h"
#include "tests/unit/unit.h"

static const struct parse_case {
	const char *name, *text;
	int result;
	const char *source;		/* or what the complaint must say */
	uint64_t min, max;
	uint32_t option[WICK_SOURCE_OPTIONS];
} cases[] = {
	{ "a name", "cpu", 0, "cpu" },
	{ "a least value", "offcpu,min=1ms", 0, "offcpu", 1000000 },
	{ "a least and a most value", "offcpu,min=10us,max=2s", 0, "offcpu", 10000, 2000000000 },
	{ "bare numbers are seconds", "offcpu,min=1", 0, "offcpu", 1000000000 },
	{ "flags", "offcpu,preempted,waker", 0, "offcpu", 0, 0, { 1, 1 } },
	{ "flags in any order", "offcpu,waker,min=1ms", 0, "offcpu", 1000000, 0, { 0, 1 } },
	{ "a flag twice is the flag", "offcpu,waker,waker", 0, "offcpu", 0, 0, { 0, 1 } },
	{ "the last value of two", "offcpu,min=1ms,min=2ms", 0, "offcpu", 2000000 },
	{ "a composite with what it always has and options of its parts",
	  "wall,min=1ms,waker",
	  0,
	  "wall",
	  1000000,
	  0,
	  { 1, 1 } },
	{ "a range of addresses, its end exclusive", "fault,range=7f0000000000-0x7f0000002000", 0,
	  "fault", 0x7f0000000000, 0x7f0000001fff },
	{ "a range with a flag", "fault,range=0-1000,major", 0, "fault", 0, 0xfff, { 0, 1 } },
	{ "a range from high to low", "fault,range=2000-1000", -EINVAL, "range=7f" },
	{ "an empty range", "fault,range=1000-1000", -EINVAL, "range=7f" },
	{ "half a range", "fault,range=1000", -EINVAL, "range=7f" },
	{ "a range of something else", "fault,range=heap-stack", -EINVAL, "range=7f" },
	{ "a range below 0", "fault,range=-1-1000", -EINVAL, "range=7f" },
	{ "a range beyond 64 bits", "fault,range=0-10000000000000000", -EINVAL, "range=7f" },
	{ "a name nobody knows", "offcpus", -ENOENT, "no such event: offcpus" },
	{ "no name", "", -ENOENT, "no such event" },
	{ "no name but an option", ",min=1ms", -ENOENT, "no such event" },
	{ "a tracepoint without its scheme", "sched:sched_switch", 0, "tracepoint" },
	{ "with an option", "sched:*,label=prev_comm", 0, "tracepoint" },
	{ "a filter with commas in it", "sched:sched_switch,filter=prev_comm == \"a,b\"", 0,
	  "tracepoint" },
	{ "a filter that is none", "sched:sched_switch,filter=prev_comm ==", -EINVAL,
	  "bad filter" },
	{ "a probe without its function", "uprobe:libc", -EINVAL, "expected uprobe:FILE:FUNCTION" },
	{ "an option nobody knows", "offcpu,least=1ms", -EINVAL,
	  "unknown option of offcpu: least=1ms: it has min=, max=, preempted, waker" },
	{ "an empty option", "offcpu,", -EINVAL, "unknown option of offcpu: " },
	{ "an option of a source without any", "cpu,min=1ms", -EINVAL, "it has none" },
	{ "an option without its value", "offcpu,min", -EINVAL, "needs =VALUE" },
	{ "an option with an empty value", "offcpu,min=", -EINVAL, "min=" },
	{ "a flag with a value", "offcpu,waker=1", -EINVAL, "takes no value" },
	{ "a value that is no time", "offcpu,min=soon", -EINVAL, "min=1ms" },
	{ "a negative time", "offcpu,min=-1ms", -EINVAL, "min=1ms" },
	{ "a glob that no system call matches", "syscall:read+opne*", -EINVAL,
	  "no system call matches: opne*; see: wick list" },
	{ "a least value above the most", "offcpu,min=2s,max=1s", -EINVAL, "min= is above max=" },
	{ "something behind the colon of what takes nothing", "offcpu:x", -EINVAL,
	  "takes nothing behind a colon" },
};

static void test_parse(void **state)
{
	const struct parse_case *c = *state;
	_cleanup_request_ struct source_request request = { 0 };
	const struct wick_settings *settings = &request.settings;
	struct error err = { 0 };

	assert_int_equal(source_parse(c->text, &request, &err), c->result);
	if (c->result < 0) {
		assert_non_null(strstr(err.text, c->source));
		return;
	}
	assert_string_equal(request.source->name, c->source);
	assert_int_equal(settings->value_min, c->min);
	assert_int_equal(settings->value_max, c->max);
	assert_memory_equal(settings->option, c->option, sizeof(c->option));
}

/* Options and flags of every row can be found by their names; nothing else can. */
static void test_rows(void **state)
{
	for (const struct source *s = source_table; s->name; s++) {
		assert_ptr_equal(source_find(s->name), s);
		for (const struct source_option *o = s->options; o && o->name; o++)
			assert_int_equal(source_has_flag(s, o->name, strlen(o->name)), !o->parse);
		assert_false(source_has_flag(s, "mi", 2));
		assert_false(source_has_flag(s, "", 0));
	}
}

static bool is_asked_for(const struct wick_settings *settings, int number)
{
	return settings->syscalls[number / 64] >> number % 64 & 1;
}

static void test_syscalls(void **state)
{
	_cleanup_request_ struct source_request request = { 0 };
	const struct wick_settings *settings = &request.settings;
	struct error err = { 0 };
	int count = 0;

	assert_int_equal(source_parse("syscall:epoll_pw*+read", &request, &err), 0);
	for (int i = 0; i < WICK_SYSCALL_WORDS * 64; i++)
		count += is_asked_for(settings, i);
	assert_int_equal(count, 3);
	assert_true(is_asked_for(settings, SYS_epoll_pwait));
	assert_true(is_asked_for(settings, SYS_epoll_pwait2));
	assert_true(is_asked_for(settings, SYS_read));
}

static void test_has_flag(void **state)
{
	assert_true(session_event_has_flag("offcpu", "waker"));
	assert_true(session_event_has_flag("offcpu,min=1ms", "waker"));
	assert_true(session_event_has_flag("offcpu", "waker,min=1ms"));
	assert_false(session_event_has_flag("offcpu", "min"));
	assert_false(session_event_has_flag("cpu", "waker"));
	assert_false(session_event_has_flag("nothing", "waker"));
}

/* Whatever is behind the name. */
static void test_values(void **state)
{
	static const struct {
		const char *event;
		size_t index;
		const char *value;
	} values[] = {
		{ "offcpu", 1, "off_cpu" },
		{ "offcpu,min=1ms,waker", 1, "off_cpu" },
		{ "syscall:read+write", 0, "calls" },
		{ "uprobe:libc:malloc", 0, "malloc" },
		{ "uprobe:libc:malloc,value=arg1", 1, "malloc_arg1" },
		{ "fn:/bin/x:std::sort<int>(int*, int*)", 1, "std_sort_int_int_int_time" },
		{ "tracepoint:sched:sched_*", 0, "sched" },
		{ "offcpu,waker", 2, NULL },
		{ "uprobe:libc:malloc", 1, NULL },
		{ "nothing", 0, NULL },
	};
	char value[SESSION_VALUE_BYTES];

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		assert_int_equal(session_event_value(values[i].event, values[i].index, value),
				 values[i].value != NULL);
		if (values[i].value)
			assert_string_equal(value, values[i].value);
	}
}

static int run_parse(void *arg)
{
	_cleanup_request_ struct source_request request = { 0 };

	return source_parse("offcpu,min=1ms,waker", &request, NULL);
}

static void test_no_memory(void **state)
{
	assert_true(fail_alloc_each(run_parse, NULL) > 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("every row is found with its options", test_rows),
		UNIT_TEST("system calls by their names and by globs, and no others", test_syscalls),
		UNIT_TEST("flags are told from values", test_has_flag),
		UNIT_TEST("values are those of the name", test_values),
		UNIT_TEST("without memory it is said", test_no_memory),
	};

	return unit_run_rows("events", test_parse, UNIT_ROWS(cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
