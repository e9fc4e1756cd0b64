/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/unwind/special_code.h"

#include <stdlib.h>
#include <string.h>

#include "profiler/base/clock.h"
#include "tests/unit/unit.h"

#define START 0x1000ull
/* As the text of the largest programs that have hardly any CFI; a look at all of it takes milliseconds. */
#define LARGE_BYTES (64u << 20)
#define LARGE_EVERY (16u << 10)
#define LARGE_NS (5 * 1000000000ull)

static const uint8_t trampoline[] = { 0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05 };
/* call *%rax; mov %eax,%edi; xor %eax,%eax; mov $60,%al; syscall */
static const uint8_t outermost_call[] = { 0xff, 0xd0, 0x89, 0xc7, 0x31,
					  0xc0, 0xb0, 0x3c, 0x0f, 0x05 };

static uint8_t *text_new(size_t size)
{
	uint8_t *bytes = malloc(size);

	assert_non_null(bytes);
	return memset(bytes, 0x90, size);
}

static struct special_code code_of(const uint8_t *bytes, size_t size)
{
	struct special_code code = { .segment_count = 1 };

	code.segments[0] = (struct text_segment){ START, START + size, bytes };
	return code;
}

static void expect_range(struct special_code *code, uint64_t from, uint64_t to, uint64_t start,
			 uint64_t end, uint32_t kind)
{
	struct special_range range;

	assert_true(special_code_next(code, from, to, &range));
	assert_int_equal(range.start, start);
	assert_int_equal(range.end, end);
	assert_int_equal(range.rule.kind, kind);
}

static void test_order(void **state)
{
	uint8_t bytes[0x400];
	struct special_code code = code_of(bytes, sizeof(bytes));
	struct special_range range;
	uint64_t end = START + sizeof(bytes);

	memset(bytes, 0x90, sizeof(bytes));
	memcpy(bytes + 0x100, outermost_call, sizeof(outermost_call));
	memcpy(bytes + 0x200, trampoline, sizeof(trampoline));
	memcpy(bytes + 0x300, outermost_call, sizeof(outermost_call));
	expect_range(&code, START, end, START + 0x101, START + 0x10a, UNWIND_END);
	expect_range(&code, START + 0x10a, end, START + 0x1ff, START + 0x209, UNWIND_SIGNAL);
	expect_range(&code, START + 0x209, end, START + 0x301, START + 0x30a, UNWIND_END);
	assert_false(special_code_next(&code, START + 0x30a, end, &range));
	/* Other gaps, behind and before. */
	assert_false(special_code_next(&code, START + 0x10a, START + 0x1f0, &range));
	expect_range(&code, START, START + 0x280, START + 0x101, START + 0x10a, UNWIND_END);
	assert_false(special_code_next(&code, START + 0x30b, end, &range));
}

static void put(uint8_t *bytes, const uint8_t *what, size_t size)
{
	for (size_t at = LARGE_EVERY; at + size < LARGE_BYTES; at += LARGE_EVERY)
		memcpy(bytes + at, what, size);
}

/* All there are of @kind, as those who build a table ask for them. Returns how many. */
static size_t walk(struct special_code *code, uint32_t kind)
{
	uint64_t at = START, end = START + LARGE_BYTES;
	struct special_range range;
	size_t count = 0;

	while (special_code_next(code, at, end, &range)) {
		count += range.rule.kind == kind;
		assert_true(range.end > at);
		at = range.end;
	}
	return count;
}

static void test_many_calls(void **state)
{
	_cleanup_free_ uint8_t *bytes = text_new(LARGE_BYTES);
	struct special_code code = code_of(bytes, LARGE_BYTES);
	uint64_t begin_ns = clock_thread_cpu_ns();

	put(bytes, outermost_call, sizeof(outermost_call));
	assert_int_equal(walk(&code, UNWIND_END), LARGE_BYTES / LARGE_EVERY - 1);
	assert_true(clock_thread_cpu_ns() - begin_ns < LARGE_NS);
}

static void test_many_trampolines(void **state)
{
	_cleanup_free_ uint8_t *bytes = text_new(LARGE_BYTES);
	struct special_code code = code_of(bytes, LARGE_BYTES);
	uint64_t begin_ns = clock_thread_cpu_ns();

	put(bytes, trampoline, sizeof(trampoline));
	memcpy(bytes + LARGE_BYTES - 100, outermost_call, sizeof(outermost_call));
	assert_int_equal(walk(&code, UNWIND_SIGNAL), LARGE_BYTES / LARGE_EVERY - 1);
	assert_true(clock_thread_cpu_ns() - begin_ns < LARGE_NS);
}

/* Asked in any order it says what one says that was asked nothing before. */
static void test_any_order(void **state)
{
	uint8_t bytes[0x800];
	struct special_code code = code_of(bytes, sizeof(bytes));
	size_t found = 0;

	srand(1);
	memset(bytes, 0x90, sizeof(bytes));
	for (int i = 0; i < 40; i++) {
		bool is_call = rand() % 2;

		memcpy(bytes + rand() % (sizeof(bytes) - 16), is_call ? outermost_call : trampoline,
		       is_call ? sizeof(outermost_call) : sizeof(trampoline));
	}
	for (int i = 0; i < 20000; i++) {
		struct special_code fresh = code_of(bytes, sizeof(bytes));
		uint64_t to = START + 1 + rand() % sizeof(bytes), from;
		struct special_range expected = { 0 }, range = { 0 };

		/* The same gap several times, most of them forwards. */
		for (from = START + rand() % (to - START); from < to; from += 1 + rand() % 200) {
			bool known = special_code_next(&fresh, from, to, &expected);

			assert_int_equal(special_code_next(&code, from, to, &range), known);
			if (!known)
				break;
			found++;
			assert_int_equal(range.start, expected.start);
			assert_int_equal(range.end, expected.end);
			assert_int_equal(range.rule.kind, expected.rule.kind);
			fresh = code_of(bytes, sizeof(bytes));
		}
	}
	assert_true(found > 10000);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("special places are found in their order", test_order),
		UNIT_TEST("what is known of a gap changes no answer", test_any_order),
		UNIT_TEST("a large gap with thousands of calls is gone through once",
			  test_many_calls),
		UNIT_TEST("a large gap with thousands of trampolines is gone through once",
			  test_many_trampolines),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
