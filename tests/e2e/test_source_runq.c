/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_source_runq.c - three threads on one CPU wait for it as long as the kernel itself says
 * (/proc/PID/schedstat), and with whole stacks.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/sample_sum.h"
#include "tests/unit/unit.h"

#define THREADS 3
#define APART_PERCENT 5.0
/* Of a single thread: it may wait once more behind its own reading. */
#define APART_NS 20000000

struct thread {
	char name[16];
	long tid;
	double delay_ns;
};

static bool has_targets(void *context, struct session *session)
{
	return session_has_targets(session);
}

/* @bare: without stacks, and without labels but for who it was. */
static void profile_crowd(const char *event, unsigned int stacks, bool bare,
			  struct harness_result *ret, struct thread threads[THREADS])
{
	char path[256];
	const char *const command[] = { "@crowded", "2", path, NULL };
	const struct session_event events[] = { { event } };
	struct harness_run run = { .command = command, .seconds = 60, .during = has_targets,
				   .no_stacks = bare,
				   .session = { .events = events, .event_count = 1,
						.stacks = stacks, .labels_only = bare } };
	FILE *report;

	harness_need_bpf();
	snprintf(path, sizeof(path), "%s/crowded.%d", getenv("WICK_TMP") ?: "/tmp", getpid());
	harness_profile(&run, ret);
	harness_print(event, ret);
	harness_check_invariant(&ret->stats);
	/* Each wake-up is seen, from the first one on. */
	assert_int_equal(harness_count(ret->stats.counters, "time-lost"), 0);
	report = fopen(path, "re");
	assert_non_null(report);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(fscanf(report, "%15s %ld %lf %*d %*d", threads[i].name,
					&threads[i].tid, &threads[i].delay_ns), 3);
	fclose(report);
	unlink(path);
}

static double delay_ns(const struct harness_result *result, const struct thread *thread)
{
	return sample_sum(result->profile, "runq", &(struct sample_choice){ .tid = thread->tid });
}

static void check_delays(const struct harness_result *result, const struct thread threads[THREADS])
{
	double all = 0, kernel_all = 0;

	if (!threads[0].delay_ns) {
		print_message("skipped: this kernel has no schedstat\n");
		skip();
	}
	for (int i = 0; i < THREADS; i++) {
		double ns = delay_ns(result, &threads[i]), kernel = threads[i].delay_ns;

		print_message("# %s: %.1f ms, the kernel says %.1f ms\n", threads[i].name, ns / 1e6,
			      kernel / 1e6);
		assert_true(ns > kernel * (1 - APART_PERCENT / 100) - APART_NS);
		assert_true(ns < kernel * (1 + APART_PERCENT / 100) + APART_NS);
		all += ns;
		kernel_all += kernel;
	}
	assert_true(all > kernel_all * (1 - APART_PERCENT / 100));
	assert_true(all < kernel_all * (1 + APART_PERCENT / 100));
}

static void test_truth(void **state)
{
	struct thread threads[THREADS];
	struct harness_result result;
	int64_t all, spinning;

	profile_crowd("runq", 0, false, &result, threads);
	check_delays(&result, threads);
	all = sample_sum(result.profile, "runq", &(struct sample_choice){ .thread = "spinner" });
	spinning = sample_sum(result.profile, "runq",
			      &(struct sample_choice){ .thread = "spinner",
						       .function = "spinning" });
	assert_true(spinning > 0.9 * all);
	assert_true(harness_percent(result.stats.complete_user, result.stats.reported_user) >= 99);
	harness_done(&result);
}

static void test_no_stacks(void **state)
{
	struct thread threads[THREADS];
	struct harness_result result;

	profile_crowd("runq", SESSION_STACKS_KERNEL, false, &result, threads);
	check_delays(&result, threads);
	assert_int_equal(result.stats.reported_user, 0);
	harness_done(&result);
}

/* By one program at a switch, which then does less. */
static void test_bare(void **state)
{
	struct thread threads[THREADS];
	struct harness_result result;

	profile_crowd("runq", 0, true, &result, threads);
	check_delays(&result, threads);
	harness_done(&result);
}

/* Only long ones, all of them, and those that end in a system call with the stack of that. */
static void test_least(void **state)
{
	struct thread threads[THREADS];
	struct harness_result result;

	profile_crowd("runq,min=500us", 0, false, &result, threads);
	assert_true(result.stats.reported > 100 && result.stats.filtered > 0);
	for (uint32_t i = 0; i < result.profile->sample_count; i++) {
		const int64_t *values = result.profile->samples[i].values;

		assert_true(values[1] >= values[0] * 500000);
	}
	for (int i = 0; i < THREADS; i++)
		assert_true(delay_ns(&result, &threads[i]) <
			    threads[i].delay_ns * (1 + APART_PERCENT / 100) + APART_NS);
	assert_true(harness_percent(result.stats.complete_user, result.stats.reported_user) >= 99);
	harness_done(&result);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("delays are as long as the kernel says", test_truth),
		UNIT_TEST("delays without user stacks are the same", test_no_stacks),
		UNIT_TEST("and without any stacks and labels", test_bare),
		UNIT_TEST("short delays are left out", test_least),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
