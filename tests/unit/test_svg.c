/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "formats/writer.h"
#include "tests/unit/fail_alloc.h"
#include "tests/unit/profile_fixture.h"

static int draw(const struct profile *profile, struct strbuf *ret)
{
	_cleanup_(sink_abortp) struct sink *sink = NULL;
	int r;

	r = sink_open_memory(ret, &sink);
	if (r < 0)
		return r;
	r = writer_find_name("svg")->write(profile, NULL, sink);
	if (r < 0)
		return r;
	return sink_close(take_ptr(sink));
}

static struct profile *build(const char *comm, const char *stack)
{
	_cleanup_(profile_builder_freep) struct profile_builder *builder = fixture_builder();
	struct profile *profile = NULL;

	assert_int_equal(fixture_add(builder, comm, stack, 1), 0);
	assert_int_equal(profile_builder_finish(builder, &profile), 0);
	return profile;
}

/* Takes out what is between @from and @to: style and script have their own life. */
static void cut(struct strbuf *text, const char *from, const char *to)
{
	char *start = strstr(text->data, from), *end;

	assert_non_null(start);
	start += strlen(from);
	end = strstr(start, to);
	assert_non_null(end);
	text->size -= (size_t)(end - start);
	memmove(start, end, strlen(end) + 1);
}

static size_t count(const char *text, const char *part)
{
	size_t found = 0;

	for (text = strstr(text, part); text; text = strstr(text + 1, part))
		found++;
	return found;
}

static void test_golden(void **state)
{
	_cleanup_(profile_freep) struct profile *profile = fixture_profile();
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	assert_int_equal(draw(profile, &text), 0);
	cut(&text, "<style>", "</style>");
	cut(&text, "<script>", "</script>");
	fixture_assert_golden("tests/golden/demo.svg", &text);
}

static const struct escape_case {
	const char *name;
	const char *function;
	const char *title;
} escape_cases[] = {
	{ "templates are escaped", "f<int>(a&&)", "<title>f&lt;int&gt;(a&amp;&amp;)\n" },
	{ "quotes are escaped", "operator\"\"s", "<title>operator&quot;&quot;s\n" },
	{ "control characters are replaced", "a\x01z", "<title>a\uFFFDz\n" },
	{ "what is no XML character is replaced", "a\uFFFFz\uFFFE", "<title>a\uFFFDz\uFFFD\n" },
	{ "other characters beside it stay", "\uFFFC\uFFFD", "<title>\uFFFC\uFFFD\n" },
	{ "the end of a CDATA section is harmless", "]]></script>",
	  "<title>]]&gt;&lt;/script&gt;\n" },
};

static void escape_row(void **state)
{
	const struct escape_case *c = *state;
	_cleanup_(profile_freep) struct profile *profile = build("sh", c->function);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	assert_int_equal(draw(profile, &text), 0);
	assert_non_null(strstr(text.data, c->title));
}

static void test_long_name(void **state)
{
	char name[400];
	_cleanup_(profile_freep) struct profile *profile = NULL;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	size_t i;

	for (i = 0; i + 2 < sizeof(name); i += 2)
		memcpy(name + i, "\u00e9", 2);
	name[i] = '\0';
	profile = build("sh", name);
	assert_int_equal(draw(profile, &text), 0);
	/* (1180 - 6) / 7.26 characters, of which the last is the sign that there are more. */
	memcpy(name + 2 * 160, "\u2026</text>", sizeof("\u2026</text>"));
	assert_non_null(strstr(text.data, name));
}

static void test_empty(void **state)
{
	_cleanup_(profile_builder_freep) struct profile_builder *builder = fixture_builder();
	_cleanup_(profile_freep) struct profile *profile = NULL;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	assert_int_equal(profile_builder_finish(builder, &profile), 0);
	assert_int_equal(draw(profile, &text), 0);
	assert_non_null(strstr(text.data, ">0 samples in 2.00 s"));
	assert_null(strstr(text.data, "nan"));
	assert_int_equal(count(text.data, "data-s="), 1);
}

/* 40,000 frames of equal width: too narrow to see, and too many for a browser. */
static void test_huge(void **state)
{
	_cleanup_(profile_builder_freep) struct profile_builder *builder = fixture_builder();
	_cleanup_(profile_freep) struct profile *profile = NULL;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	char stack[64];
	int i;

	for (i = 0; i < 10000; i++) {
		snprintf(stack, sizeof(stack), "a%d;b;c;d", i);
		assert_int_equal(fixture_add(builder, "sh", stack, 1), 0);
	}
	assert_int_equal(profile_builder_finish(builder, &profile), 0);
	assert_int_equal(draw(profile, &text), 0);
	assert_int_equal(count(text.data, "data-s="), 2);
	assert_non_null(strstr(text.data, "40,000 narrow frames left out"));
}

static void test_full(void **state)
{
	_cleanup_(profile_freep) struct profile *profile = fixture_profile();
	struct sink *sink = NULL;

	assert_int_equal(sink_open_file("/dev/full", &sink), 0);
	writer_find_name("svg")->write(profile, NULL, sink);
	assert_int_equal(sink_close(sink), -ENOSPC);
}

static int draw_demo(void *arg)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	return draw(arg, &text);
}

static void test_no_memory(void **state)
{
	_cleanup_(profile_freep) struct profile *profile = fixture_profile();

	assert_true(fail_alloc_each(draw_demo, profile) > 8);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("every kind of frame is drawn", test_golden),
		UNIT_TEST("a long name is cut between characters", test_long_name),
		UNIT_TEST("a profile without samples is drawn", test_empty),
		UNIT_TEST("frames nobody could see are left out, and it says so", test_huge),
		UNIT_TEST("a full disk is an error", test_full),
		UNIT_TEST("each allocation may fail", test_no_memory),
	};

	return unit_run_rows("escape", escape_row, UNIT_ROWS(escape_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
