/* SPDX-License-Identifier: BSD-2-Clause */
/* Why a function of the kernel is not probed by a trampoline; what the kernel itself says: tests/vm. */
#include "tests/unit/unit.h"

#include <string.h>

#include "profiler/kernel_types/btf_types.h"
#include "profiler/probes/kernel_trampoline.h"

static const struct lack_case {
	const char *name, *argument;
	const char *says;
} lack_cases[] = {
	{ "a pattern", "vfs_*", "a pattern may be many functions" },
	{ "a pattern that is one function", "vfs_rea[d]", "a pattern may be many functions" },
	{ "a place within the function", "vfs_read+4", "it is not where the function begins" },
	{ "a function that is not there", "no_such_function_anywhere",
	  "the kernel's types do not have it" },
};

static void test_lack(void **state)
{
	const struct lack_case *c = *state;
	const struct probe_kind *const kinds[] = { &probe_kprobe, &probe_kretprobe };
	_cleanup_(btf_types_closep) struct btf_types *types = NULL;
	struct probe_words words;

	if (btf_types_open(&types) < 0)
		skip();
	assert_int_equal(
		probe_words_parse(PROBE_GRAMMAR_KERNEL, "kprobe", c->argument, &words, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		const char *lack = kernel_trampoline_lack(types, kinds[i], &words);

		assert_non_null(lack);
		assert_string_equal(lack, c->says);
	}
	probe_words_done(&words);
}

/* "+0" is where it begins: what is said of it is what is said without. */
static void test_no_offset(void **state)
{
	_cleanup_(btf_types_closep) struct btf_types *types = NULL;
	struct probe_words plain, begin;
	const char *a, *b;

	if (btf_types_open(&types) < 0)
		skip();
	assert_int_equal(
		probe_words_parse(PROBE_GRAMMAR_KERNEL, "kprobe", "vfs_read", &plain, NULL), 0);
	assert_int_equal(
		probe_words_parse(PROBE_GRAMMAR_KERNEL, "kprobe", "vfs_read+0", &begin, NULL), 0);
	a = kernel_trampoline_lack(types, &probe_kprobe, &plain);
	b = kernel_trampoline_lack(types, &probe_kprobe, &begin);
	assert_string_equal(a ?: "fentry", b ?: "fentry");
	probe_words_done(&plain);
	probe_words_done(&begin);
}

/* Its trampoline would stay for ever; where it is entered is another matter. */
static void test_no_return(void **state)
{
	const struct probe_words words = { .name = "do_exit" };
	_cleanup_(btf_types_closep) struct btf_types *types = NULL;
	const char *lack;

	if (btf_types_open(&types) < 0)
		skip();
	lack = kernel_trampoline_lack(types, &probe_kretprobe, &words);
	assert_string_equal(lack ?: "fentry", "it does not return");
	lack = kernel_trampoline_lack(types, &probe_kprobe, &words);
	assert_string_not_equal(lack ?: "fentry", "it does not return");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("an offset of 0 is none", test_no_offset),
		UNIT_TEST("what does not return has none at its return", test_no_return),
	};

	return unit_run_rows("by a kprobe", test_lack, UNIT_ROWS(lack_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
