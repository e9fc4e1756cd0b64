/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * usdt_operands.h - the arguments of a USDT probe out of their text: operands of gas for x86-64.
 *
 * Knows no files: what an operand says of a symbol is left to be looked up.
 */
#ifndef WICK_USDT_OPERANDS_H
#define WICK_USDT_OPERANDS_H

#include <stdbool.h>
#include <stddef.h>
#include "symbolizer/code/usdt_notes.h"

struct usdt_operand {
	/* What is not understood is USDT_UNKNOWN. */
	struct usdt_argument argument;
	/* MEMORY with base USDT_RIP: at this symbol, value bytes behind it; points into the text. */
	const char *symbol;
	size_t symbol_size;	/* 0: none */
};

/* The next operand of *@text, which is moved behind it; false at the end. */
bool usdt_operand_next(const char **text, struct usdt_operand *ret);

#endif
