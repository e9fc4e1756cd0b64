/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_source_switch.c - threads are switched out as often as the kernel counts for getrusage(), by
 * their own will and against it, and it is said why.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/sample_sum.h"
#include "tests/unit/unit.h"

#define THREADS 3
/*
 * In percent and, at least, as many: those behind a thread's own reading, as its end; and now and then
 * the kernel runs no program.
 */
#define APART_PERCENT 2.0
#define APART_COUNT 6

struct thread {
	char name[16];
	long tid, willing, forced;
};

static bool has_targets(void *context, struct session *session)
{
	return session_has_targets(session);
}

static void profile_crowd(unsigned int stacks, struct harness_result *ret,
			  struct thread threads[THREADS])
{
	char path[256];
	const char *const command[] = { "@crowded", "2", path, NULL };
	static const struct session_event events[] = { { "switch" } };
	struct harness_run run = { .command = command, .seconds = 60, .during = has_targets,
				   .session = { .events = events, .event_count = 1,
						.stacks = stacks } };
	FILE *report;

	harness_need_bpf();
	snprintf(path, sizeof(path), "%s/switched.%d", getenv("WICK_TMP") ?: "/tmp", getpid());
	harness_profile(&run, ret);
	harness_print("switch", ret);
	harness_check_invariant(&ret->stats);
	report = fopen(path, "re");
	assert_non_null(report);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(fscanf(report, "%15s %ld %*f %ld %ld", threads[i].name,
					&threads[i].tid, &threads[i].willing, &threads[i].forced),
				 4);
	fclose(report);
	unlink(path);
}

static int64_t switches(const struct harness_result *result, long tid, const char *reason)
{
	return sample_sum(result->profile, "switches",
			  &(struct sample_choice){ .tid = tid, .label = reason ? "reason" : NULL,
						   .text = reason });
}

static void check_count(const struct harness_result *result, const struct thread *thread,
			const char *what, int64_t count, int64_t kernel)
{
	double apart = kernel * APART_PERCENT / 100;

	print_message("# %s, %s: %lld, the kernel says %lld\n", thread->name, what,
		      (long long)count, (long long)kernel);
	apart = apart > APART_COUNT ? apart : APART_COUNT;
	assert_true(count + (int64_t)result->stats.lost >= kernel - apart);
	assert_true(count <= kernel + apart);
}

static void check_threads(const struct harness_result *result, const struct thread threads[THREADS])
{
	for (int i = 0; i < THREADS; i++) {
		const struct thread *t = &threads[i];
		int64_t forced = switches(result, t->tid, "preempted") +
				 switches(result, t->tid, "yield");

		check_count(result, t, "forced", forced, t->forced);
		check_count(result, t, "willing", switches(result, t->tid, NULL) - forced,
			    t->willing);
	}
}

static void test_truth(void **state)
{
	struct thread threads[THREADS];
	struct harness_result result;
	int64_t naps;

	profile_crowd(0, &result, threads);
	check_threads(&result, threads);
	naps = sample_sum(result.profile, "switches",
			  &(struct sample_choice){ .thread = "napper", .function = "napping",
						   .label = "reason", .text = "sleep" });
	assert_true(naps > 100);
	assert_true(sample_sum(result.profile, "switches",
			       &(struct sample_choice){ .function = "yielding", .label = "reason",
							.text = "yield" }) > 100);
	assert_true(harness_percent(result.stats.complete_user, result.stats.reported_user) >= 99);
	harness_done(&result);
}

static void test_no_stacks(void **state)
{
	struct thread threads[THREADS];
	struct harness_result result;

	profile_crowd(SESSION_STACKS_KERNEL, &result, threads);
	check_threads(&result, threads);
	assert_int_equal(result.stats.reported_user, 0);
	harness_done(&result);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("threads are switched out as often as the kernel says", test_truth),
		UNIT_TEST("without user stacks they are, too", test_no_stacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
