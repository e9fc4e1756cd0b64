/* SPDX-License-Identifier: BSD-2-Clause */
/* Operands of gas, as USDT notes have them. */
#include "tests/unit/unit.h"

#include <string.h>

#include "symbolizer/code/usdt_operands.h"

#define R USDT_REGISTER
#define M USDT_MEMORY
#define NONE USDT_NO_REGISTER

static const struct operand_case {
	const char *name;
	const char *text;
	struct usdt_argument expected;
	const char *symbol;
} operand_cases[] = {
	/* bytes, signed, float, kind, reg, its bytes, shift, index, scale, value */
	{ "a register of 8 bytes", "8@%rax", { 8, 0, 0, R, 0, 8, 0, 0, 0, 0 } },
	{ "a signed part of one", "-4@%edi", { 4, 1, 0, R, 5, 4, 0, 0, 0, 0 } },
	{ "a narrow one", "2@%bx", { 2, 0, 0, R, 3, 2, 0, 0, 0, 0 } },
	{ "a byte", "-1@%sil", { 1, 1, 0, R, 4, 1, 0, 0, 0, 0 } },
	{ "a high byte", "1@%ch", { 1, 0, 0, R, 2, 1, 8, 0, 0, 0 } },
	{ "a numbered register", "8@%r15", { 8, 0, 0, R, 15, 8, 0, 0, 0, 0 } },
	{ "four bytes of one", "4@%r8d", { 4, 0, 0, R, 8, 4, 0, 0, 0, 0 } },
	{ "two bytes of one", "-2@%r10w", { 2, 1, 0, R, 10, 2, 0, 0, 0, 0 } },
	{ "a byte of one", "1@%r9b", { 1, 0, 0, R, 9, 1, 0, 0, 0, 0 } },
	{ "the same as others write it", "1@%r9l", { 1, 0, 0, R, 9, 1, 0, 0, 0, 0 } },
	{ "there is no r16", "8@%r16", { 8 } },
	{ "nor an r7", "8@%r7", { 8 } },
	{ "nor an r8x", "8@%r8x", { 8 } },
	{ "a number", "4@$5", { 4, 0, 0, USDT_CONSTANT, 0, 0, 0, 0, 0, 5 } },
	{ "a negative number", "-4@$-7", { 4, 1, 0, USDT_CONSTANT, 0, 0, 0, 0, 0, -7 } },
	{ "a hexadecimal number", "8@$0xffffffffffffffff",
	  { 8, 0, 0, USDT_CONSTANT, 0, 0, 0, 0, 0, -1 } },
	{ "a sum", "8@$16+4-1", { 8, 0, 0, USDT_CONSTANT, 0, 0, 0, 0, 0, 19 } },
	{ "the address of a symbol is no number", "8@$table", { 8 } },
	{ "memory at a register", "8@(%rdx)", { 8, 0, 0, M, 1, 0, 0, 0, 0, 0 } },
	{ "memory above it", "8@24(%rsp)", { 8, 0, 0, M, 7, 0, 0, 0, 0, 24 } },
	{ "memory below it", "-4@-20(%rbp)", { 4, 1, 0, M, 6, 0, 0, 0, 0, -20 } },
	{ "memory with an index", "8@16(%rax,%rcx,8)", { 8, 0, 0, M, 0, 0, 0, 2, 8, 16 } },
	{ "an index without a scale", "1@(%r8,%r9)", { 1, 0, 0, M, 8, 0, 0, 9, 1, 0 } },
	{ "an index without a base", "4@8(,%rsi,4)", { 4, 0, 0, M, NONE, 0, 0, 4, 4, 8 } },
	{ "blanks inside of parentheses", "4@8( %rax, %rsi, 4 )",
	  { 4, 0, 0, M, 0, 0, 0, 4, 4, 8 } },
	{ "no such scale", "4@8(%rax,%rsi,3)", { 4 } },
	{ "no address has 4 bytes", "4@8(%eax)", { 4 } },
	{ "an address without a register", "4@4096",
	  { 4, 0, 0, M, NONE, 0, 0, 0, 0, 4096 } },
	{ "a symbol", "4@counter(%rip)", { 4, 0, 0, M, USDT_RIP, 0, 0, 0, 0, 0 }, "counter" },
	{ "behind a symbol", "4@counter.0+8(%rip)",
	  { 4, 0, 0, M, USDT_RIP, 0, 0, 0, 0, 8 }, "counter.0" },
	{ "the same the other way around", "4@8+counter(%rip)",
	  { 4, 0, 0, M, USDT_RIP, 0, 0, 0, 0, 8 }, "counter" },
	{ "before a symbol", "4@counter-4(%rip)",
	  { 4, 0, 0, M, USDT_RIP, 0, 0, 0, 0, -4 }, "counter" },
	{ "a symbol's address as it is", "-4@counter",
	  { 4, 1, 0, M, USDT_RIP, 0, 0, 0, 0, 0 }, "counter" },
	{ "an array's element", "8@table(,%rax,8)",
	  { 8, 0, 0, M, USDT_RIP, 0, 0, 0, 8, 0 }, "table" },
	{ "a symbol and a base is not understood", "8@table(%rbx)", { 8 } },
	{ "nor are two symbols", "8@a-b(%rip)", { 8 } },
	{ "nor a table of addresses", "8@counter@GOTPCREL(%rip)", { 8 } },
	{ "nor the thread's memory", "8@%fs:16", { 8 } },
	{ "nor rip without a symbol", "8@8(%rip)", { 8 } },
	{ "nor rip itself", "8@%rip", { 8 } },
	{ "floating point is said to be so", "8f@%xmm0", { 8, 0, 1 } },
	{ "in memory, too", "4f@8(%rsp)", { 4, 0, 1 } },
	{ "nothing reads 16 bytes", "16@(%rsp)", { 16 } },
	{ "nor 3", "3@%eax", { 3 } },
	{ "an operand may be missing", "4@", { 4 } },
	{ "so may its size", "%ecx", { 4, 0, 0, R, 2, 4, 0, 0, 0, 0 } },
	{ "also in memory", "8(%rbp)", { 8, 0, 0, M, 6, 0, 0, 0, 0, 8 } },
	{ "more than an operand", "8@%rax,%rbx", { 8 } },
	{ "a number that is none", "8@$0x", { 8 } },
	{ "an open parenthesis", "8@(%rax", { 8 } },
	{ "an empty pair", "8@()", { 8 } },
};

static void expect_argument(const struct usdt_argument *a, const struct usdt_argument *b)
{
	assert_int_equal(a->bytes, b->bytes);
	assert_int_equal(a->is_signed, b->is_signed);
	assert_int_equal(a->is_float, b->is_float);
	assert_int_equal(a->kind, b->kind);
	if (b->kind == USDT_UNKNOWN)
		return;
	assert_int_equal(a->reg, b->reg);
	assert_int_equal(a->reg_bytes, b->reg_bytes);
	assert_int_equal(a->reg_shift, b->reg_shift);
	assert_int_equal(a->index_reg, b->index_reg);
	assert_int_equal(a->index_scale, b->index_scale);
	assert_int_equal(a->value, b->value);
}

static void operand_row(void **state)
{
	const struct operand_case *c = *state;
	const char *text = c->text;
	struct usdt_operand operand;

	assert_true(usdt_operand_next(&text, &operand));
	expect_argument(&operand.argument, &c->expected);
	assert_int_equal(operand.symbol_size, c->symbol ? strlen(c->symbol) : 0);
	if (c->symbol)
		assert_memory_equal(operand.symbol, c->symbol, operand.symbol_size);
	assert_string_equal(text, "");
	assert_false(usdt_operand_next(&text, &operand));
}

static void test_several(void **state)
{
	const char *text = "  8@%rax  -4@8(%rbx, %rcx) 1@$3\t2@table(%rip)";
	static const enum usdt_kind kinds[] = { R, M, USDT_CONSTANT, M };
	struct usdt_operand operand;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		assert_true(usdt_operand_next(&text, &operand));
		assert_int_equal(operand.argument.kind, kinds[i]);
	}
	assert_false(usdt_operand_next(&text, &operand));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("operands follow one another", test_several),
	};

	return unit_run_rows("operand", operand_row, UNIT_ROWS(operand_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
