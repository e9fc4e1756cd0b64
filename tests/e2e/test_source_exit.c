/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_source_exit.c - as many ends of processes as there were, with their status, and the stack that a
 * fatal signal found.
 */
#include "tests/e2e/harness.h"
#include "tests/e2e/sample_sum.h"
#include "tests/unit/unit.h"

static void profile_exits(const char *event, const char *const *command, bool no_stacks,
			  struct harness_result *ret)
{
	const struct session_event events = { event };
	struct harness_run run = { .command = command, .seconds = 60, .no_stacks = no_stacks,
				   .during = harness_wait_for_end,
				   .session = { .events = &events, .event_count = 1 } };

	harness_need_bpf();
	harness_profile(&run, ret);
	harness_print(event, ret);
	harness_check_invariant(&ret->stats);
}

static int64_t sum(const struct harness_result *result, const char *function, const char *status)
{
	return sample_sum(result->profile, "exits",
			  &(struct sample_choice){ .function = function, .comm = "endings",
						   .label = status ? "status" : NULL,
						   .text = status });
}

/* So few that all their stacks may be copied: nobody has asked for their tables before. */
static const char *const eight_of_each[] = { "@endings", "exits", "8", NULL };

static void check_statuses(const struct harness_result *result)
{
	assert_int_equal(sum(result, NULL, "0"), 8 + 1);
	assert_int_equal(sum(result, NULL, "3"), 8);
	assert_int_equal(sum(result, NULL, "SIGABRT"), 8);
	assert_int_equal(sum(result, NULL, "SIGTERM"), 8);
	assert_int_equal(sum(result, NULL, "SIGKILL"), 8);
	assert_int_equal(sum(result, NULL, "SIGSEGV"), 8);
	assert_int_equal(sum(result, NULL, NULL), 6 * 8 + 1);
}

static void test_statuses(void **state)
{
	struct harness_result result;

	profile_exits("exit", eight_of_each, false, &result);
	check_statuses(&result);
	assert_int_equal(sum(&result, "give_up", "SIGABRT"), 8);
	assert_int_equal(sum(&result, "crash_here", "SIGSEGV"), 8);
	assert_int_equal(sum(&result, "crash_thread", "SIGSEGV"), 8);
	assert_int_equal(sum(&result, "crash_here", NULL), 8);
	harness_done(&result);
}

static void test_without_stacks(void **state)
{
	struct harness_result result;

	profile_exits("exit", eight_of_each, true, &result);
	check_statuses(&result);
	assert_int_equal(sum(&result, "crash_here", NULL), 0);
	harness_done(&result);
}

static void test_fatal(void **state)
{
	struct harness_result result;

	profile_exits("exit,fatal", eight_of_each, false, &result);
	assert_int_equal(sum(&result, NULL, NULL), 4 * 8);
	assert_int_equal(sum(&result, NULL, "SIGKILL"), 8);
	assert_int_equal(sum(&result, NULL, "3"), 0);
	harness_done(&result);
}

static const struct crash_case {
	const char *name;
	const char *command[3];
	const char *status, *function, *caller;
} crashes[] = {
	{ "a bad address is where it was used", { "@endings", "segv" }, "SIGSEGV", "crash_here",
	  "before_the_crash" },
	{ "an abort is where it was called", { "@endings", "abort" }, "SIGABRT", "give_up",
	  "main" },
};

static void test_crash(void **state)
{
	const struct crash_case *c = *state;
	struct harness_result result;

	profile_exits("exit,fatal", c->command, false, &result);
	assert_int_equal(sum(&result, NULL, NULL), 1);
	assert_int_equal(sum(&result, NULL, c->status), 1);
	assert_int_equal(sum(&result, c->function, c->status), 1);
	assert_int_equal(sum(&result, c->caller, c->status), 1);
	assert_int_equal(result.stats.complete_user, 1);
	harness_done(&result);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("each process counts once, with its status", test_statuses),
		UNIT_TEST("without stacks they count the same", test_without_stacks),
		UNIT_TEST("only those by a signal", test_fatal),
	};

	return unit_run_rows("crashes", test_crash, UNIT_ROWS(crashes)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
