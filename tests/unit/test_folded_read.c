/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "formats/reader.h"
#include "formats/writer.h"
#include "tests/unit/fail_alloc.h"

/* Folded lines in, and what the writer makes of them; or the reason of a refusal. */
static const struct folded_case {
	const char *name;
	const char *lines;
	const char *folded; /* NULL: the same */
	const char *refusal;
} folded_cases[] = {
	{ "a line comes back as it is", "sh;main;leaf 3\n" },
	{ "a process without a stack comes back", "sh 3\n" },
	{ "names with blanks come back", "a b;operator new (x);f<int, 2> 1\n" },
	{ "an unknown process comes back", "[unknown];main 1\n" },
	{ "an incomplete stack comes back", "sh;[incomplete:depth];f 1\n" },
	{ "the last line needs no newline", "sh;main 1", "sh;main 1\n" },
	{ "carriage returns and blanks at the end are no part of it", "sh;main 1 \r\n",
	  "sh;main 1\n" },
	{ "equal stacks are one", "sh;main 1\nsh;main 2\n", "sh;main 3\n" },
	{ "lines are sorted", "sh;b 1\nsh;a 1\n", "sh;a 1\nsh;b 1\n" },
	{ "suffixes of kinds are no part of a name", "sh;m;i_[i];j_[j];k_[k] 1\n",
	  "sh;m;i;j;k 1\n" },
	{ "other brackets are a part of a name", "sh;m_[x];[libc.so.6] 1\n" },
	{ "an inlined first frame is a frame", "sh;i_[i];k_[k];l_[i] 1\n", "sh;i;k;l 1\n" },
	{ "remarks and empty lines are skipped", "# cmdline: x 1\n\nsh;main 1\n",
	  "sh;main 1\n" },
	{ "a process may be called #1", "#1;main 1\n" },
	{ "nothing but remarks is an empty profile", "# none\n", "" },
	{ "the largest count fits", "sh;main 9223372036854775807\n" },
	{ "a count that is too large is refused", "sh;main 9223372036854775808\n", "",
	  "not folded stacks: line 1: does not end with a count" },
	{ "a line without a count is refused, by number", "sh;main 1\nsh;main\n", "",
	  "not folded stacks: line 2: is not STACK COUNT" },
	{ "a fraction is refused", "sh;main 1.5\n", "",
	  "not folded stacks: line 1: does not end with a count" },
	{ "a count alone is refused", " 12\n", "",
	  "not folded stacks: line 1: is not STACK COUNT" },
	{ "prose is refused", "Hello, world.\n", "",
	  "not folded stacks: line 1: does not end with a count" },
};

static int read_text(const char *text, struct profile **ret, struct error *err)
{
	const struct reader *reader = NULL;
	int r = reader_read(text, strlen(text), ret, &reader, err);

	if (r >= 0)
		assert_string_equal(reader->name, "folded");
	return r;
}

static void assert_folded(const struct profile *profile, const char *wanted)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct sink *sink;

	assert_int_equal(sink_open_memory(&text, &sink), 0);
	assert_int_equal(writer_find_name("folded")->write(profile, NULL, sink), 0);
	assert_int_equal(sink_close(sink), 0);
	assert_string_equal(text.data, wanted);
}

static void folded_row(void **state)
{
	_cleanup_(profile_freep) struct profile *profile = NULL;
	const struct folded_case *c = *state;
	struct error err = { 0 };
	int r = read_text(c->lines, &profile, &err);

	assert_string_equal(err.text, c->refusal ? c->refusal : "");
	assert_int_equal(r, c->refusal ? -EBADMSG : 0);
	if (!c->refusal)
		assert_folded(profile, c->folded ? c->folded : c->lines);
}

static void test_kinds(void **state)
{
	static const enum frame_kind wanted[] = { FRAME_KIND_KERNEL, FRAME_KIND_JIT,
						  FRAME_KIND_NATIVE, FRAME_KIND_MARK };
	_cleanup_(profile_freep) struct profile *profile = NULL;
	const struct profile_location *location;
	struct error err;
	uint32_t i;

	assert_int_equal(read_text("sh;[incomplete:depth];m;i_[i];j_[j];k_[k] 1\n", &profile, &err),
			 0);
	assert_int_equal(profile->sample_count, 1);
	assert_int_equal(profile->samples[0].location_count, 4);
	for (i = 0; i < 4; i++) {
		location = &profile->locations[profile->samples[0].locations[i]];
		assert_int_equal(location->kind, wanted[i]);
	}
	location = &profile->locations[profile->samples[0].locations[2]];
	assert_int_equal(location->line_count, 2);
	assert_string_equal(profile->strings[profile->functions[location->lines[0].function].name],
			    "i");
}

static int read_for_memory(void *arg)
{
	_cleanup_(profile_freep) struct profile *profile = NULL;
	struct error err;

	return read_text("sh;main;a_[i];b_[k] 3\nls;x 1\n", &profile, &err);
}

static void test_memory(void **state)
{
	fail_alloc_each(read_for_memory, NULL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("suffixes say the kind of a frame", test_kinds),
		UNIT_TEST("every allocation may fail", test_memory),
	};

	return unit_run_rows("folded read", folded_row, UNIT_ROWS(folded_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
