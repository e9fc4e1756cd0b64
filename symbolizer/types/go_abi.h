/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * go_abi.h - where Go's arguments and results are, by its ABI of registers for amd64
 * (cmd/compile/abi-internal.md, since Go 1.17).
 *
 * A value goes to registers with all its parts, each field in one of its own, or to the stack.
 */
#ifndef WICK_GO_ABI_H
#define WICK_GO_ABI_H

#include "symbolizer/types/type_info.h"

/* What is taken. Starts zeroed, anew for the results, but for the stack: those of results are behind arguments. */
struct go_call {
	unsigned int integers, floats;
	uint64_t stack_bytes;
};

/* Set the place of the next argument or result, whose type is there. */
void go_place(struct go_call *call, struct type_argument *argument);

#endif
