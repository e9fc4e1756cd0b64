/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "profiler/base/strbuf.h"
#include "tests/unit/fail_alloc.h"
#include "tools/options/event_list.h"

static const struct event_case {
	const char *name;
	const char *texts[3];		/* of each -e */
	const char *events;		/* a line each, or the reason behind "!" */
} event_cases[] = {
	{ "one event is one event", { "cpu" }, "cpu\n" },
	{ "a comma separates events", { "cpu,offcpu" }, "cpu\noffcpu\n" },
	{ "KEY=VALUE belongs to the event before it", { "offcpu,min=1ms,cpu" },
	  "offcpu,min=1ms\ncpu\n" },
	{ "so do several of them", { "syscall:read+write,min=1ms,max=2ms" },
	  "syscall:read+write,min=1ms,max=2ms\n" },
	{ "every -e adds events", { "cpu", "fault,offcpu" }, "cpu\nfault\noffcpu\n" },
	{ "KEY=VALUE may belong to the event of the -e before", { "offcpu", "min=1ms" },
	  "offcpu,min=1ms\n" },
	{ "a key may have digits and dashes", { "cpu,a-b_2=x" }, "cpu,a-b_2=x\n" },
	{ "a value may be empty", { "cpu,key=" }, "cpu,key=\n" },
	{ "a value may have more =", { "uprobe:a:b,filter=arg1==3" },
	  "uprobe:a:b,filter=arg1==3\n" },
	{ "an = behind a colon makes no key", { "cpu,uprobe:/a=b:f" }, "cpu\nuprobe:/a=b:f\n" },
	{ "an = behind a slash makes no key", { "cpu,/opt/x=y" }, "cpu\n/opt/x=y\n" },
	{ "an = at the start makes no key", { "cpu,=x" }, "cpu\n=x\n" },
	{ "commas in parentheses do not split", { "fn:a:f(int, int),cpu" },
	  "fn:a:f(int, int)\ncpu\n" },
	{ "nor in nested ones", { "fn:a:f(void (*)(int, int), int),cpu" },
	  "fn:a:f(void (*)(int, int), int)\ncpu\n" },
	{ "commas in angle brackets do not split", { "fn:a:map<int, map<a, b>>::get,cpu" },
	  "fn:a:map<int, map<a, b>>::get\ncpu\n" },
	{ "operator< is no bracket", { "fn:a:operator<,cpu" }, "fn:a:operator<\ncpu\n" },
	{ "operator<< is none either", { "fn:a:operator<<,cpu" }, "fn:a:operator<<\ncpu\n" },
	{ "operator> ends nothing", { "fn:a:operator>,cpu" }, "fn:a:operator>\ncpu\n" },
	{ "an arrow ends nothing", { "fn:a:t<x->y, z>,cpu" }, "fn:a:t<x->y, z>\ncpu\n" },
	{ "a comparison is no bracket", { "fn:a:f,filter=arg1<5,cpu" },
	  "fn:a:f,filter=arg1<5\ncpu\n" },
	{ "commas in quotes do not split", { "open,path=\"a,b\",cpu" }, "open,path=\"a,b\"\ncpu\n" },
	{ "commas in single quotes do not split", { "open,path='a,b',cpu" },
	  "open,path='a,b'\ncpu\n" },
	{ "brackets in quotes are text", { "open,path='a(<',cpu" }, "open,path='a(<'\ncpu\n" },
	{ "a quote in parentheses hides them", { "fn:a:f(')', 1),cpu" },
	  "fn:a:f(')', 1)\ncpu\n" },
	{ "the other quote in quotes is text", { "open,path=\"it's, a\",cpu" },
	  "open,path=\"it's, a\"\ncpu\n" },
	{ "a closing bracket alone is text", { "a),b" }, "a)\nb\n" },

	{ "nothing is no event", { "" }, "!an empty event" },
	{ "a comma at the end is refused", { "cpu," }, "!an empty event" },
	{ "a comma at the start is refused", { ",cpu" }, "!an empty event" },
	{ "two commas are refused", { "cpu,,fault" }, "!an empty event" },
	{ "KEY=VALUE before any event is refused", { "min=1ms,cpu" },
	  "!KEY=VALUE before the first event" },
	{ "an open parenthesis is refused", { "fn:a:f(int,cpu" }, "!a ( without )" },
	{ "an open quote is refused", { "open,path=\"a,cpu" }, "!a quote without end" },
	{ "an open quote in parentheses is refused", { "fn:a:f('),cpu" }, "!a ( without )" },
};

static void event_row(void **state)
{
	_cleanup_(text_list_done) struct text_list list = { 0 };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	const struct event_case *c = *state;
	const char *reason = NULL;
	size_t i;
	int r = 0;

	for (i = 0; i < ARRAY_SIZE(c->texts) && c->texts[i] && r >= 0; i++)
		r = event_list_add(&list, c->texts[i], &reason);
	for (i = 0; i < list.count && r >= 0; i++)
		strbuf_printf(&text, "%s\n", list.texts[i]);
	if (r < 0) {
		assert_int_equal(r, -EINVAL);
		strbuf_printf(&text, "!%s", reason);
	} else {
		assert_null(reason);
	}
	assert_string_equal(text.data, c->events);
}

static const struct name_case {
	const char *name;
	const char *text;
	size_t size;
} name_cases[] = {
	{ "a name alone", "cpu", 3 },
	{ "a colon ends a name", "syscall:read", 7 },
	{ "a comma ends a name", "offcpu,min=1ms", 6 },
	{ "a bracket ends a name", "syscall[:NAME]", 7 },
	{ "a name may have digits, - and _", "a-b_2:x", 5 },
	{ "a colon at the start leaves none", ":x", 0 },
};

static void name_row(void **state)
{
	const struct name_case *c = *state;

	assert_int_equal(event_name_size(c->text), c->size);
}

static int add_events(void *arg)
{
	_cleanup_(text_list_done) struct text_list list = { 0 };
	const char *reason;

	return event_list_add(&list, "cpu,offcpu,min=1ms", &reason);
}

static void test_no_memory(void **state)
{
	assert_true(fail_alloc_each(add_events, NULL) > 0);
}

/* A megabyte of what could nest must not take for ever, or the whole stack. */
static void test_hostile(void **state)
{
	enum { SIZE = 1 << 20 };
	_cleanup_free_ char *text = malloc(SIZE + 1);
	_cleanup_(text_list_done) struct text_list list = { 0 };
	const char *reason;

	assert_non_null(text);
	memset(text, '(', SIZE);
	text[SIZE] = '\0';
	assert_int_equal(event_list_add(&list, text, &reason), -EINVAL);
	memset(text, 'a', SIZE);
	assert_int_equal(event_list_add(&list, text, &reason), 0);
	assert_int_equal(list.count, 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("adding reports every failed allocation", test_no_memory),
		UNIT_TEST("a long text is no problem", test_hostile),
	};

	return unit_run_rows("event lists", event_row, UNIT_ROWS(event_cases)) +
	       unit_run_rows("event names", name_row, UNIT_ROWS(name_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
