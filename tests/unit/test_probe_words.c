/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "profiler/base/cleanup.h"
#include "profiler/probes/probe_words.h"
#include "tests/unit/fail_alloc.h"
#include "tests/unit/unit.h"

static const struct words_case {
	const char *name;
	enum probe_grammar grammar;
	const char *text;
	const char *file, *category, *word;	/* file NULL: it is refused */
	uint64_t offset;
	bool has_offset;
} cases[] = {
	{ "a function of a library", PROBE_GRAMMAR_FUNCTION, "libc:malloc", "libc", "", "malloc" },
	{ "a function of a path", PROBE_GRAMMAR_FUNCTION, "/usr/bin/x:main", "/usr/bin/x", "",
	  "main" },
	{ "a function of whatever the target runs", PROBE_GRAMMAR_FUNCTION, ":malloc", "", "",
	  "malloc" },
	{ "colons of C++ belong to the name", PROBE_GRAMMAR_FUNCTION, "a.out:foo::bar(int)",
	  "a.out", "", "foo::bar(int)" },
	{ "also where no file is named", PROBE_GRAMMAR_FUNCTION, ":foo::bar", "", "", "foo::bar" },
	{ "an offset", PROBE_GRAMMAR_FUNCTION, "libc:malloc+4", "libc", "", "malloc", 4, true },
	{ "an offset in hexadecimal", PROBE_GRAMMAR_FUNCTION, "libc:malloc+0x10", "libc", "",
	  "malloc", 16, true },
	{ "operator+ has no offset", PROBE_GRAMMAR_FUNCTION, "a.out:operator+", "a.out", "",
	  "operator+" },
	{ "nor has operator+(int)", PROBE_GRAMMAR_FUNCTION, "a.out:A::operator+(int)", "a.out", "",
	  "A::operator+(int)" },
	{ "a file and no function", PROBE_GRAMMAR_FUNCTION, "libc:" },
	{ "a function and no file", PROBE_GRAMMAR_FUNCTION, "malloc" },
	{ "nothing", PROBE_GRAMMAR_FUNCTION, NULL },
	{ "a USDT probe", PROBE_GRAMMAR_USDT, "libc:libc:setjmp", "libc", "libc", "setjmp" },
	{ "of any provider", PROBE_GRAMMAR_USDT, "python3:gc__start", "python3", "*", "gc__start" },
	{ "of the target", PROBE_GRAMMAR_USDT, ":python:gc__start", "", "python", "gc__start" },
	{ "a provider and no name", PROBE_GRAMMAR_USDT, "libc:libc:" },
	{ "a tracepoint", PROBE_GRAMMAR_TRACEPOINT, "sched:sched_switch", "", "sched",
	  "sched_switch" },
	{ "all of a category", PROBE_GRAMMAR_TRACEPOINT, "sched:*", "", "sched", "*" },
	{ "a category alone", PROBE_GRAMMAR_TRACEPOINT, "sched" },
	{ "a name without category", PROBE_GRAMMAR_TRACEPOINT, ":sched_switch" },
	{ "a function of the kernel", PROBE_GRAMMAR_KERNEL, "vfs_read", "", "", "vfs_read" },
	{ "at an offset", PROBE_GRAMMAR_KERNEL, "vfs_read+9", "", "", "vfs_read", 9, true },
	{ "a counter", PROBE_GRAMMAR_NAME, "cpu-migrations", "", "", "cpu-migrations" },
	{ "no counter", PROBE_GRAMMAR_NAME, "" },
	{ "a list", PROBE_GRAMMAR_LIST, "read+write", "", "", "read+write" },
	{ "an empty list", PROBE_GRAMMAR_LIST, NULL, "", "", "" },
};

static void test_words(void **state)
{
	const struct words_case *c = *state;
	struct error err = { 0 };
	struct probe_words words;
	int r = probe_words_parse(c->grammar, "scheme", c->text, &words, &err);

	if (!c->file) {
		assert_int_equal(r, -EINVAL);
		assert_non_null(strstr(err.text, probe_grammar_text(c->grammar)));
		return;
	}
	assert_int_equal(r, 0);
	assert_string_equal(words.file, c->file);
	assert_string_equal(words.category, c->category);
	assert_string_equal(words.name, c->word);
	assert_int_equal(words.offset, c->offset);
	assert_int_equal(words.has_offset, c->has_offset);
	probe_words_done(&words);
}

static int run_parse(void *arg)
{
	struct probe_words words;
	int r = probe_words_parse(PROBE_GRAMMAR_FUNCTION, "uprobe", "libc:malloc+4", &words, NULL);

	if (!r)
		probe_words_done(&words);
	return r;
}

static void test_no_memory(void **state)
{
	assert_true(fail_alloc_each(run_parse, NULL) > 0);
}

int main(void)
{
	static const struct CMUnitTest rest[] = {
		UNIT_TEST("memory can fail at every allocation", test_no_memory),
	};

	return unit_run_rows("words", test_words, UNIT_ROWS(cases)) +
	       cmocka_run_group_tests(rest, NULL, NULL);
}
