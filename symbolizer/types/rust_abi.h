/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rust_abi.h - where Rust's arguments are in code that was not optimized; in other code their locations say.
 *
 * Rust promises nothing, but has done the same for long: a scalar or a pair of scalars in registers of their
 * own, other values of up to 8 bytes in one, larger ones by address. Enums with fields are of either kind
 * and do not tell which: they, and what comes behind them, are refused.
 */
#ifndef WICK_RUST_ABI_H
#define WICK_RUST_ABI_H

#include "symbolizer/types/sysv_abi.h"

struct rust_call {
	struct sysv_call call;
	bool is_lost;		/* behind an argument whose registers are not known */
};

/*
 * Set the place of the next argument. Returns true when it is passed by address: the type is to become a
 * reference and is then placed anew.
 */
bool rust_place_argument(struct rust_call *call, struct type_argument *argument);
/* Whether a result of @type goes to memory whose address is a hidden first argument. */
bool rust_returns_in_memory(const struct type_info *type);
void rust_place_result(struct type_argument *result);

#endif
