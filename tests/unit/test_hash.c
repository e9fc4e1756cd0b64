/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <string.h>

#include "profiler/base/hash.h"

static void test_every_bit_counts(void **state)
{
	unsigned char bytes[41] = { 0 };
	uint64_t plain;
	size_t bit;

	plain = hash_bytes(bytes, sizeof(bytes));
	for (bit = 0; bit < 8 * sizeof(bytes); bit++) {
		bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
		assert_true(hash_bytes(bytes, sizeof(bytes)) != plain);
		bytes[bit / 8] ^= (unsigned char)(1u << bit % 8);
	}
	assert_int_equal(hash_bytes(bytes, sizeof(bytes)), plain);
}

static void test_size_counts(void **state)
{
	static const unsigned char zeros[64];
	uint64_t hashes[64];
	size_t i, k;

	for (i = 0; i < 64; i++) {
		hashes[i] = hash_bytes(zeros, i);
		for (k = 0; k < i; k++)
			assert_true(hashes[i] != hashes[k]);
	}
}

/* Tables use the low bits: small numbers and page addresses must spread over them. */
static void test_spreads(void **state)
{
	unsigned int shift, slot, used;
	unsigned char seen[1024];
	uint64_t key;

	for (shift = 0; shift < 48; shift++) {
		memset(seen, 0, sizeof(seen));
		used = 0;
		for (key = 0; key < 1024; key++) {
			uint64_t shifted = key << shift;

			slot = hash_bytes(&shifted, sizeof(shifted)) % 1024;
			used += !seen[slot];
			seen[slot] = 1;
		}
		/* By chance 1 - 1/e of the slots, 647, are used. */
		assert_in_range(used, 590, 710);
	}
}

static void test_unaligned(void **state)
{
	char text[] = "xthe same bytes, elsewhere";
	char moved[sizeof(text) + 1];

	memcpy(moved + 2, text + 1, sizeof(text) - 1);
	assert_int_equal(hash_bytes(text + 1, sizeof(text) - 1),
			 hash_bytes(moved + 2, sizeof(text) - 1));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("every bit changes the hash", test_every_bit_counts),
		UNIT_TEST("zeros of other sizes hash otherwise", test_size_counts),
		UNIT_TEST("numbers with low or high bits only spread over the low bits of the hash",
			  test_spreads),
		UNIT_TEST("the hash does not depend on where the bytes are", test_unaligned),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
