/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>

#include "symbolizer/range_index.h"

static void index_of(struct range_index *index, const uint64_t (*ranges)[2], size_t count)
{
	size_t i;

	*index = (struct range_index){ 0 };
	for (i = 0; i < count; i++)
		assert_int_equal(range_index_add(index, ranges[i][0], ranges[i][1], (uint32_t)i),
				 0);
	range_index_build(index);
}

static const struct order_case {
	const char *name;
	uint64_t ranges[4][2];
	uint64_t address;
	uint32_t expected[5];	/* values, ended by RANGE_NONE */
} order_cases[] = {
	{ "an address before all", { { 10, 20 } }, 9, { RANGE_NONE } },
	{ "the first address", { { 10, 20 } }, 10, { 0, RANGE_NONE } },
	{ "the last address", { { 10, 20 } }, 19, { 0, RANGE_NONE } },
	{ "the end is outside", { { 10, 20 } }, 20, { RANGE_NONE } },
	{ "an empty range covers nothing", { { 10, 10 } }, 10, { RANGE_NONE } },
	{ "a gap", { { 10, 20 }, { 30, 40 } }, 25, { RANGE_NONE } },
	{ "the inner one comes first", { { 10, 40 }, { 20, 30 } }, 25, { 1, 0, RANGE_NONE } },
	{ "behind the inner one", { { 10, 40 }, { 20, 30 } }, 35, { 0, RANGE_NONE } },
	{ "of equal ones the first", { { 10, 20 }, { 10, 20 } }, 15, { 0, 1, RANGE_NONE } },
	{ "overlapping ones", { { 10, 30 }, { 20, 40 }, { 5, 12 } }, 25, { 1, 0, RANGE_NONE } },
	{ "many short ones inside", { { 0, 100 }, { 10, 11 }, { 12, 13 }, { 14, 15 } }, 50,
	  { 0, RANGE_NONE } },
};

static void order_row(void **state)
{
	const struct order_case *c = *state;
	uint32_t position = RANGE_NONE;
	const struct range *range;
	struct range_index index;
	size_t i;

	index_of(&index, c->ranges, 4);
	for (i = 0; (range = range_index_next(&index, c->address, &position)); i++)
		assert_int_equal(range->value, c->expected[i]);
	assert_int_equal(c->expected[i], RANGE_NONE);
	range_index_done(&index);
}

/* Against looking at all of them. */
static void test_random(void **state)
{
	uint64_t ranges[200][2], address;
	uint32_t random = 5, position;
	const struct range *range;
	struct range_index index;
	size_t i, expected, found;

	for (i = 0; i < 200; i++) {
		random = random * 1103515245 + 12345;
		ranges[i][0] = (random >> 8) % 500;
		ranges[i][1] = ranges[i][0] + (random >> 20) % 60;
	}
	index_of(&index, ranges, 200);
	for (address = 0; address < 600; address++) {
		expected = found = 0;
		for (i = 0; i < 200; i++)
			expected += address >= ranges[i][0] && address < ranges[i][1];
		position = RANGE_NONE;
		while ((range = range_index_next(&index, address, &position))) {
			assert_true(address >= range->start && address < range->end);
			found++;
		}
		assert_int_equal(found, expected);
	}
	range_index_done(&index);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("random ranges are all found", test_random),
	};

	return unit_run_rows("order", order_row, UNIT_ROWS(order_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
