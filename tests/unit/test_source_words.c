/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_source_words.c - what keys of the fault, signal, exit and interrupt sources are called.
 */
#include "bpf/sample_abi.h"
#include "profiler/sources/source_rows.h"
#include "tests/unit/unit.h"

struct word_case {
	const char *name;
	void (*write)(uint64_t key, char *text, size_t size);
	uint64_t key;
	const char *expected;
};

static const struct word_case cases[] = {
	{ "a signal", source_signal_name, 11, "SIGSEGV" },
	{ "the first real-time signal", source_signal_name, 34, "SIGRTMIN+0" },
	{ "a real-time signal", source_signal_name, 36, "SIGRTMIN+2" },
	{ "one that the C library keeps to itself", source_signal_name, 33, "33" },
	{ "no signal", source_signal_name, 99, "99" },
	{ "success", source_exit_status, 1, "0" },
	{ "the highest status", source_exit_status, WICK_EXIT_SIGNAL, "255" },
	{ "the first signal", source_exit_status, WICK_EXIT_SIGNAL + 1, "SIGHUP" },
	{ "an abort", source_exit_status, WICK_EXIT_SIGNAL + 6, "SIGABRT" },
	{ "an interrupt of no device", source_irq_name, 99999, "99999" },
};

static void test_word(void **state)
{
	const struct word_case *c = *state;
	char text[64];

	c->write(c->key, text, sizeof(text));
	assert_string_equal(text, c->expected);
}

static void test_cut(void **state)
{
	char text[4];

	source_exit_status(WICK_EXIT_SIGNAL + 15, text, sizeof(text));
	assert_string_equal(text, "SIG");
}

static void test_constants(void **state)
{
	assert_string_equal(source_softirq_name(1), "TIMER");
	assert_string_equal(source_softirq_name(9), "RCU");
	assert_null(source_softirq_name(10));
	assert_string_equal(source_fault_kind(0), "minor");
	assert_string_equal(source_fault_kind(1), "major");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("a name too long for its place is cut", test_cut),
		UNIT_TEST("kinds of faults and softirqs", test_constants),
	};

	return unit_run_rows("words", test_word, UNIT_ROWS(cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
