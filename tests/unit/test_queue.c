/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <pthread.h>

#include "profiler/base/clock.h"
#include "profiler/base/queue.h"
#include "tests/unit/fail_alloc.h"

static void *item(uintptr_t number)
{
	return (void *)number;
}

static void test_order(void **state)
{
	_cleanup_(queue_freep) struct queue *queue = queue_new(3);
	uintptr_t i, round;
	void *taken;

	for (round = 0; round < 5; round++) {
		for (i = 1; i <= 2; i++)
			assert_int_equal(queue_add(queue, item(10 * round + i)), 0);
		assert_int_equal(queue_count(queue), 2);
		for (i = 1; i <= 2; i++) {
			assert_int_equal(queue_take(queue, -1, &taken), 0);
			assert_ptr_equal(taken, item(10 * round + i));
		}
	}
	assert_int_equal(queue_count(queue), 0);
}

static void test_full(void **state)
{
	_cleanup_(queue_freep) struct queue *queue = queue_new(1);
	void *taken;

	assert_int_equal(queue_add(queue, item(1)), 0);
	assert_int_equal(queue_add(queue, item(2)), -EAGAIN);
	assert_int_equal(queue_take(queue, 0, &taken), 0);
	assert_ptr_equal(taken, item(1));
	assert_int_equal(queue_add(queue, item(3)), 0);
	assert_int_equal(queue_take(queue, 0, &taken), 0);
	assert_ptr_equal(taken, item(3));
}

static void test_timeout(void **state)
{
	_cleanup_(queue_freep) struct queue *queue = queue_new(1);
	uint64_t begin_ns = clock_monotonic_ns();
	void *taken = item(42);

	assert_int_equal(queue_take(queue, 0, &taken), -ETIMEDOUT);
	assert_int_equal(queue_take(queue, 30, &taken), -ETIMEDOUT);
	assert_true(clock_monotonic_ns() - begin_ns >= 30000000);
	assert_ptr_equal(taken, item(42));
}

static void test_close(void **state)
{
	_cleanup_(queue_freep) struct queue *queue = queue_new(2);
	void *taken;

	assert_int_equal(queue_add(queue, item(1)), 0);
	queue_close(queue);
	assert_int_equal(queue_add(queue, item(2)), -EPIPE);
	assert_int_equal(queue_take(queue, -1, &taken), 0);
	assert_ptr_equal(taken, item(1));
	assert_int_equal(queue_take(queue, -1, &taken), -EPIPE);
	assert_int_equal(queue_take(queue, 1000, &taken), -EPIPE);
}

static void *take_one(void *queue)
{
	void *taken = NULL;
	int r = queue_take(queue, -1, &taken);

	return r ? item((uintptr_t)-r) : taken;
}

static void test_close_wakes(void **state)
{
	_cleanup_(queue_freep) struct queue *queue = queue_new(2);
	pthread_t threads[2];
	void *result;
	int i;

	for (i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, take_one, queue), 0);
	queue_close(queue);
	for (i = 0; i < 2; i++) {
		pthread_join(threads[i], &result);
		assert_ptr_equal(result, item(EPIPE));
	}
}

#define ITEMS 20000

static void *add_all(void *queue)
{
	uintptr_t i;
	int r;

	for (i = 1; i <= ITEMS; i++) {
		do
			r = queue_add(queue, item(i));
		while (r == -EAGAIN);
		if (r)
			return item(1);
	}
	return NULL;
}

static void *sum_all(void *queue)
{
	uintptr_t sum = 0;
	void *taken;

	while (!queue_take(queue, -1, &taken))
		sum += (uintptr_t)taken;
	return item(sum);
}

static void test_threads(void **state)
{
	_cleanup_(queue_freep) struct queue *queue = queue_new(16);
	pthread_t adders[2], takers[2];
	uintptr_t sum = 0;
	void *result;
	int i;

	for (i = 0; i < 2; i++) {
		assert_int_equal(pthread_create(&takers[i], NULL, sum_all, queue), 0);
		assert_int_equal(pthread_create(&adders[i], NULL, add_all, queue), 0);
	}
	for (i = 0; i < 2; i++) {
		pthread_join(adders[i], &result);
		assert_null(result);
	}
	queue_close(queue);
	for (i = 0; i < 2; i++) {
		pthread_join(takers[i], &result);
		sum += (uintptr_t)result;
	}
	assert_int_equal(sum, 2 * (uintptr_t)ITEMS * (ITEMS + 1) / 2);
}

static void test_no_memory(void **state)
{
	fail_alloc_after(0);
	assert_null(queue_new(4));
	assert_true(fail_alloc_stop());
	assert_null(queue_new(SIZE_MAX / 2));
	assert_null(queue_free(NULL));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("items come out in the order they went in", test_order),
		UNIT_TEST("a full queue refuses at once", test_full),
		UNIT_TEST("a wait ends in time and leaves the result alone", test_timeout),
		UNIT_TEST("a closed queue gives what it has and takes no more", test_close),
		UNIT_TEST("closing wakes every waiting thread", test_close_wakes),
		UNIT_TEST("between threads nothing is lost or doubled", test_threads),
		UNIT_TEST("a queue may find no memory", test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
