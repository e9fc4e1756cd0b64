/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>

#include "formats/writer.h"
#include "tests/unit/fail_alloc.h"
#include "tests/unit/profile_fixture.h"

#define SAMPLES_MAX 4

static const struct folded_case {
	const char *name;
	struct folded_sample {
		const char *comm, *stack;
		int64_t count;
	} samples[SAMPLES_MAX];
	const char *lines;
} folded_cases[] = {
	{ "no samples are no lines", { { 0 } }, "" },
	{ "root comes first", { { "sh", "main;leaf", 3 } }, "sh;main;leaf 3\n" },
	{ "a separator inside a name becomes a colon",
	  { { "sh", "main", 1 }, { "a;b", "x", 1 } },
	  "a:b;x 1\nsh;main 1\n" },
	{ "newlines inside a name become colons", { { "a\nb\rc", "x", 1 } }, "a:b:c;x 1\n" },
	{ "without comm the process is the program, the first mapping",
	  { { NULL, "main", 1 } },
	  "demo;main 1\n" },
	{ "an empty comm is unknown", { { "", "main", 1 } }, "[unknown];main 1\n" },
	{ "a sample without a stack has its comm", { { "sh", "", 2 } }, "sh 2\n" },
	{ "kernel frames follow user frames",
	  { { "sh", "main;read;vfs_read_[k]", 1 } },
	  "sh;main;read;vfs_read 1\n" },
	{ "the mark of an incomplete stack is right after comm",
	  { { "sh", "[incomplete:depth];f;g", 1 } },
	  "sh;[incomplete:depth];f;g 1\n" },
	{ "inlined calls are frames of their own",
	  { { "sh", "main;a;b_[i];c_[i];d", 1 } },
	  "sh;main;a;b;c;d 1\n" },
	{ "code without a name shows file and address",
	  { { "sh", "main;beef_[?]", 1 } },
	  "sh;main;demo+0xbeef 1\n" },
	{ "stacks of the same names are one line",
	  { { "sh", "main;a", 1 }, { "sh", "main;b", 1 }, { "sh", "main;a_[j]", 1 } },
	  "sh;main;a 2\nsh;main;b 1\n" },
	{ "stacks are the same however inlined",
	  { { "sh", "m;a;b_[i]", 1 }, { "sh", "m;a;b", 1 } },
	  "sh;m;a;b 2\n" },
	{ "lines are sorted",
	  { { "sh", "z", 1 }, { "sh", "a;b", 1 }, { "sh", "a", 1 }, { "ls", "z", 1 } },
	  "ls;z 1\nsh;a 1\nsh;a;b 1\nsh;z 1\n" },
	{ "lines are sorted by bytes, not by frames",
	  { { "sh", "f;x", 1 }, { "sh", "f(int);x", 1 }, { "sh", "f<int>;x", 1 }, { "sh", "f", 1 } },
	  "sh;f 1\nsh;f(int);x 1\nsh;f;x 1\nsh;f<int>;x 1\n" },
	{ "a space in a name sorts as in a line",
	  { { "sh", "f", 1 }, { "sh", "f (x)", 1 }, { "sh", "f new;y", 1 }, { "sh", "f;y", 1 } },
	  "sh;f (x) 1\nsh;f 1\nsh;f new;y 1\nsh;f;y 1\n" },
	{ "values that are not positive are left out",
	  { { "sh", "a", 0 }, { "sh", "b", -4 }, { "sh", "c", 1 } },
	  "sh;c 1\n" },
};

static struct profile *build(const struct folded_sample *samples)
{
	_cleanup_(profile_builder_freep) struct profile_builder *builder = fixture_builder();
	struct profile *profile = NULL;
	int i;

	assert_non_null(builder);
	for (i = 0; i < SAMPLES_MAX && samples[i].stack; i++)
		assert_int_equal(fixture_add(builder, samples[i].comm, samples[i].stack,
					     samples[i].count),
				 0);
	assert_int_equal(profile_builder_finish(builder, &profile), 0);
	return profile;
}

static int fold(const struct profile *profile, const struct writer_options *options,
		struct strbuf *ret)
{
	_cleanup_(sink_abortp) struct sink *sink = NULL;
	int r;

	r = sink_open_memory(ret, &sink);
	if (r < 0)
		return r;
	r = writer_find_name("folded")->write(profile, options, sink);
	if (r < 0)
		return r;
	return sink_close(take_ptr(sink));
}

static void folded_row(void **state)
{
	const struct folded_case *c = *state;
	_cleanup_(profile_freep) struct profile *profile = build(c->samples);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	assert_int_equal(fold(profile, NULL, &text), 0);
	assert_string_equal(text.data, c->lines);
}

static const struct by_case {
	const char *name;
	const char *by[4];
	const char *golden;
} by_cases[] = {
	{ "every kind of frame is written", { NULL }, "tests/golden/demo.folded" },
	{ "labels asked for follow comm",
	  { "thread", "pid", NULL },
	  "tests/golden/demo.by-thread-pid.folded" },
	{ "a label that no sample has is unknown",
	  { "cgroup", NULL },
	  "tests/golden/demo.by-cgroup.folded" },
};

static void by_row(void **state)
{
	const struct by_case *c = *state;
	_cleanup_(profile_freep) struct profile *profile = fixture_profile();
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct writer_options options = { .by = c->by };

	assert_non_null(profile);
	assert_int_equal(fold(profile, &options, &text), 0);
	fixture_assert_golden(c->golden, &text);
}

static void test_value(void **state)
{
	static const struct folded_sample samples[SAMPLES_MAX] = { { "sh", "main", 3 } };
	_cleanup_(profile_freep) struct profile *profile = build(samples);
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct writer_options options = { .value_type = 1 };

	assert_int_equal(fold(profile, &options, &text), 0);
	assert_string_equal(text.data, "sh;main 30000000\n");
	options.value_type = 2;
	assert_int_equal(fold(profile, &options, &text), -ENOENT);
}

static void test_negative(void **state)
{
	static const struct folded_sample samples[SAMPLES_MAX] = {
		{ "sh", "a", -1 },
		{ "sh", "b", 0 },
		{ "sh", "c", -7 },
		{ "sh", "d", 1 },
	};
	_cleanup_(profile_freep) struct profile *profile = build(samples);

	assert_int_equal(writer_negative_count(profile, 0), 2);
}

static void test_full(void **state)
{
	_cleanup_(profile_freep) struct profile *profile = fixture_profile();
	struct sink *sink = NULL;

	assert_int_equal(sink_open_file("/dev/full", &sink), 0);
	assert_int_equal(writer_find_name("folded")->write(profile, NULL, sink), 0);
	assert_int_equal(sink_close(sink), -ENOSPC);
}

static int fold_demo(void *arg)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	return fold(arg, NULL, &text);
}

static void test_no_memory(void **state)
{
	_cleanup_(profile_freep) struct profile *profile = fixture_profile();

	assert_true(fail_alloc_each(fold_demo, profile) > 8);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("the value is the one asked for", test_value),
		UNIT_TEST("negative samples can be counted", test_negative),
		UNIT_TEST("a full disk is an error", test_full),
		UNIT_TEST("each allocation may fail", test_no_memory),
	};

	return unit_run_rows("folded", folded_row, UNIT_ROWS(folded_cases)) +
	       unit_run_rows("by", by_row, UNIT_ROWS(by_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
