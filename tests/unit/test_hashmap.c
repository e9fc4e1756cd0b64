/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/hashmap.h"
#include "tests/unit/fail_alloc.h"

static void set(struct hashmap *map, uint32_t key, uint32_t value, int expected)
{
	void *place = NULL;

	assert_int_equal(hashmap_add(map, &key, &place), expected);
	if (expected)
		assert_int_equal(*(uint32_t *)place, 0);
	*(uint32_t *)place = value;
}

static uint32_t *get(struct hashmap *map, uint32_t key)
{
	return hashmap_find(map, &key);
}

static void test_empty(void **state)
{
	_cleanup_(hashmap_freep) struct hashmap *map = hashmap_new(4, 4);
	uint32_t key = 1;
	size_t position = 0;

	assert_null(get(map, 1));
	assert_false(hashmap_remove(map, &key));
	assert_false(hashmap_next(map, &position, NULL, NULL));
	hashmap_clear(map);
	assert_int_equal(hashmap_count(map), 0);
}

static void test_add_find(void **state)
{
	_cleanup_(hashmap_freep) struct hashmap *map = hashmap_new(4, 4);

	set(map, 7, 70, 1);
	set(map, 8, 80, 1);
	set(map, 7, 71, 0);
	assert_int_equal(*get(map, 7), 71);
	assert_int_equal(*get(map, 8), 80);
	assert_null(get(map, 9));
	assert_int_equal(hashmap_count(map), 2);
}

#define KEYS 3000

/* Random adds and removes beside a plain array of what should be there. */
static void test_against_array(void **state)
{
	_cleanup_(hashmap_freep) struct hashmap *map = hashmap_new(4, 4);
	static uint32_t expected[KEYS];
	unsigned int seed = 1;
	size_t count = 0, step;
	uint32_t key;

	memset(expected, 0, sizeof(expected));
	for (step = 1; step < 200000; step++) {
		key = (uint32_t)rand_r(&seed) % KEYS;
		if (rand_r(&seed) % 2) {
			set(map, key, (uint32_t)step, !expected[key]);
			count += !expected[key];
			expected[key] = (uint32_t)step;
		} else {
			assert_int_equal(hashmap_remove(map, &key), expected[key] != 0);
			count -= expected[key] != 0;
			expected[key] = 0;
		}
		assert_int_equal(hashmap_count(map), count);
	}
	for (key = 0; key < KEYS; key++) {
		assert_int_equal(get(map, key) != NULL, expected[key] != 0);
		if (expected[key])
			assert_int_equal(*get(map, key), expected[key]);
	}
}

static void test_walk(void **state)
{
	_cleanup_(hashmap_freep) struct hashmap *map = hashmap_new(4, 4);
	bool seen[500] = { false };
	size_t position = 0, count = 0;
	const void *key;
	uint32_t i;
	void *value;

	for (i = 0; i < 500; i++)
		set(map, i, i + 1000, 1);
	while (hashmap_next(map, &position, &key, &value)) {
		i = *(const uint32_t *)key;
		assert_false(seen[i]);
		seen[i] = true;
		assert_int_equal(*(uint32_t *)value, i + 1000);
		count++;
	}
	assert_int_equal(count, 500);
}

static void test_clear(void **state)
{
	_cleanup_(hashmap_freep) struct hashmap *map = hashmap_new(4, 4);
	size_t bytes;
	uint32_t i;

	for (i = 0; i < 100; i++)
		set(map, i, i, 1);
	bytes = hashmap_bytes(map);
	hashmap_clear(map);
	assert_int_equal(hashmap_count(map), 0);
	assert_null(get(map, 5));
	for (i = 0; i < 100; i++)
		set(map, i, i, 1);
	assert_int_equal(hashmap_bytes(map), bytes);
}

static void test_set(void **state)
{
	_cleanup_(hashmap_freep) struct hashmap *map = hashmap_new(3, 0);

	assert_int_equal(hashmap_add(map, "abc", NULL), 1);
	assert_int_equal(hashmap_add(map, "abd", NULL), 1);
	assert_int_equal(hashmap_add(map, "abc", NULL), 0);
	assert_non_null(hashmap_find(map, "abd"));
	assert_null(hashmap_find(map, "abe"));
}

static void test_odd_sizes(void **state)
{
	_cleanup_(hashmap_freep) struct hashmap *map = hashmap_new(3, 12);
	char key[4] = "aa";
	void *value;
	int i;

	for (i = 0; i < 26; i++) {
		key[2] = (char)('a' + i);
		assert_int_equal(hashmap_add(map, key, &value), 1);
		assert_int_equal((uintptr_t)value % 8, 0);
		memset(value, key[2], 12);
	}
	assert_memory_equal(hashmap_find(map, "aaq"), "qqqqqqqqqqqq", 12);
}

static int fill(void *arg)
{
	_cleanup_(hashmap_freep) struct hashmap *map = hashmap_new(4, 4);
	uint32_t i;
	int r;

	if (!map)
		return -ENOMEM;
	for (i = 0; i < 100; i++) {
		r = hashmap_add(map, &i, NULL);
		if (r < 0)
			return r;
	}
	return 0;
}

static void test_no_memory(void **state)
{
	assert_true(fail_alloc_each(fill, NULL) >= 7);
}

static void test_stays(void **state)
{
	_cleanup_(hashmap_freep) struct hashmap *map = hashmap_new(4, 4);
	uint32_t i, refused = 0;
	void *value;

	for (i = 0; i < 1000; i++) {
		fail_alloc_after(i % 2);
		if (hashmap_add(map, &i, &value) == -ENOMEM) {
			refused++;
			assert_null(get(map, i));
			fail_alloc_stop();
			assert_int_equal(hashmap_add(map, &i, &value), 1);
		}
		fail_alloc_stop();
		*(uint32_t *)value = i;
	}
	assert_true(refused > 3);
	for (i = 0; i < 1000; i++)
		assert_int_equal(*get(map, i), i);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("an empty map has nothing", test_empty),
		UNIT_TEST("what was added is found, once", test_add_find),
		UNIT_TEST("a map is right after any adds and removes", test_against_array),
		UNIT_TEST("a walk meets each entry once", test_walk),
		UNIT_TEST("a cleared map is empty and keeps its memory", test_clear),
		UNIT_TEST("a map without values is a set", test_set),
		UNIT_TEST("values are aligned whatever the sizes", test_odd_sizes),
		UNIT_TEST("each allocation may fail", test_no_memory),
		UNIT_TEST("a map that could not grow is as it was", test_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
