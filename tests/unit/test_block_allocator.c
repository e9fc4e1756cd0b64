/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/tables/block_allocator.h"
#include "tests/unit/fail_alloc.h"

static void test_take(void **state)
{
	_cleanup_(block_allocator_freep) struct block_allocator *a = block_allocator_new(10);
	uint32_t first = 77;

	assert_int_equal(block_allocator_take(a, 11, &first), -ENOSPC);
	assert_int_equal(first, 77);
	assert_int_equal(block_allocator_take(a, 4, &first), 0);
	assert_int_equal(first, 0);
	assert_int_equal(block_allocator_take(a, 6, &first), 0);
	assert_int_equal(first, 4);
	assert_int_equal(block_allocator_take(a, 1, &first), -ENOSPC);
	assert_int_equal(block_allocator_free_count(a), 0);
	assert_int_equal(block_allocator_longest(a), 0);
	assert_int_equal(block_allocator_tail(a), 0);
	assert_null(block_allocator_free(NULL));
}

static void test_join(void **state)
{
	_cleanup_(block_allocator_freep) struct block_allocator *a = block_allocator_new(9);
	uint32_t first;

	for (int i = 0; i < 3; i++)
		assert_int_equal(block_allocator_take(a, 3, &first), 0);
	block_allocator_give(a, 0, 3);
	block_allocator_give(a, 6, 3);
	assert_int_equal(block_allocator_longest(a), 3);
	assert_int_equal(block_allocator_take(a, 4, &first), -ENOSPC);
	block_allocator_give(a, 3, 3);
	assert_int_equal(block_allocator_longest(a), 9);
	assert_int_equal(block_allocator_tail(a), 9);
	assert_int_equal(block_allocator_take(a, 9, &first), 0);
	assert_int_equal(first, 0);
}

static void test_grow(void **state)
{
	_cleanup_(block_allocator_freep) struct block_allocator *a = block_allocator_new(0);
	uint32_t first;

	assert_int_equal(block_allocator_take(a, 1, &first), -ENOSPC);
	assert_int_equal(block_allocator_grow(a, 4), 0);
	assert_int_equal(block_allocator_take(a, 3, &first), 0);
	assert_int_equal(block_allocator_tail(a), 1);
	assert_int_equal(block_allocator_grow(a, 4), 0);
	assert_int_equal(block_allocator_count(a), 8);
	assert_int_equal(block_allocator_tail(a), 5);
	assert_int_equal(block_allocator_take(a, 5, &first), 0);
	assert_int_equal(first, 3);
	assert_int_equal(block_allocator_grow(a, UINT32_MAX), -ENOMEM);
}

static void test_shrink(void **state)
{
	_cleanup_(block_allocator_freep) struct block_allocator *a = block_allocator_new(8);
	uint32_t first;

	assert_int_equal(block_allocator_take(a, 3, &first), 0);
	block_allocator_shrink(a, 2);
	assert_int_equal(block_allocator_count(a), 6);
	assert_int_equal(block_allocator_free_count(a), 3);
	assert_int_equal(block_allocator_tail(a), 3);
	block_allocator_shrink(a, 3);
	assert_int_equal(block_allocator_tail(a), 0);
	assert_int_equal(block_allocator_take(a, 1, &first), -ENOSPC);
	assert_int_equal(block_allocator_grow(a, 1), 0);
	assert_int_equal(block_allocator_take(a, 1, &first), 0);
	assert_int_equal(first, 3);
}

static void test_retire(void **state)
{
	_cleanup_(block_allocator_freep) struct block_allocator *a = block_allocator_new(12);
	uint32_t first;

	for (int i = 0; i < 4; i++)
		assert_int_equal(block_allocator_take(a, 3, &first), 0);
	block_allocator_retire(a, 6, 3, 200);
	block_allocator_retire(a, 0, 3, 100);
	block_allocator_give(a, 3, 3);
	assert_int_equal(block_allocator_longest(a), 3);
	assert_int_equal(block_allocator_longest_soon(a), 9);
	assert_int_equal(block_allocator_collect(a, 99), 0);
	assert_int_equal(block_allocator_collect(a, 100), 3);
	assert_int_equal(block_allocator_longest(a), 6);
	assert_int_equal(block_allocator_longest_soon(a), 9);
	assert_int_equal(block_allocator_collect(a, 300), 3);
	assert_int_equal(block_allocator_longest(a), 9);
	assert_int_equal(block_allocator_free_count(a), 9);
}

#define BLOCKS 512

struct out {
	uint32_t first, count;
};

/* Random takes, gives and retirements: no block is given twice, none is lost. */
static void test_random(void **state)
{
	_cleanup_(block_allocator_freep) struct block_allocator *a = block_allocator_new(BLOCKS);
	bool taken[BLOCKS] = { false };
	struct out outs[BLOCKS];
	uint32_t out_count = 0, blocks = 0, first, retired = 0;
	unsigned int seed = 7;

	for (uint64_t now_ns = 1; now_ns < 20000; now_ns++) {
		uint32_t count = 1 + rand_r(&seed) % 20;

		if (rand_r(&seed) % 2 && !block_allocator_take(a, count, &first)) {
			for (uint32_t i = first; i < first + count; i++) {
				assert_false(taken[i]);
				taken[i] = true;
			}
			outs[out_count++] = (struct out){ first, count };
			blocks += count;
		} else if (out_count > 0) {
			uint32_t index = rand_r(&seed) % out_count;
			struct out out = outs[index];

			outs[index] = outs[--out_count];
			blocks -= out.count;
			memset(taken + out.first, 0, out.count);
			if (rand_r(&seed) % 3) {
				block_allocator_give(a, out.first, out.count);
			} else {
				block_allocator_retire(a, out.first, out.count, now_ns);
				retired += out.count;
			}
		}
		retired -= block_allocator_collect(a, now_ns > 20 ? now_ns - 20 : 0);
		assert_int_equal(block_allocator_free_count(a), BLOCKS - blocks - retired);
		assert_true(block_allocator_longest(a) <= block_allocator_longest_soon(a));
	}
	while (out_count > 0) {
		out_count--;
		block_allocator_give(a, outs[out_count].first, outs[out_count].count);
	}
	block_allocator_collect(a, UINT64_MAX);
	assert_int_equal(block_allocator_longest(a), BLOCKS);
}

static int use(void *arg)
{
	_cleanup_(block_allocator_freep) struct block_allocator *a = block_allocator_new(100);
	uint32_t first;
	int r = a ? 0 : -ENOMEM;

	for (int i = 0; i < 50 && !r; i++)
		r = block_allocator_take(a, 1, &first);
	/* Giving back every other one makes the most runs; it needs no memory. */
	for (uint32_t i = 0; i < 50 && !r; i += 2) {
		if (i % 4)
			block_allocator_give(a, i, 1);
		else
			block_allocator_retire(a, i, 1, 0);
	}
	return r;
}

static void test_no_memory(void **state)
{
	assert_true(fail_alloc_each(use, NULL) > 3);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("runs are taken from the start until nothing is left", test_take),
		UNIT_TEST("neighbours given back become one run", test_join),
		UNIT_TEST("growing makes the last run longer", test_grow),
		UNIT_TEST("shrinking takes off free blocks at the end", test_shrink),
		UNIT_TEST("what is retired comes back when its time has come", test_retire),
		UNIT_TEST("no block is given twice and none is lost", test_random),
		UNIT_TEST("only taking needs memory", test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
