/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_taken.c - "taken" checked from outside: a second perf event of the same kind that only fills
 * its own ring sees as many ticks on each CPU.
 */
#include "tests/e2e/harness.h"
#include "tests/e2e/outside_ticks.h"
#include "tests/unit/unit.h"

#define HZ 999
#define FIRST_ROUND 10
#define LAST_ROUND 200

struct outside {
	struct outside_ticks ticks;
	unsigned int round;
};

static bool count_outside(void *context, struct session *session)
{
	struct outside *o = context;

	o->round++;
	if (o->round == FIRST_ROUND)
		outside_begin(&o->ticks, session);
	if (o->round == LAST_ROUND)
		outside_end(&o->ticks, session);
	return o->round < LAST_ROUND;
}

static void test_outside(void **state)
{
	/* More threads than CPUs: on an idle one the few ticks are those that meet our own wake-ups. */
	static const char *const command[] = { "@threads", "30", "8", NULL };
	struct outside o = { 0 };
	struct harness_run run = { .command = command, .seconds = 20, .whole_machine = true,
				   .session = { .frequency_hz = HZ }, .during = count_outside,
				   .context = &o };
	struct harness_result result;

	harness_need_bpf();
	outside_open(&o.ticks, HZ);
	harness_profile(&run, &result);
	for (unsigned int cpu = 0; cpu < o.ticks.cpus; cpu++) {
		long least = outside_runs_least(&o.ticks, cpu),
		     most = outside_runs_most(&o.ticks, cpu),
		     outside = outside_count(&o.ticks, cpu),
		     stalls = outside_stalls(&o.ticks, cpu), apart = OUTSIDE_TICKS_APART + stalls;

		print_message(
			"# missed: cpu %u: program %ld to %ld, second event %ld, %ld stalls\n", cpu,
			least, most, outside, stalls);
		assert_true(outside >= least - apart && outside <= most + apart);
		assert_true(stalls < least / 20);
		assert_true(most - least < least / 10);
	}
	outside_close(&o.ticks);
	harness_check_invariant(&result.stats);
	harness_done(&result);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("a second event sees as many ticks on each CPU", test_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
