/* SPDX-License-Identifier: BSD-2-Clause */
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "profiler/base/thread.h"
#include "tests/unit/unit.h"

static int nice_of_thread;
static char name_of_thread[16];

static void *run(void *argument)
{
	thread_begin("wick-test", 5);
	nice_of_thread = getpriority(PRIO_PROCESS, gettid());
	pthread_getname_np(pthread_self(), name_of_thread, sizeof(name_of_thread));
	return NULL;
}

static void test_begin(void **state)
{
	int before = getpriority(PRIO_PROCESS, gettid());
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, run, NULL), 0);
	pthread_join(thread, NULL);
	assert_string_equal(name_of_thread, "wick-test");
	assert_int_equal(nice_of_thread, 5);
	assert_int_equal(getpriority(PRIO_PROCESS, gettid()), before);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("a thread gets its name and nice value, and no other does", test_begin),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
