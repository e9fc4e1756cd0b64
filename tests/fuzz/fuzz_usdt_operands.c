/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_usdt_operands.c - any text as the arguments of a USDT probe. */
#include <string.h>

#include "symbolizer/code/usdt_operands.h"
#include "tests/fuzz/fuzz.h"

static void check_memory(const struct usdt_operand *op)
{
	const struct usdt_argument *a = &op->argument;

	fuzz_check(a->reg <= USDT_RIP || a->reg == USDT_NO_REGISTER, "a base is no register");
	fuzz_check((a->reg == USDT_RIP) == (op->symbol_size > 0), "rip is there for symbols only");
	fuzz_check(a->index_reg < USDT_RIP && a->index_scale <= 8, "an index is no register");
	fuzz_touch(op->symbol, op->symbol_size);
}

static void check_operand(const struct usdt_operand *op)
{
	const struct usdt_argument *a = &op->argument;

	if (a->kind == USDT_UNKNOWN) {
		fuzz_check(!op->symbol_size, "what is not understood has a symbol");
		return;
	}
	fuzz_check(a->bytes && a->bytes <= 8 && !(a->bytes & (a->bytes - 1)), "no such size");
	fuzz_check(!a->is_float, "floating point is read");
	if (a->kind == USDT_MEMORY)
		check_memory(op);
	if (a->kind == USDT_REGISTER)
		fuzz_check(a->reg < USDT_RIP && a->reg_bytes * 8 + a->reg_shift <= 64,
			   "no such register");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	_cleanup_free_ char *text = fuzz_text(bytes, size);
	const char *at = text, *before = text;
	struct usdt_operand op;

	while (usdt_operand_next(&at, &op)) {
		fuzz_check(at > before, "an operand takes no text");
		before = at;
		check_operand(&op);
	}
	fuzz_check(!*at, "text is left");
	return 0;
}
