/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_offcpu_losses.c - every wait is reported or counted under the one cause it was lost for, also
 * of threads that end while they wait, and execute other programs.
 */
#include "profiler/base/cleanup.h"
#include "tests/e2e/harness.h"
#include "tests/unit/unit.h"

static const struct count_case {
	const char *name, *event;
	struct session_limits limits;
	const char *command[4];
	const char *loss;		/* that must have happened; NULL: none may */
} count_cases[] = {
	{ "threads that come and go", "offcpu", { .window_ms = 50 }, { "@storm", "30", "100" } },
	{ "with a least value", "offcpu,min=1ms,waker,preempted", { .window_ms = 50 },
	  { "@storm", "30", "100" } },
	{ "programs that execute others", "offcpu,min=10us,waker", { .window_ms = 50 },
	  { "@exec_chain", "30" } },
	{ "more threads than there is room for", "offcpu", { .waits = 4 },
	  { "@storm", "30", "100" }, "waits-full" },
	{ "counts that are too small", "offcpu", { .counts = 4 }, { "@storm", "30", "100" },
	  "counts-full" },
};

static void test_count(void **state)
{
	const struct count_case *c = *state;
	const struct session_event event = { c->event };
	struct harness_patience patience = { .seconds = 1, .samples = 200 };
	struct harness_run run = {
		.command = c->command,
		.seconds = 10,
		.whole_machine = true,
		.session = { .events = &event, .event_count = 1, .limits = c->limits },
		.during = harness_wait_for_samples,
		.context = &patience,
	};
	struct harness_result result;

	harness_need_bpf();
	harness_profile(&run, &result);
	harness_print(c->name, &result);
	harness_check_invariant(&result.stats);
	assert_true(result.stats.taken >= 200);
	if (c->loss) {
		assert_true(harness_count(result.stats.losses, c->loss) > 0);
	} else {
		assert_int_equal(harness_count(result.stats.losses, "waits-unknown"), 0);
		assert_int_equal(harness_count(result.stats.counters, "task-unresolved"), 0);
		assert_int_equal(harness_count(result.stats.counters, "stack-unresolved"), 0);
	}
	harness_done(&result);
}

int main(void)
{
	return unit_run_rows("waits are counted", test_count, UNIT_ROWS(count_cases));
}
