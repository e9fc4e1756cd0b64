/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <inttypes.h>

#include "formats/tally.h"
#include "tests/unit/fail_alloc.h"
#include "tests/unit/profile_fixture.h"

#define SAMPLES_MAX 4

/* The rows as "NAME SELF TOTAL" lines. */
static const struct tally_case {
	const char *name;
	const char *by;
	enum tally_order order;
	struct tally_sample {
		const char *comm, *stack;
		int64_t count;
	} samples[SAMPLES_MAX];
	int64_t total;
	const char *rows;
} tally_cases[] = {
	{ "nothing has no rows", NULL, TALLY_BY_SELF, { { 0 } }, 0, "" },
	{ "a leaf has self, its callers have total",
	  NULL,
	  TALLY_BY_SELF,
	  { { "sh", "main;f;g", 3 } },
	  3,
	  "g 3 3\nf 0 3\nmain 0 3\n" },
	{ "the largest self comes first",
	  NULL,
	  TALLY_BY_SELF,
	  { { "sh", "main;a", 1 }, { "sh", "main;b", 2 } },
	  3,
	  "b 2 2\na 1 1\nmain 0 3\n" },
	{ "or the largest total",
	  NULL,
	  TALLY_BY_TOTAL,
	  { { "sh", "main;a", 1 }, { "sh", "main;b", 2 } },
	  3,
	  "main 0 3\nb 2 2\na 1 1\n" },
	{ "recursion counts once",
	  NULL,
	  TALLY_BY_SELF,
	  { { "sh", "f;g;f;f", 2 } },
	  2,
	  "f 2 2\ng 0 2\n" },
	{ "only the innermost of inlined calls has self",
	  NULL,
	  TALLY_BY_SELF,
	  { { "sh", "main;a;b_[i];c_[i]", 1 } },
	  1,
	  "c 1 1\na 0 1\nb 0 1\nmain 0 1\n" },
	{ "code without a name counts for its file",
	  NULL,
	  TALLY_BY_SELF,
	  { { "sh", "main;beef_[?]", 1 }, { "sh", "main;bee0_[?]", 1 } },
	  2,
	  "[demo] 2 2\nmain 0 2\n" },
	{ "negative values keep their sign, and add to the total",
	  NULL,
	  TALLY_BY_SELF,
	  { { "sh", "a", -5 }, { "sh", "b", 3 } },
	  8,
	  "a -5 -5\nb 3 3\n" },
	{ "by module the leaf's has self",
	  "module",
	  TALLY_BY_SELF,
	  { { "sh", "main;f;read_[k]", 4 } },
	  4,
	  "[kernel.kallsyms] 4 4\n/usr/bin/demo 0 4\n" },
	{ "by process",
	  "comm",
	  TALLY_BY_SELF,
	  { { "sh", "main", 1 }, { "ls", "main", 2 }, { NULL, "main", 3 }, { "sh", "f", 4 } },
	  10,
	  "sh 5 5\n[unknown] 3 3\nls 2 2\n" },
	{ "samples without a stack count for their process", "comm", TALLY_BY_SELF,
	  { { "sh", "", 1 } }, 1, "sh 1 1\n" },
};

static struct profile *make_profile(const struct tally_sample *samples)
{
	_cleanup_(profile_builder_freep) struct profile_builder *builder = fixture_builder();
	struct profile *profile;
	size_t i;

	assert_non_null(builder);
	for (i = 0; i < SAMPLES_MAX && samples[i].stack; i++)
		assert_int_equal(fixture_add(builder, samples[i].comm, samples[i].stack,
					     samples[i].count), 0);
	assert_int_equal(profile_builder_finish(builder, &profile), 0);
	return profile;
}

static void tally_case_run(void **state)
{
	const struct tally_case *c = *state;
	const struct tally_options options = { .by = c->by, .order = c->order };
	_cleanup_(profile_freep) struct profile *profile = make_profile(c->samples);
	_cleanup_(tally_done) struct tally tally = { 0 };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	uint32_t i;

	assert_int_equal(tally_init(&tally, profile, &options), 0);
	for (i = 0; i < tally.row_count; i++)
		strbuf_printf(&text, "%s %" PRId64 " %" PRId64 "\n", tally.rows[i].name,
			      tally.rows[i].self, tally.rows[i].total);
	assert_string_equal(text.data, c->rows);
	assert_int_equal(tally.total, c->total);
}

static int init_for(const struct profile *profile, const struct tally_options *options)
{
	_cleanup_(tally_done) struct tally tally = { 0 };

	return tally_init(&tally, profile, options);
}

static void test_refusals(void **state)
{
	_cleanup_(profile_freep) struct profile *profile = fixture_profile();

	assert_int_equal(init_for(profile, &(struct tally_options){ .value_type = 9 }), -ENOENT);
	assert_int_equal(init_for(profile, &(struct tally_options){ .by = "none" }), -ENOENT);
}

static int init_for_memory(void *profile)
{
	int r = init_for(profile, &(struct tally_options){ .by = "function" });

	return r < 0 ? r : init_for(profile, &(struct tally_options){ .by = "comm" });
}

static void test_memory(void **state)
{
	_cleanup_(profile_freep) struct profile *profile = fixture_profile();

	fail_alloc_each(init_for_memory, profile);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("a value or label that is not there is refused", test_refusals),
		UNIT_TEST("every allocation may fail", test_memory),
	};

	return unit_run_rows("tally", tally_case_run, UNIT_ROWS(tally_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
