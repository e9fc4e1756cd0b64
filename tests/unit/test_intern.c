/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "profiler/base/intern.h"
#include "tests/unit/fail_alloc.h"

static uint32_t add(struct intern *in, const char *text)
{
	uint32_t number = UINT32_MAX;

	assert_int_equal(intern_add_text(in, text, &number), 0);
	return number;
}

static void test_empty(void **state)
{
	_cleanup_(intern_freep) struct intern *in = intern_new();

	assert_int_equal(intern_count(in), 1);
	assert_string_equal(intern_text(in, 0), "");
	assert_int_equal(add(in, ""), 0);
	assert_int_equal(intern_count(in), 1);
}

static void test_numbers(void **state)
{
	_cleanup_(intern_freep) struct intern *in = intern_new();

	assert_int_equal(add(in, "main"), 1);
	assert_int_equal(add(in, "leaf"), 2);
	assert_int_equal(add(in, "main"), 1);
	assert_int_equal(intern_count(in), 3);
	assert_string_equal(intern_text(in, 2), "leaf");
	assert_int_equal(intern_size(in, 2), 4);
}

static void test_nul(void **state)
{
	_cleanup_(intern_freep) struct intern *in = intern_new();
	uint32_t whole, half, again;

	assert_int_equal(intern_add(in, "a\0b", 3, &whole), 0);
	assert_int_equal(intern_add(in, "a", 1, &half), 0);
	assert_int_equal(intern_add(in, "a\0b", 3, &again), 0);
	assert_true(whole != half);
	assert_int_equal(whole, again);
	assert_int_equal(intern_size(in, whole), 3);
	assert_memory_equal(intern_text(in, whole), "a\0b\0", 4);
}

static void test_many(void **state)
{
	_cleanup_(intern_freep) struct intern *in = intern_new();
	const char *first;
	char text[32];
	int round, i;

	add(in, "0");
	first = intern_text(in, 1);
	for (round = 0; round < 2; round++) {
		for (i = 0; i < 20000; i++) {
			snprintf(text, sizeof(text), "%d", i);
			assert_int_equal(add(in, text), i + 1);
		}
	}
	assert_int_equal(intern_count(in), 20001);
	assert_ptr_equal(intern_text(in, 1), first);
	assert_string_equal(intern_text(in, 12346), "12345");
	assert_true(intern_bytes(in) > 20000 * 8);
}

static int fill(void *arg)
{
	_cleanup_(intern_freep) struct intern *in = intern_new();
	uint32_t number;
	char text[16];
	int r, i;

	if (!in)
		return -ENOMEM;
	for (i = 0; i < 200; i++) {
		snprintf(text, sizeof(text), "%d", i);
		r = intern_add_text(in, text, &number);
		if (r < 0)
			return r;
	}
	return 0;
}

static void test_no_memory(void **state)
{
	assert_true(fail_alloc_each(fill, NULL) > 8);
}

static void test_goes_on(void **state)
{
	_cleanup_(intern_freep) struct intern *in = intern_new();
	uint32_t number = 42;
	char text[16];
	int i;

	for (i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "%d", i);
		fail_alloc_after(0);
		if (intern_add_text(in, text, &number) < 0)
			assert_int_equal(add(in, text), i + 1);
		fail_alloc_stop();
		assert_string_equal(intern_text(in, (uint32_t)i + 1), text);
	}
}

static void test_known(void **state)
{
	_cleanup_(intern_freep) struct intern *in = intern_new();
	char text[16];
	uint32_t number;

	assert_non_null(in);
	for (uint32_t i = 1; i < 1000; i++) {
		snprintf(text, sizeof(text), "%u", i);
		assert_int_equal(intern_add_text(in, text, &number), 0);
		fail_alloc_after(0);
		assert_int_equal(intern_add_text(in, text, &number), 0);
		assert_false(fail_alloc_stop());
		assert_int_equal(number, i);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("number 0 is the empty text", test_empty),
		UNIT_TEST("equal texts have one number, others their own", test_numbers),
		UNIT_TEST("texts are told apart behind a NUL", test_nul),
		UNIT_TEST("many texts keep their numbers and their places", test_many),
		UNIT_TEST("each allocation may fail", test_no_memory),
		UNIT_TEST("a text that found no memory can be added later", test_goes_on),
		UNIT_TEST("a text that is known needs no memory", test_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
