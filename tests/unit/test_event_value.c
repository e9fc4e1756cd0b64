/* SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <string.h>

#include "profiler/event_value.h"
#include "tests/unit/unit.h"

/* Values of a system call, one after the other in a text of events. */
static struct probe_layout layout;
static struct probe_values values;

static void begin(void)
{
	memset(&layout, 0, sizeof(layout));
	memset(&values, 0, sizeof(values));
}

static size_t add(const char *name, enum probe_show show, uint8_t form, uint64_t number)
{
	size_t index = layout.site.value_count++;

	strcpy(layout.values[index].name, name);
	strcpy(layout.values[index].type, "type");
	layout.values[index].show = show;
	layout.site.values[index].form = form;
	values.value[index] = number;
	return index;
}

static size_t add_text(const char *name, enum probe_show show, const char *bytes, size_t size)
{
	uint64_t place = values.text_bytes | (uint64_t)size << 32;

	memcpy(values.text + values.text_bytes, bytes, size);
	values.text_bytes += size;
	return add(name, show, show == PROBE_SHOW_TEXT ? PROBE_TEXT : PROBE_BYTES, place);
}

static void check(size_t index, const char *call, enum event_value_kind kind, const char *expected)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct event_value value;

	assert_true(event_value_fill(&layout, &values, index, call, &value));
	assert_int_equal(value.kind, kind);
	event_value_add_text(&value, &text);
	assert_string_equal(text.data, expected);
}

static void test_call(void **state)
{
	struct event_value value;

	begin();
	add("dfd", PROBE_SHOW_SIGNED, PROBE_NUMBER, (uint64_t)AT_FDCWD);
	add_text("filename", PROBE_SHOW_TEXT, "/etc/passwd", 11);
	add("flags", PROBE_SHOW_SIGNED, PROBE_NUMBER, O_CLOEXEC);
	add("ret", PROBE_SHOW_ERRNO, PROBE_NUMBER, -2ull);
	check(0, "openat", EVENT_VALUE_SIGNED, "AT_FDCWD");
	check(1, "openat", EVENT_VALUE_TEXT, "\"/etc/passwd\"");
	check(2, "openat", EVENT_VALUE_SIGNED, "O_RDONLY|O_CLOEXEC");
	check(3, "openat", EVENT_VALUE_SIGNED, "-1 ENOENT (No such file or directory)");
	/* A function of that name is none. */
	check(2, NULL, EVENT_VALUE_SIGNED, "524288");
	assert_true(event_value_fill(&layout, &values, 2, "openat", &value));
	assert_true(value.has_words);
	assert_true(event_value_fill(&layout, &values, 3, "openat", &value));
	assert_false(value.has_words);
}

static void test_failed_address(void **state)
{
	begin();
	add("ret", PROBE_SHOW_ERRNO, PROBE_NUMBER, -12ull);
	add("ret", PROBE_SHOW_ERRNO, PROBE_NUMBER, 0x7f0000000000);
	check(0, "mmap", EVENT_VALUE_SIGNED, "-1 ENOMEM (Cannot allocate memory)");
	check(1, "mmap", EVENT_VALUE_SIGNED, "0x7f0000000000");
}

static void test_unreadable(void **state)
{
	begin();
	add("size", PROBE_SHOW_UNSIGNED, PROBE_NUMBER, 0);
	add_text("path", PROBE_SHOW_TEXT, "x", 1);
	values.unreadable = 3;
	values.value[1] = 0x7f00;
	check(0, NULL, EVENT_VALUE_UNREADABLE, "<unreadable>");
	check(1, NULL, EVENT_VALUE_UNREADABLE, "<unreadable 0x7f00>");
}

static void test_cut(void **state)
{
	begin();
	add_text("path", PROBE_SHOW_TEXT, "abc", 3);
	add_text("other", PROBE_SHOW_TEXT, "def", 3);
	values.cut = 1 << 1;
	check(0, NULL, EVENT_VALUE_TEXT, "\"abc\"");
	check(1, NULL, EVENT_VALUE_TEXT, "\"def\"...");
}

static void test_outside(void **state)
{
	begin();
	add("path", PROBE_SHOW_TEXT, PROBE_TEXT, 4ull << 32 | 1);
	add("far", PROBE_SHOW_BYTES, PROBE_BYTES, 1ull << 32 | UINT32_MAX);
	memcpy(values.text, "abcd", 4);
	values.text_bytes = 4;
	check(0, NULL, EVENT_VALUE_UNREADABLE, "<unreadable>");
	check(1, NULL, EVENT_VALUE_UNREADABLE, "<unreadable>");
}

static void test_hidden(void **state)
{
	struct event_value value;

	begin();
	add("for the filter", PROBE_SHOW_SIGNED, PROBE_NUMBER, 1);
	layout.site.values[0].flags = PROBE_FETCH_HIDDEN;
	assert_false(event_value_fill(&layout, &values, 0, NULL, &value));
}

static void test_forms(void **state)
{
	begin();
	add("ok", PROBE_SHOW_BOOL, PROBE_NUMBER, 1);
	add_text("data", PROBE_SHOW_BYTES, "\0\1", 2);
	add_text("source", PROBE_SHOW_ADDRESS, "\x0a\0\0\1", 4);
	add("state", PROBE_SHOW_TCP_STATE, PROBE_NUMBER, 10);
	/* A number where a text was to be, as of a pointer that was not followed. */
	add("name", PROBE_SHOW_TEXT, PROBE_NUMBER, 5);
	check(0, NULL, EVENT_VALUE_BOOL, "true");
	check(1, NULL, EVENT_VALUE_BYTES, "\"\\x00\\x01\"");
	check(2, NULL, EVENT_VALUE_ADDRESS, "10.0.0.1");
	check(3, NULL, EVENT_VALUE_UNSIGNED, "LISTEN");
	check(4, NULL, EVENT_VALUE_UNSIGNED, "5");
}

/* How many arguments of openat(…, @flags, mode) remain. */
static size_t used(uint64_t flags, bool readable)
{
	struct event_value list[2];

	begin();
	add("flags", PROBE_SHOW_SIGNED, PROBE_NUMBER, flags);
	add("mode", PROBE_SHOW_UNSIGNED, PROBE_NUMBER, 0600);
	values.unreadable = !readable;
	for (size_t i = 0; i < 2; i++)
		assert_true(event_value_fill(&layout, &values, i, "openat", &list[i]));
	return event_values_drop_unused(list, 2);
}

static void test_unused(void **state)
{
	assert_int_equal(used(O_RDONLY, true), 1);
	assert_int_equal(used(O_WRONLY | O_CREAT, true), 2);
	assert_int_equal(used(O_RDONLY, false), 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("arguments of a system call are shown as what they mean", test_call),
		UNIT_TEST("a call that returns addresses fails like any other",
			  test_failed_address),
		UNIT_TEST("what could not be read is never zero", test_unreadable),
		UNIT_TEST("a text that was cut says so", test_cut),
		UNIT_TEST("a text that lies outside of what was sent is not read", test_outside),
		UNIT_TEST("what only the filter wanted is not shown", test_hidden),
		UNIT_TEST("each kind has its form as data", test_forms),
		UNIT_TEST("arguments the call does not take are left out", test_unused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
