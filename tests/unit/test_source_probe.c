/* SPDX-License-Identifier: BSD-2-Clause */
/* What the values of an event that is a probe are called, from its words alone. */
#include "tests/unit/unit.h"

#include <string.h>

#include "profiler/probes/probe_set.h"
#include "profiler/sources/source_probe.h"

static const struct name_case {
	const char *name, *text;
	const char *first, *second, *unit;	/* of the second value; second NULL: there is none */
} cases[] = {
	{ "a function is counted by its name", "uprobe:libc:malloc", "malloc" },
	{ "a value is named behind it", "uprobe:libc:malloc,value=arg1,unit=bytes", "malloc",
	  "malloc_arg1", "bytes" },
	{ "a value without a unit counts", "uprobe:libc:malloc,value=arg1", "malloc", "malloc_arg1",
	  "count" },
	{ "a member's value has underlines", "uprobe:x:f,value=p->inner->twice", "f",
	  "f_p_inner_twice", "count" },
	{ "what it returns", "uretprobe:libc:malloc,value=ret", "malloc", "malloc_ret", "count" },
	{ "a call is measured in time", "fn:libc:fsync", "fsync", "fsync_time", "nanoseconds" },
	{ "or is worth what it returns", "fn:libc:read,value=ret,unit=bytes", "read", "read_ret",
	  "bytes" },
	{ "so is one of the kernel", "kretprobe:vfs_read", "vfs_read", "vfs_read_time",
	  "nanoseconds" },
	{ "scopes and parameters of C++", "uprobe:x:bank::pay(char const*, long)",
	  "bank_pay_char_const_long" },
	{ "a method of Go", "uprobe:x:main.(*Server).Serve", "main_Server_Serve" },
	{ "a glob", "uprobe:libc:*alloc*", "alloc" },
	{ "a glob of everything is named by its kind", "uprobe:x:*", "uprobe" },
	{ "an offset is left out", "uprobe:libc:malloc+4", "malloc" },
	{ "a path has no part in it", "uprobe:/usr/lib/libc.so.6:malloc", "malloc" },
	{ "a tracepoint without its category", "tracepoint:sched:sched_switch", "sched_switch" },
	{ "a raw one", "rawtp:sched_switch", "sched_switch" },
	{ "a declared probe without its provider", "usdt:python3:python:gc__start", "gc__start" },
	{ "an operator has no letters but its own", "uprobe:x:operator+", "operator" },
};

static void test_name(void **state)
{
	const struct name_case *c = *state;
	_cleanup_request_ struct source_request request = { 0 };
	char name[SOURCE_PROBE_VALUE_BYTES];
	struct error err = { 0 };
	const char *unit;

	assert_int_equal(source_parse(c->text, &request, &err), 0);
	assert_true(source_probe_value(&request, 0, name, &unit));
	assert_string_equal(name, c->first);
	assert_string_equal(unit, "count");
	assert_int_equal(source_probe_value(&request, 1, name, &unit), c->second != NULL);
	if (!c->second)
		return;
	assert_string_equal(name, c->second);
	assert_string_equal(unit, c->unit);
	assert_false(source_probe_value(&request, 2, name, &unit));
}

/* Of a name that is longer than its place the beginning is kept. */
static void test_long_name(void **state)
{
	_cleanup_request_ struct source_request request = { 0 };
	char text[300] = "fn:x:", name[SOURCE_PROBE_VALUE_BYTES];
	const char *unit;

	memset(text + strlen(text), 'n', 200);
	assert_int_equal(source_parse(text, &request, NULL), 0);
	assert_true(source_probe_value(&request, 1, name, &unit));
	assert_true(strlen(name) < sizeof(name));
	assert_memory_equal(name, "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn_", 32);
	assert_string_equal(name + 31, "_time");
}

/* What is found is said with the reason, before anything is loaded. */
static const struct open_case {
	const char *name, *text, *says;
	enum error_kind kind;
} open_cases[] = {
	{ "a file that is not there", "uprobe:/no/such/file:f", "no such file", ERROR_FAILED },
	{ "a function that is not there", "uprobe:/proc/self/exe:test_nam",
	  "did you mean test_name?", ERROR_FAILED },
	{ "an argument that is not there", "uprobe:/proc/self/exe:main,value=nothing", "nothing",
	  ERROR_USAGE },
	{ "what a return is not asked for", "uretprobe:/proc/self/exe:main+4",
	  "a return has no offset", ERROR_USAGE },
	{ "an offset between instructions", "uprobe:/proc/self/exe:main+999999", "the function has",
	  ERROR_USAGE },
	{ "a counter that is not there", "sw:nothing", "no such counter", ERROR_USAGE },
	{ "a counter that is nearly called so", "sw:page-fault", "did you mean page-faults?",
	  ERROR_USAGE },
	{ "a library that is not there", "uprobe:libnothing:f",
	  "no such file: libnothing: no library or program of that name", ERROR_FAILED },
	{ "the target's file, without a target", "uprobe::f",
	  "give a path or a library's name, or a process with -p", ERROR_USAGE },
	{ "a glob that no function matches", "fn:/proc/self/exe:nothing_*",
	  "see: wick list 'uprobe:/proc/self/exe:*'", ERROR_FAILED },
	{ "a declared probe that is not there", "usdt:/proc/self/exe:nothing",
	  "see: wick list 'usdt:/proc/self/exe:*'", ERROR_FAILED },
	{ "more functions than an event can have", "uprobe:libc:*",
	  "at most 2000 for an event; several events, each with a narrower glob", ERROR_USAGE },
};

static void test_open(void **state)
{
	const struct open_case *c = *state;
	const struct probe_targets nobody = { 0 };
	_cleanup_request_ struct source_request request = { 0 };
	struct source_probe *probe = NULL;
	struct error err = { 0 };

	assert_int_equal(source_parse(c->text, &request, &err), 0);
	assert_true(source_request_is_probe(&request, false));
	assert_true(source_probe_open(&request, &nobody, false, &probe, &err) < 0);
	assert_null(probe);
	if (!strstr(err.text, c->says))
		fail_msg("it says: %s", err.text);
	assert_int_equal(err.kind, c->kind);
}

static void test_row(void **state)
{
	const struct probe_targets nobody = { 0 };
	_cleanup_request_ struct source_request request = { 0 };
	_cleanup_(source_probe_freep) struct source_probe *probe = NULL;
	struct error err = { 0 };
	const struct source *row;

	assert_int_equal(source_parse("fn:/proc/self/exe:test_row", &request, &err), 0);
	assert_int_equal(source_probe_open(&request, &nobody, false, &probe, &err), 0);
	row = source_probe_row(probe);
	assert_string_equal(row->name, "test_row");
	assert_string_equal(row->values[0].type, "test_row");
	assert_string_equal(row->values[1].type, "test_row_time");
	assert_true(row->values[1].is_main && row->values[1].is_sum && !row->values[0].is_main);
	assert_int_equal(row->probes->count, 1);
	assert_string_equal(row->probes->places[0].name, "test_row");
	assert_null(source_probe_note(probe));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("a long name is cut, and its ending is not", test_long_name),
		UNIT_TEST("a function that is found has a row of its own", test_row),
	};

	return unit_run_rows("names", test_name, UNIT_ROWS(cases)) +
	       unit_run_rows("refused", test_open, UNIT_ROWS(open_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
