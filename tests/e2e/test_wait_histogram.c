/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_wait_histogram.c - the kernel's side finds the right power of two for each wait, and all are there.
 */
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/unit/unit.h"
#include "tools/record/histogram.h"

#define NAP_NS 20000000l
#define NAP_BUCKET 24	/* 2^24 ns are 16.8 ms, and 2^25 33.6 ms: no nap is shorter */
#define NAPS_LEAST 10

static pid_t nap(void)
{
	const struct timespec time = { .tv_nsec = NAP_NS };
	pid_t pid = fork();

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		nanosleep(&time, NULL);
}

/* Each sum is of values from 2^bucket on, and below twice that. */
static void check_range(const struct profile *p, const struct profile_sample *sample)
{
	const struct profile_label *bucket =
		profile_find_label(sample, profile_find_string(p, "bucket"));
	int64_t count = sample->values[0], sum = sample->values[1];

	assert_non_null(bucket);
	assert_true(bucket->number >= 0 && bucket->number < 40);
	if (bucket->number)
		assert_true(sum >= count << bucket->number);
	assert_true(sum < count << (bucket->number + 1));
}

/* Of naps only: the last one is cut off by the end. */
static void check_naps(const struct histograms *h)
{
	int64_t naps = 0, shorter = 0;

	for (uint32_t i = 0; i < h->group_count; i++) {
		const struct histogram_group *group = &h->groups[i];

		assert_int_equal(group->unknown, 0);
		for (int b = 0; b < HISTOGRAM_BUCKETS; b++) {
			bool is_nap = !strcmp(group->keys[0], "clock_nanosleep");

			naps += is_nap && b >= NAP_BUCKET ? group->buckets[b] : 0;
			shorter += is_nap && b < NAP_BUCKET ? group->buckets[b] : 0;
		}
	}
	assert_true(naps >= NAPS_LEAST);
	assert_true(shorter <= 1);
}

static void test_naps(void **state)
{
	static const char *const by[] = { "syscall", NULL };
	const struct session_event event = { .text = "offcpu" };
	struct harness_patience patience = { .seconds = 0.5, .samples = 2 * NAPS_LEAST };
	struct harness_run run = {
		.seconds = 20, .whole_machine = true, .during = harness_wait_for_samples,
		.context = &patience,
		.session = { .events = &event, .event_count = 1, .pid_count = 1,
			     .labels = session_label_bit("bucket") },
	};
	struct harness_result result;
	struct histograms h;
	int64_t count = 0;
	pid_t pid;

	harness_need_bpf();
	pid = nap();
	run.session.pids = &pid;
	harness_profile(&run, &result);
	harness_end(pid);
	harness_print("naps", &result);
	for (uint32_t i = 0; i < result.profile->sample_count; i++)
		check_range(result.profile, &result.profile->samples[i]);
	assert_int_equal(histograms_init(&h, result.profile, by), 0);
	for (uint32_t i = 0; i < h.group_count; i++)
		count += h.groups[i].count;
	assert_int_equal(count, result.stats.reported);
	check_naps(&h);
	histograms_done(&h);
	harness_check_invariant(&result.stats);
	harness_done(&result);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("each wait is in the histogram where its length belongs", test_naps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
