/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "bpf/comm_glob.h"
#include "profiler/comm_pattern.h"
#include "tests/unit/unit.h"

static const struct glob_case {
	const char *name, *glob, *comm;
	int matches;		/* or a negative errno of the compilation */
} cases[] = {
	{ "a plain name matches itself", "bash", "bash", 1 },
	{ "a plain name does not match a longer one", "bash", "bashful", 0 },
	{ "a plain name does not match a shorter one", "bash", "bas", 0 },
	{ "a star matches everything", "*", "anything", 1 },
	{ "a star matches nothing", "ba*sh", "bash", 1 },
	{ "a star in front", "*sh", "bash", 1 },
	{ "a star at the end", "ba*", "bash", 1 },
	{ "two stars with a choice between matches", "*a*b", "xaxbxab", 1 },
	{ "two stars that cannot be met", "*a*b", "xbxa", 0 },
	{ "a question mark is one character", "b?sh", "bash", 1 },
	{ "a question mark is not none", "bash?", "bash", 0 },
	{ "a bracket takes any of its characters", "b[ae]sh", "besh", 1 },
	{ "a bracket takes a range", "worker-[0-9]", "worker-7", 1 },
	{ "a range has an end", "worker-[0-6]", "worker-7", 0 },
	{ "a negated bracket refuses its characters", "b[!a]sh", "bash", 0 },
	{ "a bracket may hold a closing one first", "x[]]", "x]", 1 },
	{ "a backslash takes a star literally", "a\\*", "a*", 1 },
	{ "a backslash takes nothing else for it", "a\\*", "ab", 0 },
	{ "an empty pattern matches an empty name", "", "", 1 },
	{ "an empty pattern matches no name", "", "x", 0 },
	{ "a name of fifteen characters is whole", "abcdefghijklmno", "abcdefghijklmno", 1 },
	{ "bytes above 127 are characters", "\xc3?", "\xc3\xa4", 1 },
	{ "an open bracket is refused", "a[b", "", -EINVAL },
	{ "a backslash at the end is refused", "a\\", "", -EINVAL },
	{ "more characters than a word has bits are refused", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	  "", -E2BIG },
};

static void test_glob(void **state)
{
	const struct glob_case *c = *state;
	struct wick_settings settings = { 0 };
	char comm[WICK_COMM_BYTES] = { 0 };
	int r = comm_pattern_compile(c->glob, &settings);

	if (c->matches < 0) {
		assert_int_equal(r, c->matches);
		assert_int_equal(settings.filter_comm, 0);
		return;
	}
	assert_int_equal(r, 0);
	memcpy(comm, c->comm, strlen(c->comm));
	assert_int_equal(comm_glob_matches(settings.glob_match, settings.glob_loops,
					   settings.glob_accept, comm), c->matches);
}

int main(void)
{
	return unit_run_rows("comm globs", test_glob, UNIT_ROWS(cases));
}
