/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "profiler/base/sorted.h"

struct small {
	uint8_t before[3];
	uint32_t key;
};

struct large {
	uint64_t key;
	uint8_t after;
};

/* Every value around the keys, against a count one by one; keys repeat. */
static void test_all(void **state)
{
	struct small small[40];
	struct large large[40];
	size_t count, expected, i;
	uint64_t value;

	for (count = 0; count <= 40; count++) {
		for (i = 0; i < count; i++) {
			small[i].key = (uint32_t)(i * i / 7 + 1);
			large[i].key = (uint64_t)small[i].key << 30;
		}
		for (value = 0; value < 240; value++) {
			for (expected = 0; expected < count && small[expected].key <= value;)
				expected++;
			assert_int_equal(sorted_count(small, count, key, value), expected);
			assert_int_equal(sorted_count(large, count, key, value << 30), expected);
		}
	}
}

/* A key of 4 bytes is not compared with the lower half of the value. */
static void test_wide_value(void **state)
{
	const struct small items[] = { { .key = 1 }, { .key = UINT32_MAX } };

	assert_int_equal(sorted_count(items, 2, key, (uint64_t)1 << 32), 2);
	assert_int_equal(sorted_count(items, 2, key, UINT32_MAX - 1), 1);
}

static void test_nothing(void **state)
{
	const struct large *none = NULL;

	assert_int_equal(sorted_count(none, 0, key, 1), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("any value finds its place among any number", test_all),
		UNIT_TEST("a value may be larger than any key", test_wide_value),
		UNIT_TEST("an empty array is searched", test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
