/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/tables/sleeper.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/unit.h"

static void test_read(void **state)
{
	static const char text[] = "what is there";
	char copy[sizeof(text)] = { 0 };

	if (sleeper_read(getpid(), (uintptr_t)text, copy, sizeof(copy)) < 0)
		skip();
	assert_string_equal(copy, text);
	assert_true(sleeper_read(getpid(), 8, copy, sizeof(copy)) < 0);
}

/* Each sleep ends with another arrival on a CPU. */
static void test_arrivals(void **state)
{
	const struct timespec moment = { .tv_nsec = 1000000 };
	uint64_t before = sleeper_arrivals(getpid(), gettid());

	if (before == SLEEPER_ARRIVALS_UNKNOWN)
		skip();
	for (int i = 0; i < 3; i++)
		nanosleep(&moment, NULL);
	assert_true(sleeper_arrivals(getpid(), gettid()) >= before + 3);
	assert_int_equal(sleeper_arrivals(0x7ffffff0, 1), SLEEPER_ARRIVALS_UNKNOWN);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("memory is read as it is, or not at all", test_read),
		UNIT_TEST("a thread that sleeps and goes on has arrived once more", test_arrivals),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
