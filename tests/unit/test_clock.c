/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <time.h>

#include "profiler/base/clock.h"

static void test_monotonic(void **state)
{
	struct timespec pause = { .tv_nsec = 5000000 };
	uint64_t begin_ns = clock_monotonic_ns();

	nanosleep(&pause, NULL);
	assert_true(clock_monotonic_ns() - begin_ns >= 5000000);
}

static void test_realtime(void **state)
{
	uint64_t seconds = clock_realtime_ns() / 1000000000;

	assert_in_range(seconds, (uint64_t)time(NULL) - 2, (uint64_t)time(NULL) + 2);
}

static void test_cpu(void **state)
{
	uint64_t process_ns = clock_process_cpu_ns();
	uint64_t begin_ns = clock_thread_cpu_ns();
	struct timespec pause = { .tv_nsec = 50000000 };

	nanosleep(&pause, NULL);
	assert_true(clock_thread_cpu_ns() - begin_ns < 50000000);
	while (clock_thread_cpu_ns() - begin_ns < 2000000)
		;
	/* The kernel brings the two up to date at different moments. */
	assert_true(clock_process_cpu_ns() - process_ns >= 1000000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("the monotonic clock counts a pause in nanoseconds", test_monotonic),
		UNIT_TEST("the real time is since the epoch", test_realtime),
		UNIT_TEST("CPU clocks count work and not pauses", test_cpu),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
