/* SPDX-License-Identifier: BSD-2-Clause */
/* test_probe_eval.c - numbers cut to their bits, and filters over values and texts. */
#include <string.h>

#include "bpf/probe_eval.h"
#include "tests/unit/unit.h"

#define S PROBE_FETCH_SIGNED

static const struct cut_case {
	const char *name;
	struct probe_fetch fetch;
	uint64_t raw, number;
} cut_cases[] = {
	{ "eight bytes stay as they are", { .bytes = 8 }, 0xfedcba9876543210, 0xfedcba9876543210 },
	{ "of an unsigned int the upper half is left out", { .bytes = 4 }, 0x1122334455667788,
	  0x55667788 },
	{ "a negative int is negative", { .bytes = 4, .flags = S }, 0x00000000ffffffff, -1ull },
	{ "an int whose upper half is set is positive", { .bytes = 4, .flags = S },
	  0xffffffff00000007, 7 },
	{ "a short has a sign", { .bytes = 2, .flags = S }, 0x8000, -32768ull },
	{ "a char has none when it is unsigned", { .bytes = 1 }, 0x1ff, 0xff },
	{ "a signed char has one", { .bytes = 1, .flags = S }, 0x80, -128ull },
	{ "bits are taken out of the middle", { .bytes = 4, .bit_shift = 4, .bit_count = 3 },
	  0xda, 5 },
	{ "a bit field has a sign", { .bytes = 4, .bit_shift = 4, .bit_count = 3, .flags = S },
	  0x70, -1ull },
	{ "one signed bit is 0 or -1", { .bytes = 1, .bit_count = 1, .flags = S }, 1, -1ull },
	{ "the highest bit of 64 can be taken", { .bytes = 8, .bit_shift = 63, .bit_count = 1 },
	  1ull << 63, 1 },
	{ "64 bits of 64 are all", { .bytes = 8, .bit_count = 64, .flags = S }, -2ull, -2ull },
};

static void cut_row(void **state)
{
	const struct cut_case *c = *state;

	assert_int_equal(probe_number_cut(&c->fetch, c->raw), c->number);
}

/* Value 0 is @left, and value 1 @right, or the constant is it. */
static const struct compare_case {
	const char *name;
	uint64_t left;
	enum probe_operator op;
	uint64_t right;
	uint8_t flags;
	int holds;
} compare_cases[] = {
	{ "a number equals itself", 5, PROBE_EQUAL, 5, 0, 1 },
	{ "and no other", 5, PROBE_EQUAL, 6, 0, 0 },
	{ "but is not equal to that", 5, PROBE_NOT_EQUAL, 6, 0, 1 },
	{ "-1 is less than 0 when both are signed", -1ull, PROBE_LESS, 0, PROBE_TERM_SIGNED, 1 },
	{ "and the greatest of all when they are not", -1ull, PROBE_LESS, 0, 0, 0 },
	{ "the least signed number is less than the greatest", 1ull << 63, PROBE_LESS,
	  ~(1ull << 63), PROBE_TERM_SIGNED, 1 },
	{ "a number is not less than itself", 5, PROBE_LESS, 5, 0, 0 },
	{ "it is less or equal", 5, PROBE_LESS_EQUAL, 5, 0, 1 },
	{ "a greater one is not", 6, PROBE_LESS_EQUAL, 5, 0, 0 },
	{ "but greater", 6, PROBE_GREATER, 5, 0, 1 },
	{ "a number is not greater than itself", 5, PROBE_GREATER, 5, 0, 0 },
	{ "it is greater or equal", 5, PROBE_GREATER_EQUAL, 5, 0, 1 },
	{ "a lesser one is not", -2ull, PROBE_GREATER_EQUAL, -1ull, PROBE_TERM_SIGNED, 0 },
	{ "any bit of several", 0101, PROBE_ANY_BIT, 0300 | 1, 0, 1 },
	{ "none of them", 0101, PROBE_ANY_BIT, 02, 0, 0 },
	{ "what is no operator never holds", 5, 99, 5, 0, 0 },
};

static void compare_row(void **state)
{
	const struct compare_case *c = *state;
	struct probe_values values = { .value = { c->left, c->right } };
	struct probe_site site = {
		.value_count = 2,
		.term_count = 1,
		.terms = { { .left = 0, .right = 1, .op = c->op, .flags = c->flags,
			     .if_true = PROBE_ACCEPT, .if_false = PROBE_REJECT } },
	};
	uint32_t unreadable = 0;

	assert_int_equal(probe_filter(&site, &values, &unreadable), c->holds);
	site.terms[0].right = PROBE_RIGHT_CONSTANT;
	site.terms[0].constant = c->right;
	values.value[1] = ~c->right;
	/* The constant is nothing to be read. */
	values.unreadable = 2;
	assert_int_equal(probe_filter(&site, &values, &unreadable), c->holds);
	assert_int_equal(unreadable, 0);
}

#define LONG_TEXT "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct text_case {
	const char *name, *text, *constant;
	uint8_t op, flags;
	uint32_t cut;
	int holds;
} text_cases[] = {
	{ "a text equals itself", "sh", "sh", PROBE_EQUAL, 0, 0, 1 },
	{ "and not one that goes on", "shell", "sh", PROBE_EQUAL, 0, 0, 0 },
	{ "nor one that ends earlier", "s", "sh", PROBE_EQUAL, 0, 0, 0 },
	{ "nor another of its length", "ss", "sh", PROBE_EQUAL, 0, 0, 0 },
	{ "to that it is not equal", "ss", "sh", PROBE_NOT_EQUAL, 0, 0, 1 },
	{ "a prefix is where it begins", "shell", "sh", PROBE_EQUAL, PROBE_TERM_PREFIX, 0, 1 },
	{ "and not where it does not", "bash", "sh", PROBE_EQUAL, PROBE_TERM_PREFIX, 0, 0 },
	{ "a shorter text has no such prefix", "s", "sh", PROBE_EQUAL, PROBE_TERM_PREFIX, 0, 0 },
	{ "nothing is nothing", "", "", PROBE_EQUAL, 0, 0, 1 },
	{ "and a prefix of everything", "x", "", PROBE_EQUAL, PROBE_TERM_PREFIX, 0, 1 },
	{ "eight bytes are compared whole", "12345678", "12345678", PROBE_EQUAL, 0, 0, 1 },
	{ "the eighth, too", "12345678", "12345679", PROBE_EQUAL, 0, 0, 0 },
	{ "and the ninth", "123456789", "12345678x", PROBE_EQUAL, 0, 0, 0 },
	{ "as many bytes as a constant can have", LONG_TEXT, LONG_TEXT, PROBE_EQUAL, 0, 0, 1 },
	{ "a text that was cut there is another one", LONG_TEXT, LONG_TEXT, PROBE_EQUAL, 0, 1, 0 },
	{ "but has the prefix", LONG_TEXT, LONG_TEXT, PROBE_EQUAL, PROBE_TERM_PREFIX, 1, 1 },
};

static void text_row(void **state)
{
	const struct text_case *c = *state;
	struct probe_site site = {
		.value_count = 1,
		.term_count = 1,
		.terms = { { .right = PROBE_RIGHT_CONSTANT, .op = c->op, .constant = 2,
			     .flags = PROBE_TERM_TEXT | c->flags, .if_true = PROBE_ACCEPT,
			     .if_false = PROBE_REJECT } },
	};
	struct probe_values values = { .cut = c->cut };
	uint32_t unreadable = 0, offset = 16;

	/* What lies around it must not matter. */
	memset(values.text, '?', sizeof(values.text));
	memcpy(values.text + offset, c->text, strlen(c->text));
	values.value[0] = probe_text(offset, strlen(c->text));
	site.constant_bytes[2] = strlen(c->constant);
	memcpy(site.constants[2], c->constant, strlen(c->constant));
	assert_int_equal(probe_filter(&site, &values, &unreadable), c->holds);
	assert_int_equal(unreadable, 0);
}

/* Terms: 0 is value 0 == 1, 1 is value 1 == 1, 2 is value 2 == 1. */
static struct probe_site three(const uint8_t go[3][2])
{
	struct probe_site site = { .value_count = 3, .term_count = 3 };

	for (int i = 0; i < 3; i++)
		site.terms[i] = (struct probe_term){ .left = i, .right = PROBE_RIGHT_CONSTANT,
						     .constant = 1, .if_true = go[i][0],
						     .if_false = go[i][1] };
	return site;
}

static void test_logic(void **state)
{
	/* a && (b || c), and (a || b) && c. */
	static const uint8_t first[3][2] = { { 1, PROBE_REJECT },
					     { PROBE_ACCEPT, 2 },
					     { PROBE_ACCEPT, PROBE_REJECT } };
	static const uint8_t second[3][2] = { { 2, 1 },
					      { 2, PROBE_REJECT },
					      { PROBE_ACCEPT, PROBE_REJECT } };
	struct probe_site one = three(first), other = three(second);

	for (unsigned int bits = 0; bits < 8; bits++) {
		int a = bits & 1, b = bits >> 1 & 1, c = bits >> 2;
		struct probe_values values = { .value = { a, b, c } };
		uint32_t unreadable = 0;

		assert_int_equal(probe_filter(&one, &values, &unreadable), a && (b || c));
		assert_int_equal(probe_filter(&other, &values, &unreadable), (a || b) && c);
	}
}

static void test_unreadable(void **state)
{
	/* a || b, both != 0, with a value on the right of the second. */
	struct probe_site site = {
		.value_count = 3,
		.term_count = 2,
		.terms = { { .left = 0, .right = PROBE_RIGHT_CONSTANT, .op = PROBE_NOT_EQUAL,
			     .if_true = PROBE_ACCEPT, .if_false = 1 },
			   { .left = 1, .right = 2, .op = PROBE_NOT_EQUAL,
			     .if_true = PROBE_ACCEPT, .if_false = PROBE_REJECT } },
	};
	struct probe_values values = { .value = { 1, 2, 3 } };
	uint32_t unreadable = 0;

	assert_int_equal(probe_filter(&site, &values, &unreadable), 1);
	values.unreadable = 6;
	/* It is not looked at. */
	assert_int_equal(probe_filter(&site, &values, &unreadable), 1);
	assert_int_equal(unreadable, 0);
	values.unreadable = 1;
	assert_int_equal(probe_filter(&site, &values, &unreadable), 1);
	assert_int_equal(unreadable, 1);
	unreadable = 0;
	values.unreadable = 1 | 4;
	assert_int_equal(probe_filter(&site, &values, &unreadable), 0);
	assert_int_equal(unreadable, 1);
}

static void test_without_terms(void **state)
{
	const struct probe_site site = { 0 };
	const struct probe_values values = { .unreadable = ~0u };
	uint32_t unreadable = 0;

	assert_int_equal(probe_filter(&site, &values, &unreadable), 1);
	assert_int_equal(unreadable, 0);
}

/* A table that goes nowhere, or back, wants nothing. */
static void test_astray(void **state)
{
	static const uint8_t back[3][2] = { { 1, 1 }, { 0, 0 }, { 0, 0 } };
	static const uint8_t beyond[3][2] = { { 77, 77 }, { 0, 0 }, { 0, 0 } };
	const struct probe_values values = { 0 };
	uint32_t unreadable = 0;
	struct probe_site site = three(back);

	assert_int_equal(probe_filter(&site, &values, &unreadable), 0);
	site = three(beyond);
	assert_int_equal(probe_filter(&site, &values, &unreadable), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("terms are joined by where they go", test_logic),
		UNIT_TEST("what cannot be read does not hold, and is told", test_unreadable),
		UNIT_TEST("without a filter everything is wanted", test_without_terms),
		UNIT_TEST("a filter that leads nowhere wants nothing", test_astray),
	};

	return unit_run_rows("numbers", cut_row, UNIT_ROWS(cut_cases)) +
	       unit_run_rows("comparisons", compare_row, UNIT_ROWS(compare_cases)) +
	       unit_run_rows("texts", text_row, UNIT_ROWS(text_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
