/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "formats/profile.h"
#include "tests/unit/fail_alloc.h"
#include "tests/unit/profile_fixture.h"

static const struct text_case {
	const char *name;
	const char *text, *kept;
} text_cases[] = {
	{ "plain text is kept", "main", "main" },
	{ "text without a pointer is empty", NULL, "" },
	{ "long text is kept", "std::vector<int>::push_back(int const&)",
	  "std::vector<int>::push_back(int const&)" },
	{ "characters of two, three and four bytes are kept", "\u00e9 \u20ac \U0001f525",
	  "\u00e9 \u20ac \U0001f525" },
	{ "a stray byte is replaced", "caf\xe9", "caf\uFFFD" },
	{ "a continuation byte alone is replaced", "\x80x", "\uFFFDx" },
	{ "a character cut off at the end is replaced", "abcdefgh\xe2\x82",
	  "abcdefgh\uFFFD\uFFFD" },
	{ "an overlong slash is replaced", "\xc0\xaf", "\uFFFD\uFFFD" },
	{ "an overlong three-byte form is replaced", "\xe0\x80\xaf", "\uFFFD\uFFFD\uFFFD" },
	{ "a surrogate is replaced", "\xed\xa0\x80", "\uFFFD\uFFFD\uFFFD" },
	{ "what is above U+10FFFF is replaced", "\xf4\x90\x80\x80", "\uFFFD\uFFFD\uFFFD\uFFFD" },
	{ "a valid character behind a stray byte is kept", "12345678\xff\u00e9",
	  "12345678\uFFFD\u00e9" },
};

static struct profile *finish(struct profile_builder *builder)
{
	struct profile *profile = NULL;

	assert_int_equal(profile_builder_finish(builder, &profile), 0);
	return profile;
}

static void text_row(void **state)
{
	const struct text_case *c = *state;
	_cleanup_(profile_builder_freep) struct profile_builder *builder = profile_builder_new();
	_cleanup_(profile_freep) struct profile *profile = NULL;
	profile_string text, again;

	assert_int_equal(profile_builder_string(builder, c->text, &text), 0);
	assert_int_equal(profile_builder_string(builder, c->kept, &again), 0);
	assert_int_equal(text, again);
	profile = finish(builder);
	assert_string_equal(profile->strings[text], c->kept);
}

static void test_empty(void **state)
{
	_cleanup_(profile_builder_freep) struct profile_builder *builder = profile_builder_new();
	_cleanup_(profile_freep) struct profile *profile = finish(builder);

	assert_int_equal(profile->string_count, 1);
	assert_string_equal(profile->strings[0], "");
	assert_int_equal(profile->sample_count, 0);
	assert_int_equal(profile->value_type_count, 0);
	assert_null(profile_free(NULL));
	assert_null(profile_builder_free(NULL));
}

static void test_sums(void **state)
{
	_cleanup_(profile_builder_freep) struct profile_builder *builder = fixture_builder();
	_cleanup_(profile_freep) struct profile *profile = NULL;

	assert_int_equal(fixture_add(builder, "sh", "main;leaf", 3), 0);
	assert_int_equal(fixture_add(builder, "sh", "main", 1), 0);
	assert_int_equal(fixture_add(builder, "sh", "main;leaf", 4), 0);
	assert_int_equal(fixture_add(builder, "ls", "main;leaf", 5), 0);
	assert_int_equal(fixture_add(builder, NULL, "main;leaf", 6), 0);
	profile = finish(builder);
	assert_int_equal(profile->sample_count, 4);
	assert_int_equal(profile->samples[0].values[0], 7);
	assert_int_equal(profile->samples[0].values[1], 70000000);
	assert_int_equal(profile->samples[1].values[0], 1);
	assert_int_equal(profile->samples[2].values[0], 5);
	assert_int_equal(profile->samples[3].values[0], 6);
	assert_int_equal(profile->location_count, 2);
	assert_int_equal(profile->function_count, 2);
	assert_int_equal(profile->mapping_count, 1);
	/* Leaf first, and one stack for all that have the same. */
	assert_string_equal(
		profile->strings
			[profile->functions[profile->locations[profile->samples[0].locations[0]]
						    .lines[0]
						    .function]
				 .name],
		"leaf");
	assert_ptr_equal(profile->samples[0].locations, profile->samples[2].locations);
	assert_ptr_equal(profile->samples[0].labels, profile->samples[1].labels);
}

static void test_saturates(void **state)
{
	_cleanup_(profile_builder_freep) struct profile_builder *builder = fixture_builder();
	_cleanup_(profile_freep) struct profile *profile = NULL;
	const int64_t high[] = { INT64_MAX, INT64_MIN };
	const int64_t more[] = { 1, -1 };
	struct profile_sample sample = { .values = high };

	assert_int_equal(profile_builder_sample(builder, &sample), 0);
	sample.values = more;
	assert_int_equal(profile_builder_sample(builder, &sample), 0);
	profile = finish(builder);
	assert_int_equal(profile->sample_count, 1);
	assert_true(profile->samples[0].values[0] == INT64_MAX);
	assert_true(profile->samples[0].values[1] == INT64_MIN);
}

static void test_labels(void **state)
{
	_cleanup_(profile_builder_freep) struct profile_builder *builder = fixture_builder();
	_cleanup_(profile_freep) struct profile *profile = NULL;
	struct profile_label labels[] = {
		fixture_label_text(builder, "comm", "sh"),
		fixture_label_number(builder, "pid", 7, "pid"),
	};
	const struct profile_label *label;

	assert_int_equal(fixture_add_labels(builder, "main", 1, labels, 2), 0);
	labels[1].number = 8;
	assert_int_equal(fixture_add_labels(builder, "main", 1, labels, 2), 0);
	labels[1].unit = 0;
	assert_int_equal(fixture_add_labels(builder, "main", 1, labels, 2), 0);
	profile = finish(builder);
	assert_int_equal(profile->sample_count, 3);
	label = profile_find_label(&profile->samples[1], profile_find_string(profile, "pid"));
	assert_non_null(label);
	assert_int_equal(label->number, 8);
	assert_string_equal(profile->strings[label->unit], "pid");
	assert_int_equal(profile_find_string(profile, "cgroup"), PROFILE_NONE);
	assert_null(profile_find_label(&profile->samples[1], PROFILE_NONE));
}

static void test_kernel_mapping(void **state)
{
	_cleanup_(profile_builder_freep) struct profile_builder *builder = fixture_builder();
	_cleanup_(profile_freep) struct profile *profile = NULL;

	assert_int_equal(fixture_add(builder, "sh", "[incomplete:depth];main;vfs_read_[k]", 1), 0);
	profile = finish(builder);
	assert_int_equal(profile->location_count, 3);
	assert_int_equal(profile->locations[0].kind, FRAME_KIND_MARK);
	assert_int_equal(profile->locations[0].mapping, PROFILE_NONE);
	assert_int_equal(profile->locations[0].address, 0);
	assert_int_equal(profile->locations[2].kind, FRAME_KIND_KERNEL);
	assert_string_equal(profile->strings[profile->mappings[profile->locations[2].mapping].file],
			    "[kernel.kallsyms]");
}

static void test_flags(void **state)
{
	_cleanup_(profile_builder_freep) struct profile_builder *builder = fixture_builder();
	_cleanup_(profile_freep) struct profile *profile = NULL;
	struct profile_mapping bare = { .start = 0x1000 };
	struct profile_location nameless = { .address = 0x1234 };
	const struct profile_mapping *mapping;
	uint32_t location;

	assert_int_equal(fixture_add(builder, "sh", "main;add_[i];vfs_read_[k]", 1), 0);
	assert_int_equal(profile_builder_mapping(builder, &bare, &nameless.mapping), 0);
	assert_int_equal(profile_builder_location(builder, &nameless, &location), 0);
	profile = finish(builder);
	mapping = &profile->mappings[0];
	assert_true(mapping->has_functions && mapping->has_files && mapping->has_lines &&
		    mapping->has_inlines);
	mapping = &profile->mappings[1];
	assert_true(mapping->has_functions);
	assert_false(mapping->has_files || mapping->has_lines || mapping->has_inlines);
	mapping = &profile->mappings[2];
	assert_false(mapping->has_functions || mapping->has_files);
}

static void test_given_flags(void **state)
{
	_cleanup_(profile_builder_freep) struct profile_builder *builder = profile_builder_new();
	_cleanup_(profile_freep) struct profile *profile = NULL;
	struct profile_mapping mapping = { .has_functions = true };
	uint32_t first, second;

	assert_int_equal(profile_builder_mapping(builder, &mapping, &first), 0);
	mapping = (struct profile_mapping){ .has_inlines = true };
	assert_int_equal(profile_builder_mapping(builder, &mapping, &second), 0);
	assert_int_equal(first, second);
	profile = finish(builder);
	assert_true(profile->mappings[0].has_functions && profile->mappings[0].has_inlines);
}

static void test_facts(void **state)
{
	_cleanup_(profile_builder_freep) struct profile_builder *builder = fixture_builder();
	_cleanup_(profile_freep) struct profile *profile = NULL;
	struct profile_value_type type = { 0 };
	uint32_t index;

	assert_int_equal(profile_builder_string(builder, "cpu", &type.type), 0);
	assert_int_equal(profile_builder_string(builder, "nanoseconds", &type.unit), 0);
	type.source = type.type;
	assert_int_equal(profile_builder_value_type(builder, &type, &index), 0);
	assert_int_equal(index, 1);
	profile_builder_default(builder, index);
	assert_int_equal(profile_builder_comment(builder, "lost: 0"), 0);
	assert_int_equal(profile_builder_comment(builder, "lost: 0"), 0);
	profile = finish(builder);
	assert_int_equal(profile->value_type_count, 2);
	assert_int_equal(profile->default_value_type, 1);
	assert_int_equal(profile->comment_count, 2);
	assert_string_equal(profile->strings[profile->comments[1]], "lost: 0");
	assert_int_equal(profile->time_ns, 1700000000000000000);
	assert_int_equal(profile->duration_ns, 2000000000);
	assert_int_equal(profile->period, 10000000);
	assert_string_equal(profile->strings[profile->period_type.unit], "nanoseconds");
}

static void test_many(void **state)
{
	_cleanup_(profile_builder_freep) struct profile_builder *builder = fixture_builder();
	_cleanup_(profile_freep) struct profile *profile = NULL;
	char stack[64];
	int round, i;

	for (round = 0; round < 2; round++) {
		for (i = 0; i < 5000; i++) {
			snprintf(stack, sizeof(stack), "main;f%d;g%d", i / 10, i);
			assert_int_equal(fixture_add(builder, "sh", stack, i), 0);
		}
	}
	assert_true(profile_builder_bytes(builder) > 5000 * 32);
	assert_true(profile_builder_bytes(builder) < 5000 * 1000);
	profile = finish(builder);
	assert_int_equal(profile->sample_count, 5000);
	assert_int_equal(profile->location_count, 5501);
	for (i = 0; i < 5000; i++)
		assert_int_equal(profile->samples[i].values[0], 2 * i);
}

static int build(void *arg)
{
	_cleanup_(profile_builder_freep) struct profile_builder *builder = fixture_builder();
	_cleanup_(profile_freep) struct profile *profile = NULL;
	struct profile_label label;
	int r;

	if (!builder)
		return -ENOMEM;
	label = fixture_label_text(builder, "comm", "bad \xff bytes");
	if (label.key == PROFILE_NONE || label.text == PROFILE_NONE)
		return -ENOMEM;
	r = fixture_add_labels(builder, "main;add_[i];vfs_read_[k]", 1, &label, 1);
	if (r < 0)
		return r;
	r = profile_builder_comment(builder, "lost: 0");
	if (r < 0)
		return r;
	return profile_builder_finish(builder, &profile);
}

static void test_no_memory(void **state)
{
	assert_true(fail_alloc_each(build, NULL) > 20);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("a profile of nothing has the empty string", test_empty),
		UNIT_TEST("samples of one stack and equal labels are summed", test_sums),
		UNIT_TEST("sums stop at the limits", test_saturates),
		UNIT_TEST("labels that differ in any part keep samples apart", test_labels),
		UNIT_TEST("kernel code gets its mapping, a mark never has one",
			  test_kernel_mapping),
		UNIT_TEST("mappings say what their locations have", test_flags),
		UNIT_TEST("what was said of a mapping is kept", test_given_flags),
		UNIT_TEST("time, period, default and comments are kept", test_facts),
		UNIT_TEST("thousands of samples find their equals again", test_many),
		UNIT_TEST("each allocation may fail", test_no_memory),
	};

	return unit_run_rows("text", text_row, UNIT_ROWS(text_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
