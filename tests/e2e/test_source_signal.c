/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_source_signal.c - as many signals as were sent, with who sent them, where, and to whom.
 */
#include "tests/e2e/harness.h"
#include "tests/e2e/sample_sum.h"
#include "tests/unit/unit.h"

static void profile_signals(const char *const *command, bool no_stacks, struct harness_result *ret)
{
	static const struct session_event event = { "signal" };
	struct harness_run run = { .command = command, .seconds = 60, .no_stacks = no_stacks,
				   .during = harness_wait_for_end,
				   .session = { .events = &event, .event_count = 1 } };

	harness_need_bpf();
	harness_profile(&run, ret);
	harness_print(command[1], ret);
	harness_check_invariant(&ret->stats);
}

static int64_t sum(const struct harness_result *result, const char *function, const char *label,
		   const char *text)
{
	return sample_sum(
		result->profile, "signals",
		&(struct sample_choice){
			.function = function, .comm = "endings", .label = label, .text = text });
}

static bool is_complete(const struct harness_result *result)
{
	return harness_percent(result->stats.complete_user, result->stats.reported_user) >= 99;
}

static void test_kills(void **state)
{
	static const char *const command[] = { "@endings", "kills", "2000", NULL };
	struct harness_result result;

	profile_signals(command, false, &result);
	/* A very busy machine may not have made the tables while it warmed up. */
	for (int tries = 0; tries < 3 && !is_complete(&result); tries++) {
		harness_done(&result);
		profile_signals(command, false, &result);
	}
	assert_int_equal(sum(&result, NULL, "signal", "SIGUSR1"), 2000);
	assert_int_equal(sum(&result, NULL, "signal", "SIGUSR2"), 25);
	assert_int_equal(sum(&result, NULL, "signal", "SIGKILL"), 1);
	assert_int_equal(sum(&result, NULL, "target", "receiver"), 2026);
	assert_true(sum(&result, "send_signals", "signal", "SIGUSR1") >= 1980);
	assert_true(is_complete(&result));
	harness_done(&result);
}

static void test_without_stacks(void **state)
{
	static const char *const command[] = { "@endings", "kills", "100", NULL };
	struct harness_result result;

	profile_signals(command, true, &result);
	assert_int_equal(sum(&result, NULL, "signal", "SIGUSR1"), 100);
	assert_int_equal(sum(&result, "send_signals", "signal", "SIGUSR1"), 0);
	harness_done(&result);
}

/* The kernel sends it, and the process that caused it counts as the sender. */
static void test_segv(void **state)
{
	static const char *const command[] = { "@endings", "segv", NULL };
	struct harness_result result;

	profile_signals(command, false, &result);
	assert_int_equal(sum(&result, "crash_here", "signal", "SIGSEGV"), 1);
	assert_int_equal(sum(&result, "before_the_crash", "signal", "SIGSEGV"), 1);
	assert_int_equal(sum(&result, NULL, "target", "endings"), 1);
	harness_done(&result);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("each signal counts, by its sender, for its target", test_kills),
		UNIT_TEST("without stacks they count the same", test_without_stacks),
		UNIT_TEST("a bad address is a signal from where it was used", test_segv),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
