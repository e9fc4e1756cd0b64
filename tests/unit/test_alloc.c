/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "tests/unit/fail_alloc.h"

struct item {
	char bytes[24];
};

static void test_content(void **state)
{
	int *numbers = NULL;
	size_t capacity = 0;
	int i;

	for (i = 0; i < 1000; i++) {
		assert_int_equal(alloc_grow(&numbers, &capacity, (size_t)i + 1), 0);
		assert_true(capacity > (size_t)i);
		numbers[i] = i;
	}
	for (i = 0; i < 1000; i++)
		assert_int_equal(numbers[i], i);
	free(numbers);
}

static void test_half(void **state)
{
	char *bytes = NULL;
	size_t capacity = 0;

	assert_int_equal(alloc_grow(&bytes, &capacity, 100), 0);
	assert_int_equal(capacity, 100);
	assert_int_equal(alloc_grow(&bytes, &capacity, 101), 0);
	assert_int_equal(capacity, 150);
	assert_int_equal(alloc_grow(&bytes, &capacity, 150), 0);
	assert_int_equal(capacity, 150);
	free(bytes);
}

static void test_overflow(void **state)
{
	struct item *items = NULL;
	size_t capacity = 0;

	assert_int_equal(alloc_grow(&items, &capacity, SIZE_MAX / sizeof(*items) + 2), -ENOMEM);
	assert_null(items);
	assert_int_equal(capacity, 0);
}

static void test_no_memory(void **state)
{
	struct item *items = NULL, *before;
	size_t capacity = 0;

	assert_int_equal(alloc_grow(&items, &capacity, 4), 0);
	before = items;
	fail_alloc_after(0);
	assert_int_equal(alloc_grow(&items, &capacity, 100), -ENOMEM);
	assert_true(fail_alloc_stop());
	assert_ptr_equal(items, before);
	assert_int_equal(capacity, 8);
	free(items);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("an array keeps its content as it grows", test_content),
		UNIT_TEST("an array grows at least by half, and only when it must", test_half),
		UNIT_TEST("a size beyond the address space is refused", test_overflow),
		UNIT_TEST("an array that cannot grow stays as it was", test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
