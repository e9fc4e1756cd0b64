/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "formats/writer.h"
#include "tests/unit/profile_fixture.h"

static const struct suffix_case {
	const char *name;
	const char *path;
	const char *writer; /* NULL: none */
} suffix_cases[] = {
	{ "compressed pprof", "out.pb.gz", "pprof" },
	{ "flame graph", "out.svg", "svg" },
	{ "plain pprof", "out.pb", "pprof-raw" },
	{ "folded stacks", "/tmp/a.b/out.folded", "folded" },
	{ "the source is no part of the suffix", "out.cpu.folded", "folded" },
	{ "a path that is only a suffix", ".folded", "folded" },
	{ "an unknown suffix has no writer", "out.gz", NULL },
	{ "a suffix in the middle does not count", "out.folded.txt", NULL },
	{ "standard output has no suffix", "-", NULL },
	{ "an empty path has no suffix", "", NULL },
};

static void suffix_row(void **state)
{
	const struct suffix_case *c = *state;
	const struct writer *writer = writer_find_suffix(c->path);

	if (!c->writer) {
		assert_null(writer);
		return;
	}
	assert_non_null(writer);
	assert_string_equal(writer->name, c->writer);
}

static void test_rows(void **state)
{
	const struct writer *writer;

	for (writer = writer_table; writer->name; writer++) {
		assert_ptr_equal(writer_find_name(writer->name), writer);
		assert_ptr_equal(writer_find_suffix(writer->suffix), writer);
		assert_non_null(writer->write);
		assert_true(strlen(writer->help) > 0);
	}
	assert_null(writer_find_name("gif"));
}

static uint32_t add_type(struct profile_builder *builder, const char *type, const char *source,
			 bool is_main)
{
	struct profile_value_type value_type = { .is_main = is_main };
	uint32_t index;

	assert_int_equal(profile_builder_string(builder, type, &value_type.type), 0);
	assert_int_equal(profile_builder_string(builder, source, &value_type.source), 0);
	assert_int_equal(profile_builder_value_type(builder, &value_type, &index), 0);
	return index;
}

static void test_main_value(void **state)
{
	_cleanup_(profile_builder_freep) struct profile_builder *builder = profile_builder_new();
	_cleanup_(profile_freep) struct profile *profile = NULL;

	add_type(builder, "samples", "cpu", true);
	add_type(builder, "cpu", "cpu", false);
	add_type(builder, "waits", "offcpu", false);
	profile_builder_default(builder, add_type(builder, "off_cpu", "offcpu", false));
	assert_int_equal(profile_builder_finish(builder, &profile), 0);
	assert_int_equal(writer_main_value(profile, NULL), 3);
	assert_int_equal(writer_main_value(profile, "cpu"), 0);
	assert_int_equal(writer_main_value(profile, "offcpu"), 3);
	assert_int_equal(writer_main_value(profile, "lock"), -ENOENT);
}

static void test_no_value(void **state)
{
	_cleanup_(profile_builder_freep) struct profile_builder *builder = profile_builder_new();
	_cleanup_(profile_freep) struct profile *profile = NULL;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	_cleanup_(sink_abortp) struct sink *sink = NULL;

	assert_int_equal(profile_builder_finish(builder, &profile), 0);
	assert_int_equal(writer_main_value(profile, NULL), -ENOENT);
	assert_int_equal(sink_open_memory(&text, &sink), 0);
	assert_int_equal(writer_find_name("folded")->write(profile, NULL, sink), -ENOENT);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("each row is found by its name and suffix", test_rows),
		UNIT_TEST("a source's main value is the marked one, else its last",
			  test_main_value),
		UNIT_TEST("a profile without values has none to show", test_no_value),
	};

	return unit_run_rows("suffix", suffix_row, UNIT_ROWS(suffix_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
