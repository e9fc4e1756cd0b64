/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "tests/unit/fail_alloc.h"

#define CHUNK_BYTES 256

static const struct size_case {
	const char *name;
	size_t size;
} size_cases[] = {
	{ "memory for nothing is a pointer of its own", 0 },
	{ "one byte is aligned and cleared", 1 },
	{ "a word is aligned and cleared", 8 },
	{ "an odd size is aligned and cleared", 13 },
	{ "what just fits a quarter of a chunk is aligned and cleared", CHUNK_BYTES / 4 },
	{ "what is larger than a quarter of a chunk is aligned and cleared", CHUNK_BYTES / 4 + 1 },
	{ "a whole chunk is aligned and cleared", CHUNK_BYTES },
	{ "more than a chunk is aligned and cleared", 5 * CHUNK_BYTES + 3 },
};

/* Each piece is filled with its own number: an overlap would show in a later look. */
static void size_row(void **state)
{
	const struct size_case *c = *state;
	_cleanup_(arena_freep) struct arena *arena = arena_new(CHUNK_BYTES);
	unsigned char *pieces[100];
	size_t i, k;

	for (i = 0; i < 100; i++) {
		pieces[i] = arena_alloc(arena, c->size);
		assert_non_null(pieces[i]);
		assert_int_equal((uintptr_t)pieces[i] % 8, 0);
		for (k = 0; k < c->size; k++)
			assert_int_equal(pieces[i][k], 0);
		memset(pieces[i], (int)i + 1, c->size);
		assert_true(!i || pieces[i] != pieces[i - 1]);
	}
	for (i = 0; i < 100; i++)
		for (k = 0; k < c->size; k++)
			assert_int_equal(pieces[i][k], i + 1);
	assert_true(arena_bytes(arena) >= 100 * c->size);
}

static void test_large_keeps_rest(void **state)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new(CHUNK_BYTES);
	char *first = arena_alloc(arena, 8);

	assert_non_null(arena_alloc(arena, 10 * CHUNK_BYTES));
	assert_ptr_equal(arena_alloc(arena, 8), first + 8);
}

static void test_copies(void **state)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new(0);

	assert_string_equal(arena_strdup(arena, "a text"), "a text");
	assert_string_equal(arena_strdup(arena, ""), "");
	assert_memory_equal(arena_copy(arena, "a\0b", 3), "a\0b", 3);
	assert_non_null(arena_copy(arena, NULL, 0));
}

static void test_overflow(void **state)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new(0);

	assert_null(arena_alloc(arena, SIZE_MAX));
	assert_null(arena_alloc(arena, SIZE_MAX - 64));
	assert_non_null(arena_alloc(arena, 16));
}

static int use_arena(void *arg)
{
	_cleanup_(arena_freep) struct arena *arena = arena_new(CHUNK_BYTES);

	if (!arena || !arena_alloc(arena, 8) || !arena_alloc(arena, CHUNK_BYTES) ||
	    !arena_strdup(arena, "text") || !arena_alloc(arena, 4 * CHUNK_BYTES))
		return -ENOMEM;
	return 0;
}

static void test_no_memory(void **state)
{
	assert_int_equal(fail_alloc_each(use_arena, NULL), 4);
}

static void test_free_null(void **state)
{
	assert_null(arena_free(NULL));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("a large piece does not waste the chunk being filled",
			  test_large_keeps_rest),
		UNIT_TEST("copies are equal to what they were made from", test_copies),
		UNIT_TEST("a size beyond the address space is refused", test_overflow),
		UNIT_TEST("each allocation may fail", test_no_memory),
		UNIT_TEST("freeing nothing does nothing", test_free_null),
	};

	return unit_run_rows("arena sizes", size_row, UNIT_ROWS(size_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
