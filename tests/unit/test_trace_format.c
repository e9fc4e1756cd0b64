/* SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "formats/profile.h"
#include "profiler/expressions/probe_expression.h"
#include "tests/unit/unit.h"
#include "tools/trace/trace_format.h"

/* 1970-01-01 01:01:01 in UTC, had the machine been started when the epoch began. */
#define TIME_NS (3661ull * 1000000000 + 42)

static const struct event_label labels[] = {
	{ .key = "kind", .text = "futex", .unit = "" },
	{ .key = "file", .text = "/a b\n", .unit = "" },
	{ .key = "bytes", .number = -3, .unit = "B" },
};

static const struct traced_event lock = {
	.time_ns = TIME_NS, .cpu = 1, .pid = 10, .tid = 11, .comm = "thread\033",
	.process_comm = "process", .source = "lock", .name = "lock", .count = 1,
	.sum_name = "lock_wait", .sum_unit = "nanoseconds", .sum = 1500042000, .took_time = true,
	.labels = labels, .label_count = 3,
};

static const struct traced_event call = {
	.time_ns = TIME_NS, .cpu = 1, .pid = 10, .tid = 10, .comm = "cat", .process_comm = "cat",
	.source = "syscall", .name = "openat", .is_call = true, .count = 1,
	.sum_name = "syscall", .sum_unit = "nanoseconds", .sum = 12000, .took_time = true,
	.error = 2, .error_name = "ENOENT",
};

static const struct traced_event open_call = {
	.time_ns = TIME_NS, .cpu = EVENT_CPU_UNKNOWN, .pid = 10, .tid = 10, .comm = "cat",
	.process_comm = "cat", .source = "syscall", .name = "read", .is_call = true,
	.is_open = true, .count = 1,
	.sum_name = "syscall", .sum_unit = "nanoseconds", .sum = 999, .took_time = true,
};

static const struct traced_event sample = {
	.time_ns = TIME_NS, .cpu = 0, .pid = 10, .tid = 10, .comm = "cat", .process_comm = "cat",
	.source = "cpu", .name = "cpu", .count = 2,
	.sum_name = "cpu", .sum_unit = "nanoseconds", .sum = 10,
};

struct format_case {
	const char *name;
	const struct trace_format *format;
	const struct traced_event *event;
	struct trace_view view;
	const char *expected;
};

static const struct format_case cases[] = {
	{ "a wait with its labels", &trace_text, &lock, { .clock = TRACE_MONOTONIC },
	  "    3661.000000042   1 thread?         10/11         lock kind=futex file=\"/a b\\n\" "
	  "bytes=-3 B <1.500042>\n" },
	{ "a call that failed", &trace_text, &call, { .clock = TRACE_MONOTONIC },
	  "    3661.000000042   1 cat             10            openat() = -1 ENOENT (No such file "
	  "or directory) <0.000012>\n" },
	{ "a call that had not ended", &trace_text, &open_call, { .clock = TRACE_MONOTONIC },
	  "    3661.000000042   - cat             10            read() <unfinished ...> "
	  "<0.000000>\n" },
	{ "what counts more than once, and took no time", &trace_text, &sample,
	  { .clock = TRACE_MONOTONIC },
	  "    3661.000000042   0 cat             10            cpu count=2 cpu=10ns\n" },
	{ "the time of day",
	  &trace_text,
	  &sample,
	  { .clock = TRACE_WALL, .offset_ns = -1000000042 },
	  "01:01:00.000000000   0 cat             10            cpu count=2 cpu=10ns\n" },
	{ "the time since it began", &trace_text, &sample,
	  { .clock = TRACE_RELATIVE, .begin_ns = TIME_NS - 1500000000 },
	  "       1.500000000   0 cat             10            cpu count=2 cpu=10ns\n" },
	{ "nothing is before that", &trace_text, &sample,
	  { .clock = TRACE_RELATIVE, .begin_ns = TIME_NS + 1 },
	  "       0.000000000   0 cat             10            cpu count=2 cpu=10ns\n" },
	{ "colors", &trace_text, &sample, { .clock = TRACE_MONOTONIC, .has_colors = true },
	  "\033[2m    3661.000000042\033[0m   0 cat             10            \033[36mcpu\033[0m "
	  "count=2 cpu=10ns\n" },
	{ "JSON of a wait", &trace_json, &lock, { .clock = TRACE_MONOTONIC },
	  "{\"time_ns\":3661000000042,\"cpu\":1,\"pid\":10,\"tid\":11,\"comm\":\"process\","
	  "\"thread\":\"thread\\u001b\",\"source\":\"lock\",\"event\":\"lock\",\"args\":{"
	  "\"kind\":\"futex\",\"file\":\"/a b\\n\",\"bytes\":-3},\"latency_ns\":1500042000}\n" },
	{ "JSON of a call", &trace_json, &call, { .clock = TRACE_MONOTONIC },
	  "{\"time_ns\":3661000000042,\"cpu\":1,\"pid\":10,\"tid\":10,\"comm\":\"cat\","
	  "\"thread\":\"cat\",\"source\":\"syscall\",\"event\":\"openat\",\"args\":{"
	  "\"errno\":2,\"error\":\"ENOENT\"},\"latency_ns\":12000}\n" },
	{ "JSON of a sample", &trace_json, &sample, { .clock = TRACE_MONOTONIC },
	  "{\"time_ns\":3661000000042,\"cpu\":0,\"pid\":10,\"tid\":10,\"comm\":\"cat\","
	  "\"thread\":\"cat\",\"source\":\"cpu\",\"event\":\"cpu\",\"args\":{},\"count\":2,"
	  "\"value\":10,\"value_name\":\"cpu\",\"unit\":\"nanoseconds\"}\n" },
	{ "a complete event of Chrome begins before it ends", &trace_chrome, &call,
	  { .clock = TRACE_MONOTONIC, .has_elements = true },
	  ",\n{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":10,\"tid\":10,\"ts\":0,\"args\":{"
	  "\"name\":\"cat\"}},\n{\"ph\":\"M\",\"name\":\"thread_name\",\"pid\":10,\"tid\":10,"
	  "\"ts\":0,\"args\":{\"name\":\"cat\"}},\n{\"ph\":\"X\",\"name\":\"openat\",\"cat\":"
	  "\"syscall\",\"pid\":10,\"tid\":10,\"ts\":3660999988.042,\"dur\":12.000,\"args\":{"
	  "\"errno\":2,\"error\":\"ENOENT\"}}" },
};

static void test_format(void **state)
{
	const struct format_case *c = *state;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct trace_view view = c->view;

	c->format->add(&view, c->event, &text);
	assert_string_equal(text.data, c->expected);
}

static size_t count_of(const char *text, const char *part)
{
	size_t count = 0;

	for (; (text = strstr(text, part)); text++)
		count++;
	return count;
}

static void test_chrome(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct trace_view view = { .clock = TRACE_MONOTONIC };
	struct traced_event renamed = call;

	strcpy(renamed.comm, "dog");
	trace_chrome.begin(&view, &text);
	trace_chrome.add(&view, &sample, &text);
	trace_chrome.add(&view, &sample, &text);
	trace_chrome.add(&view, &renamed, &text);
	trace_chrome.end(&view, &text);
	assert_true(text.data[0] == '[');
	assert_string_equal(text.data + text.size - 3, "\n]\n");
	assert_int_equal(count_of(text.data, "\"ph\":\"i\""), 2);
	assert_int_equal(count_of(text.data, "thread_name"), 2);
	assert_int_equal(count_of(text.data, "}},\n{"), 6);
	hashmap_free(view.threads);
}

static void test_empty(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct trace_view view = { .clock = TRACE_MONOTONIC };

	trace_chrome.begin(&view, &text);
	trace_chrome.end(&view, &text);
	assert_string_equal(text.data, "[\n]\n");
	hashmap_free(view.threads);
}

/* main() with inlined() in it, of a file; and the kernel. */
static struct profile *make_names(uint32_t locations[2])
{
	_cleanup_(profile_builder_freep) struct profile_builder *b = profile_builder_new();
	struct profile_mapping mapping = { .has_functions = true };
	struct profile_function function = { 0 };
	struct profile_line lines[2] = { { .line = 3 }, { .line = 30 } };
	struct profile_location location = { .address = 1, .lines = lines, .line_count = 2 };
	struct profile *names;

	profile_builder_string(b, "/bin/x", &mapping.file);
	profile_builder_mapping(b, &mapping, &location.mapping);
	profile_builder_string(b, "x.c", &function.file);
	profile_builder_string(b, "inlined", &function.name);
	profile_builder_function(b, &function, &lines[0].function);
	profile_builder_string(b, "main", &function.name);
	profile_builder_function(b, &function, &lines[1].function);
	profile_builder_location(b, &location, &locations[1]);
	function.file = 0;
	profile_builder_string(b, "schedule", &function.name);
	profile_builder_function(b, &function, &lines[0].function);
	lines[0].line = 0;
	location = (struct profile_location){ .address = 2, .lines = lines, .line_count = 1,
					      .kind = FRAME_KIND_KERNEL, .mapping = PROFILE_NONE };
	profile_builder_location(b, &location, &locations[0]);
	assert_int_equal(profile_builder_finish(b, &names), 0);
	return names;
}

static void test_stack(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, json = STRBUF_INIT;
	struct trace_view view = { .clock = TRACE_MONOTONIC, .stack = true };
	struct traced_event event = sample;
	uint32_t locations[2];
	struct profile *names = make_names(locations);

	event.names = names;
	event.locations = locations;
	event.location_count = 2;
	trace_text.add(&view, &event, &text);
	assert_string_equal(strchr(text.data, '\n') + 1,
			    "        schedule [kernel.kallsyms]\n"
			    "        inlined x.c:3 (/bin/x) [inlined]\n"
			    "        main x.c:30 (/bin/x)\n");
	trace_json.add(&view, &event, &json);
	assert_string_equal(
		strstr(json.data, ",\"stack\""),
		",\"stack\":[{\"function\":\"schedule\",\"module\":\"[kernel.kallsyms]\"},"
		"{\"function\":\"inlined\",\"file\":\"x.c\",\"line\":3,\"module\":\"/bin/x\","
		"\"inlined\":true},{\"function\":\"main\",\"file\":\"x.c\",\"line\":30,"
		"\"module\":\"/bin/x\"}]}\n");
	profile_free(names);
}

static void test_values(void **state)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, json = STRBUF_INIT;
	struct trace_view view = { .clock = TRACE_MONOTONIC };
	struct event_value values[] = {
		{ .name = "fd", .kind = EVENT_VALUE_UNREADABLE },
		{ .name = "ret", .kind = EVENT_VALUE_UNREADABLE },
	};
	struct traced_event event = call;

	event.error = 0;
	event.values = values;
	event.value_count = 2;
	trace_text.add(&view, &event, &text);
	assert_non_null(strstr(text.data, " openat(<unreadable>) = <unreadable> <0.000012>\n"));
	trace_json.add(&view, &event, &json);
	assert_non_null(strstr(json.data, "\"args\":{\"fd\":null,\"ret\":null}"));
	event.is_call = false;
	strbuf_reset(&text);
	trace_text.add(&view, &event, &text);
	assert_non_null(strstr(text.data, " openat fd=<unreadable> = <unreadable> <0.000012>\n"));
}

static void test_words(void **state)
{
	static const char line[] = "cat\0a \"b\"\0\0x";
	static const struct probe_value meaning = { .name = "cmdline", .show = PROBE_SHOW_WORDS };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT, json = STRBUF_INIT;
	struct trace_view view = { .clock = TRACE_MONOTONIC };
	struct event_value value = { .name = "cmdline", .kind = EVENT_VALUE_WORDS, .bytes = line,
				     .size = sizeof(line) - 1, .meaning = &meaning };
	struct traced_event event = call;

	event.is_call = false;
	event.error = 0;
	event.values = &value;
	event.value_count = 1;
	trace_text.add(&view, &event, &text);
	assert_non_null(strstr(text.data, " cmdline=\"cat a \\\"b\\\"  x\""));
	trace_json.add(&view, &event, &json);
	assert_non_null(
		strstr(json.data, "\"args\":{\"cmdline\":[\"cat\",\"a \\\"b\\\"\",\"\",\"x\"]}"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("a trace of Chrome is an array, with names when they change",
			  test_chrome),
		UNIT_TEST("also without events", test_empty),
		UNIT_TEST("stacks are below their event, with inlined calls", test_stack),
		UNIT_TEST("values are arguments, and ret is the result", test_values),
		UNIT_TEST("a command's words are a list in JSON, a line in text", test_words),
	};

	setenv("TZ", "UTC", 1);
	return unit_run_rows("formats", test_format, UNIT_ROWS(cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
