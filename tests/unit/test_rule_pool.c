/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "profiler/unwind/unwind_table.h"
#include "tests/unit/fail_alloc.h"
#include "tests/unit/unit.h"

static struct unwind_rule rule(uint32_t number)
{
	return (struct unwind_rule){
		.kind = (uint8_t)(1 + number % 5),
		.fp = (uint8_t)(number % 3),
		.fp_offset = (int16_t) - (number % 1000),
		.cfa_offset = (int32_t)number * 8,
	};
}

static void test_rule_zero(void **state)
{
	_cleanup_(rule_pool_freep) struct rule_pool *pool = rule_pool_new(10);
	uint32_t number = 7;

	assert_int_equal(rule_pool_count(pool), 1);
	assert_int_equal(rule_pool_rule(pool, 0).kind, UNWIND_NONE);
	assert_int_equal(rule_pool_add(pool, (struct unwind_rule){ 0 }, &number), 0);
	assert_int_equal(number, 0);
	assert_true(rule_pool_numbers(pool)[0] == 0);
}

static void test_each_rule_once(void **state)
{
	_cleanup_(rule_pool_freep) struct rule_pool *pool = rule_pool_new(65536);
	uint32_t pass, i, number;

	for (pass = 0; pass < 3; pass++) {
		for (i = 0; i < 20000; i++) {
			assert_int_equal(rule_pool_add(pool, rule(i), &number), 0);
			assert_int_equal(number, i + 1);
		}
	}
	assert_int_equal(rule_pool_count(pool), 20001);
	for (i = 0; i < 20000; i++) {
		struct unwind_rule wanted = rule(i), got = rule_pool_rule(pool, i + 1);

		assert_memory_equal(&got, &wanted, sizeof(got));
		assert_memory_equal(&rule_pool_numbers(pool)[i + 1], &wanted, sizeof(wanted));
	}
	assert_int_equal(rule_pool_rule(pool, 20001).kind, UNWIND_NONE);
}

static void test_full(void **state)
{
	_cleanup_(rule_pool_freep) struct rule_pool *pool = rule_pool_new(3);
	uint32_t number = 99;

	assert_int_equal(rule_pool_add(pool, rule(1), &number), 0);
	assert_int_equal(rule_pool_add(pool, rule(2), &number), 0);
	number = 99;
	assert_int_equal(rule_pool_add(pool, rule(3), &number), -ENOSPC);
	assert_int_equal(number, 99);
	assert_int_equal(rule_pool_add(pool, rule(2), &number), 0);
	assert_int_equal(number, 2);
	assert_int_equal(rule_pool_count(pool), 3);
}

static void test_limits_out_of_range(void **state)
{
	_cleanup_(rule_pool_freep) struct rule_pool *none = rule_pool_new(0);
	_cleanup_(rule_pool_freep) struct rule_pool *all = rule_pool_new(UINT32_MAX);
	uint32_t number;

	assert_int_equal(rule_pool_add(none, rule(1), &number), -ENOSPC);
	assert_int_equal(rule_pool_add(all, rule(1), &number), 0);
}

static int make_and_fill(void *arg)
{
	_cleanup_(rule_pool_freep) struct rule_pool *pool = rule_pool_new(1000);
	uint32_t i, number;
	int r;

	if (!pool)
		return -ENOMEM;
	for (i = 0; i < 500; i++) {
		r = rule_pool_add(pool, rule(i), &number);
		if (r < 0)
			return r;
		assert_int_equal(number, i + 1);
	}
	return 0;
}

static void test_no_memory(void **state)
{
	assert_true(fail_alloc_each(make_and_fill, NULL) > 3);
}

/* A failure to remember a rule must not leave half of it behind. */
static void test_again_after_no_memory(void **state)
{
	_cleanup_(rule_pool_freep) struct rule_pool *pool = rule_pool_new(1000);
	uint32_t i, number, failures = 0;

	for (i = 0; i < 500; i++) {
		fail_alloc_after(0);
		failures += rule_pool_add(pool, rule(i), &number) == -ENOMEM;
		fail_alloc_stop();
		assert_int_equal(rule_pool_add(pool, rule(i), &number), 0);
		assert_int_equal(number, i + 1);
	}
	assert_true(failures > 3);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("rule 0 is no rule", test_rule_zero),
		UNIT_TEST("each rule is there once", test_each_rule_once),
		UNIT_TEST("a full pool still finds", test_full),
		UNIT_TEST("limits out of range are cut", test_limits_out_of_range),
		UNIT_TEST("without memory nothing is lost", test_no_memory),
		UNIT_TEST("after a failure it goes on", test_again_after_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
