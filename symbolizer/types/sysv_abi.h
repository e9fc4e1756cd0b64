/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sysv_abi.h - which registers and stack slots arguments are passed in, by the System V ABI for x86-64
 * (§3.2.3), of types as any provider describes them.
 */
#ifndef WICK_SYSV_ABI_H
#define WICK_SYSV_ABI_H

#include "symbolizer/types/type_info.h"

/* For refusals that others give, too. */
#define SYSV_NO_FLOAT "floating point is not read"

/* Which are taken. Starts zeroed. */
struct sysv_call {
	unsigned int integers, floats;
	int64_t stack_bytes;
};

/* Whether a result of @type goes to memory, whose address the caller passes as a first argument of its own. */
bool sysv_returns_in_memory(const struct type_info *type);
/* Take the register of such a hidden argument. */
void sysv_take_pointer(struct sysv_call *call);
/* Set the place of the next argument, whose type is there. */
void sysv_place_argument(struct sysv_call *call, struct type_argument *argument);
/* The same of a result. One in memory becomes UNKNOWN. */
void sysv_place_result(struct type_argument *result);

#endif
