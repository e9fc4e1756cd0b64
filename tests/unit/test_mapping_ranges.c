/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>

#include "profiler/processes/mapping_ranges.h"
#include "tests/unit/fail_alloc.h"

static uint32_t take(struct mapping_ranges *ranges, uint32_t pid, uint32_t count, uint64_t now_ns)
{
	uint32_t first = UINT32_MAX;

	assert_int_equal(mapping_ranges_take(ranges, pid, count, now_ns, &first), 0);
	return first;
}

static void test_replace(void **state)
{
	_cleanup_(mapping_ranges_freep) struct mapping_ranges *ranges = mapping_ranges_new(10);
	uint32_t first = 77;

	assert_int_equal(take(ranges, 1, 4, 100), 0);
	assert_int_equal(mapping_ranges_retired(ranges), 0);
	assert_int_equal(take(ranges, 1, 5, 200), 4);
	assert_int_equal(mapping_ranges_retired(ranges), 4);
	assert_int_equal(mapping_ranges_take(ranges, 1, 2, 300, &first), -ENOSPC);
	assert_int_equal(first, 77);
	assert_int_equal(mapping_ranges_retired(ranges), 4);
	mapping_ranges_mark_begin(ranges);
	assert_int_equal(mapping_ranges_sweep(ranges, 199), 0);
	assert_int_equal(mapping_ranges_sweep(ranges, 200), 4);
	assert_int_equal(mapping_ranges_used(ranges), 5);
	assert_int_equal(take(ranges, 2, 4, 300), 0);
}

static void test_mark(void **state)
{
	_cleanup_(mapping_ranges_freep) struct mapping_ranges *ranges = mapping_ranges_new(10);
	uint32_t first = take(ranges, 1, 3, 100), other = take(ranges, 2, 3, 100);

	mapping_ranges_drop(ranges, 1, 100);
	mapping_ranges_drop(ranges, 2, 100);
	mapping_ranges_mark_begin(ranges);
	mapping_ranges_mark(ranges, first);
	mapping_ranges_mark(ranges, 9);
	assert_int_equal(mapping_ranges_sweep(ranges, 1000), 3);
	assert_int_equal(take(ranges, 3, 3, 200), other);
	mapping_ranges_mark_begin(ranges);
	assert_int_equal(mapping_ranges_sweep(ranges, 1000), 3);
	assert_int_equal(mapping_ranges_used(ranges), 3);
}

static void test_share(void **state)
{
	_cleanup_(mapping_ranges_freep) struct mapping_ranges *ranges = mapping_ranges_new(10);

	assert_int_equal(mapping_ranges_share(ranges, 1, 2, 50), 0);
	take(ranges, 1, 3, 100);
	assert_int_equal(mapping_ranges_share(ranges, 1, 2, 100), 0);
	assert_int_equal(mapping_ranges_share(ranges, 1, 2, 100), 0);
	mapping_ranges_drop(ranges, 1, 200);
	mapping_ranges_drop(ranges, 1, 200);
	assert_int_equal(mapping_ranges_retired(ranges), 0);
	mapping_ranges_mark_begin(ranges);
	assert_int_equal(mapping_ranges_sweep(ranges, 1000), 0);
	/* The child gets its own list. */
	take(ranges, 2, 2, 300);
	assert_int_equal(mapping_ranges_retired(ranges), 3);
	mapping_ranges_mark_begin(ranges);
	assert_int_equal(mapping_ranges_sweep(ranges, 1000), 3);
	assert_int_equal(mapping_ranges_used(ranges), 2);
}

static void test_users(void **state)
{
	_cleanup_(mapping_ranges_freep) struct mapping_ranges *ranges = mapping_ranges_new(10);
	uint32_t pid, sum = 0, count = 0;
	size_t position = 0;

	take(ranges, 10, 1, 1);
	take(ranges, 20, 1, 1);
	mapping_ranges_share(ranges, 20, 30, 1);
	mapping_ranges_drop(ranges, 10, 1);
	while (mapping_ranges_next_user(ranges, &position, &pid)) {
		sum += pid;
		count++;
	}
	assert_int_equal(count, 2);
	assert_int_equal(sum, 50);
}

static int use(void *arg)
{
	_cleanup_(mapping_ranges_freep) struct mapping_ranges *ranges = mapping_ranges_new(100);
	uint32_t first;
	int r = ranges ? 0 : -ENOMEM;

	for (uint32_t pid = 1; pid < 30 && !r; pid++) {
		r = mapping_ranges_take(ranges, pid, 2, pid, &first);
		if (!r)
			r = mapping_ranges_share(ranges, pid, pid + 100, pid);
	}
	return r;
}

static void test_no_memory(void **state)
{
	assert_true(fail_alloc_each(use, NULL) > 5);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("a replaced range is free after a while", test_replace),
		UNIT_TEST("a range that an entry names stays", test_mark),
		UNIT_TEST("a shared range stays until the last user leaves", test_share),
		UNIT_TEST("users can be listed", test_users),
		UNIT_TEST("any allocation may fail", test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
