/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/record/histogram.h"

#include <string.h>

#include "tests/unit/fail_alloc.h"
#include "tests/unit/unit.h"

#define LABELS_MAX 4

/* A sample of the profile below. */
struct sample_row {
	const char *comm;	/* NULL: it has no such label */
	int64_t cpu, bucket;	/* -1: no such label */
	int64_t waits, off_cpu_ns, faults;
};

static const struct sample_row sample_rows[] = {
	{ "a", 0, 10, 3, 3 * 1100, 0 },
	{ "a", 1, 10, 1, 2000, 0 },
	{ "a", 0, 12, 2, 10000, 0 },
	{ "b", 0, 20, 4, 4 * 1100000, 0 },
	{ "b", 0, -1, 1, 7, 0 },
	{ NULL, 0, 0, 1, 0, 0 },
	{ "a", 0, -1, 0, 0, 5 },
	{ "b", 0, -1, 0, 0, 50 },
};

static profile_string text_of(struct profile_builder *builder, const char *text)
{
	profile_string number;

	assert_int_equal(profile_builder_string(builder, text, &number), 0);
	return number;
}

static void add_type(struct profile_builder *builder, const char *source, const char *name,
		     const char *unit)
{
	struct profile_value_type type = { .type = text_of(builder, name),
					   .unit = text_of(builder, unit),
					   .source = text_of(builder, source),
					   .is_main = strcmp(name, "waits") != 0 };
	uint32_t index;

	assert_int_equal(profile_builder_value_type(builder, &type, &index), 0);
}

static void add_sample(struct profile_builder *builder, const struct sample_row *row)
{
	struct profile_label labels[LABELS_MAX];
	const int64_t values[] = { row->waits, row->off_cpu_ns, row->faults };
	struct profile_sample sample = { .labels = labels, .values = values };

	if (row->comm)
		labels[sample.label_count++] =
			(struct profile_label){ .key = text_of(builder, "comm"),
						.text = text_of(builder, row->comm) };
	labels[sample.label_count++] =
		(struct profile_label){ .key = text_of(builder, "cpu"), .number = row->cpu };
	if (row->bucket >= 0)
		labels[sample.label_count++] =
			(struct profile_label){ .key = text_of(builder, "bucket"),
						.number = row->bucket };
	assert_int_equal(profile_builder_sample(builder, &sample), 0);
}

static struct profile *make_profile(size_t sample_count)
{
	struct profile_builder *builder = profile_builder_new();
	struct profile *profile;

	add_type(builder, "offcpu", "waits", "count");
	add_type(builder, "offcpu", "off_cpu", "nanoseconds");
	add_type(builder, "fault", "faults", "count");
	for (size_t i = 0; i < sample_count; i++)
		add_sample(builder, &sample_rows[i]);
	assert_int_equal(profile_builder_finish(builder, &profile), 0);
	profile_builder_free(builder);
	return profile;
}

static const struct text_case {
	const char *name;
	const char *by[3];
	struct histogram_view view;
	const char *expected;
} text_cases[] = {
	{ "a table has a row for each value, the largest first", { "comm" }, { .columns = 80 },
	  "offcpu\n"
	  "       waits     off_cpu  comm\n"
	  "           5     4.40 ms  b\n"
	  "           6     15.3 µs  a\n"
	  "           1        0 ns  -\n"
	  "\n"
	  "fault\n"
	  "      faults  comm\n"
	  "          50  b\n"
	  "           5  a\n" },
	{ "of several keys each combination has a row", { "cpu", "comm" }, { .columns = 80 },
	  "offcpu\n"
	  "       waits     off_cpu  cpu  comm\n"
	  "           5     4.40 ms  0    b\n"
	  "           5     13.3 µs  0    a\n"
	  "           1     2.00 µs  1    a\n"
	  "           1        0 ns  0    -\n"
	  "\n"
	  "fault\n"
	  "      faults  cpu  comm\n"
	  "          50  0    b\n"
	  "           5  0    a\n" },
	{ "what is not shown is said", { "comm" }, { .columns = 80, .top = 1 },
	  "offcpu\n"
	  "       waits     off_cpu  comm\n"
	  "           5     4.40 ms  b\n"
	  "(1 of 3; --top 0 shows all)\n"
	  "\n"
	  "fault\n"
	  "      faults  comm\n"
	  "          50  b\n"
	  "(1 of 2; --top 0 shows all)\n" },
	{ "a key that no sample has is there", { "unit" }, { .columns = 80 },
	  "offcpu\n"
	  "       waits     off_cpu  unit\n"
	  "          12     4.42 ms  -\n"
	  "\n"
	  "fault\n"
	  "      faults  unit\n"
	  "          55  -\n" },
	{ "a histogram without keys is of all, and counts make a table", { NULL },
	  { .columns = 0, .buckets = true },
	  "offcpu: 12 waits, 4.42 ms\n"
	  "              off_cpu       waits\n"
	  "     0 ns ..     2 ns           1 |***       |\n"
	  "     2 ns ..     4 ns           0 |          |\n"
	  "     4 ns ..     8 ns           0 |          |\n"
	  "     8 ns ..    16 ns           0 |          |\n"
	  "    16 ns ..    32 ns           0 |          |\n"
	  "    32 ns ..    64 ns           0 |          |\n"
	  "    64 ns ..   128 ns           0 |          |\n"
	  "   128 ns ..   256 ns           0 |          |\n"
	  "   256 ns ..   512 ns           0 |          |\n"
	  "   512 ns ..  1.02 µs           0 |          |\n"
	  "  1.02 µs ..  2.05 µs           4 |**********|\n"
	  "  2.05 µs ..  4.10 µs           0 |          |\n"
	  "  4.10 µs ..  8.19 µs           2 |*****     |\n"
	  "  8.19 µs ..  16.4 µs           0 |          |\n"
	  "  16.4 µs ..  32.8 µs           0 |          |\n"
	  "  32.8 µs ..  65.5 µs           0 |          |\n"
	  "  65.5 µs ..   131 µs           0 |          |\n"
	  "   131 µs ..   262 µs           0 |          |\n"
	  "   262 µs ..   524 µs           0 |          |\n"
	  "   524 µs ..  1.05 ms           0 |          |\n"
	  "  1.05 ms ..  2.10 ms           4 |**********|\n"
	  "              unknown           1 |***       |\n"
	  "\n"
	  "fault\n"
	  "      faults\n"
	  "          55\n" },
	{ "a histogram for each value, as wide as the terminal", { "comm" },
	  { .columns = 60, .buckets = true, .top = 1 },
	  "offcpu, comm b: 5 waits, 4.40 ms\n"
	  "              off_cpu       waits\n"
	  "  1.05 ms ..  2.10 ms           4 |***********************|\n"
	  "              unknown           1 |******                 |\n"
	  "(1 of 3; --top 0 shows all)\n"
	  "\n"
	  "fault\n"
	  "      faults  comm\n"
	  "          50  b\n"
	  "(1 of 2; --top 0 shows all)\n" },
};

static void text_row(void **state)
{
	const struct text_case *c = *state;
	struct profile *profile = make_profile(ARRAY_SIZE(sample_rows));
	struct strbuf text = STRBUF_INIT;
	struct histograms h;

	assert_int_equal(histograms_init(&h, profile, c->by), 0);
	assert_int_equal(histograms_add_text(&h, &c->view, &text), 0);
	assert_string_equal(text.data, c->expected);
	strbuf_done(&text);
	histograms_done(&h);
	profile_free(profile);
}

static void test_sums(void **state)
{
	static const char *const by[] = { "comm", "cpu", NULL };
	struct profile *profile = make_profile(ARRAY_SIZE(sample_rows));
	int64_t count = 0, buckets = 0;
	struct histograms h;

	assert_int_equal(histograms_init(&h, profile, by), 0);
	for (uint32_t i = 0; i < h.group_count; i++) {
		count += h.groups[i].count;
		buckets += h.groups[i].unknown;
		for (int b = 0; b < HISTOGRAM_BUCKETS; b++)
			buckets += h.groups[i].buckets[b];
	}
	assert_int_equal(count, 12 + 55);
	assert_int_equal(buckets, count);
	histograms_done(&h);
	profile_free(profile);
}

static void test_json(void **state)
{
	static const char *const by[] = { "comm", NULL };
	const struct histogram_view view = { .buckets = true };
	struct profile *profile = make_profile(ARRAY_SIZE(sample_rows));
	struct strbuf text = STRBUF_INIT;
	struct histograms h;

	assert_int_equal(histograms_init(&h, profile, by), 0);
	assert_int_equal(histograms_add_json(&h, &view, &text), 0);
	assert_string_equal(
		text.data,
		"[\n"
		" {\"event\": \"offcpu\", \"by\": {\"comm\": \"b\"}, \"waits\": 5, \"off_cpu\": 4400007, "
		"\"buckets\": [{\"from\": 1048576, \"weight\": 4}], \"unknown\": 1},\n"
		" {\"event\": \"offcpu\", \"by\": {\"comm\": \"a\"}, \"waits\": 6, \"off_cpu\": 15300, "
		"\"buckets\": [{\"from\": 1024, \"weight\": 4}, {\"from\": 4096, \"weight\": 2}], "
		"\"unknown\": 0},\n"
		" {\"event\": \"offcpu\", \"by\": {\"comm\": null}, \"waits\": 1, \"off_cpu\": 0, "
		"\"buckets\": [{\"from\": 0, \"weight\": 1}], \"unknown\": 0},\n"
		" {\"event\": \"fault\", \"by\": {\"comm\": \"b\"}, \"faults\": 50},\n"
		" {\"event\": \"fault\", \"by\": {\"comm\": \"a\"}, \"faults\": 5}]\n");
	strbuf_done(&text);
	histograms_done(&h);
	profile_free(profile);
}

static void test_nothing(void **state)
{
	static const char *const by[] = { "comm", NULL };
	const struct histogram_view view = { .buckets = true };
	struct profile *profile = make_profile(0);
	struct strbuf text = STRBUF_INIT;
	struct histograms h;

	assert_int_equal(histograms_init(&h, profile, by), 0);
	assert_int_equal(histograms_add_text(&h, &view, &text), 0);
	assert_string_equal(text.data, "");
	assert_int_equal(histograms_add_json(&h, &view, &text), 0);
	assert_string_equal(text.data, "[]\n");
	strbuf_done(&text);
	histograms_done(&h);
	profile_free(profile);
}

static void test_no_control(void **state)
{
	static const struct sample_row row = { "\033[2J", 0, 10, 1, 1100, 0 };
	static const char *const by[] = { "comm", NULL };
	const struct histogram_view view = { .columns = 80, .buckets = true };
	struct profile_builder *builder = profile_builder_new();
	struct strbuf text = STRBUF_INIT;
	struct profile *profile;
	struct histograms h;

	add_type(builder, "offcpu", "waits", "count");
	add_type(builder, "offcpu", "off_cpu", "nanoseconds");
	add_type(builder, "fault", "faults", "count");
	add_sample(builder, &row);
	assert_int_equal(profile_builder_finish(builder, &profile), 0);
	profile_builder_free(builder);
	assert_int_equal(histograms_init(&h, profile, by), 0);
	assert_int_equal(histograms_add_text(&h, &view, &text), 0);
	assert_null(strchr(text.data, '\033'));
	assert_non_null(strstr(text.data, "comm ?[2J:"));
	strbuf_done(&text);
	histograms_done(&h);
	profile_free(profile);
}

static int init_for_memory(void *profile)
{
	static const char *const by[] = { "comm", "cpu", NULL };
	struct histograms h;
	int r = histograms_init(&h, profile, by);

	histograms_done(&h);
	return r;
}

static void test_memory(void **state)
{
	struct profile *profile = make_profile(ARRAY_SIZE(sample_rows));

	fail_alloc_each(init_for_memory, profile);
	profile_free(profile);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("buckets and those without add up to the counts", test_sums),
		UNIT_TEST("JSON has the same, with where buckets begin", test_json),
		UNIT_TEST("without samples there is nothing", test_nothing),
		UNIT_TEST("every allocation may fail", test_memory),
		UNIT_TEST("names do not act on the terminal", test_no_control),
	};

	return unit_run_rows("histogram", text_row, UNIT_ROWS(text_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
