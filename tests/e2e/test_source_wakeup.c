/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_source_wakeup.c - a thread that wakes another is named with its stack, as often as it did, and
 * with how long the other had slept; what a timer wakes is blamed on nobody.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/sample_sum.h"
#include "tests/unit/unit.h"

#define WAKES 200
#define APART_PERCENT 3

static bool has_targets(void *context, struct session *session)
{
	return session_has_targets(session);
}

/* How long the sleeper can have slept at least and at most, by what both saw. */
struct bounds {
	double least_ns, most_ns;
};

static void profile_wakes(const char *event, unsigned int stacks, struct harness_result *ret,
			  struct bounds *ret_bounds)
{
	char path[256];
	const char *const command[] = { "@wakes", "200", path, NULL };
	const struct session_event events[] = { { event } };
	struct harness_run run = { .command = command, .seconds = 60, .during = has_targets,
				   .session = { .events = events, .event_count = 1,
						.stacks = stacks } };
	FILE *report;

	harness_need_bpf();
	snprintf(path, sizeof(path), "%s/wakes.%d", getenv("WICK_TMP") ?: "/tmp", getpid());
	harness_profile(&run, ret);
	harness_print(event, ret);
	harness_check_invariant(&ret->stats);
	report = fopen(path, "re");
	assert_non_null(report);
	assert_int_equal(fscanf(report, "%lf %lf", &ret_bounds->least_ns, &ret_bounds->most_ns), 2);
	fclose(report);
	unlink(path);
}

static void check_wakes(const struct harness_result *result, const struct sample_choice *choice,
			const struct bounds *bounds)
{
	int64_t count = sample_sum(result->profile, "wakeups", choice);
	double ns = sample_sum(result->profile, "slept", choice);

	print_message("# %lld of %d wake-ups; slept %.1f ms, between %.1f and %.1f ms\n",
		      (long long)count, WAKES, ns / 1e6, bounds->least_ns / 1e6,
		      bounds->most_ns / 1e6);
	/* Now and then the kernel runs no program. */
	assert_true(count <= WAKES);
	assert_true(count + (int64_t)result->stats.lost >= WAKES * (100 - APART_PERCENT) / 100);
	assert_true(ns <= bounds->most_ns * (1 + APART_PERCENT / 100.0));
	assert_true(ns >= bounds->least_ns * (1 - APART_PERCENT / 100.0) || result->stats.lost);
}

static void test_truth(void **state)
{
	const struct sample_choice woken = { .function = "wake_it", .thread = "waker",
					     .label = "woken", .text = "sleeper" };
	struct harness_result result;
	struct bounds bounds;
	int64_t timer;

	profile_wakes("wakeup", 0, &result, &bounds);
	check_wakes(&result, &woken, &bounds);
	/* The waker itself sleeps before each, and a timer wakes it. */
	timer = sample_sum(result.profile, "wakeups",
			   &(struct sample_choice){ .comm = "[interrupt]", .label = "woken",
						    .text = "waker" });
	assert_true(timer >= WAKES * 9 / 10);
	/* Nothing of a program that was only hit. */
	assert_int_equal(
		sample_sum(result.profile, "wakeups",
			   &(struct sample_choice){ .comm = "[interrupt]", .function = "main" }),
		0);
	assert_true(harness_percent(result.stats.complete_user, result.stats.reported_user) >= 99);
	harness_done(&result);
}

static void test_no_stacks(void **state)
{
	const struct sample_choice woken = { .thread = "waker", .label = "woken",
					     .text = "sleeper" };
	struct harness_result result;
	struct bounds bounds;

	profile_wakes("wakeup", SESSION_STACKS_KERNEL, &result, &bounds);
	check_wakes(&result, &woken, &bounds);
	assert_int_equal(result.stats.reported_user, 0);
	harness_done(&result);
}

static void test_least(void **state)
{
	struct harness_result result;
	struct bounds bounds;

	profile_wakes("wakeup,min=1s", 0, &result, &bounds);
	assert_int_equal(result.stats.taken, 0);
	assert_true(result.stats.filtered >= WAKES);
	harness_done(&result);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("who wakes whom is told, and how long it slept", test_truth),
		UNIT_TEST("without user stacks it is, too", test_no_stacks),
		UNIT_TEST("short sleeps are left out", test_least),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
