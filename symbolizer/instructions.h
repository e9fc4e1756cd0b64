/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * instructions.h - where the instructions of a function begin, and where it returns.
 *
 * Decoded by Zydis (x86-64). For probes inside of functions, which must sit on an instruction's first
 * byte, and for probes on returns that must not change the stack.
 */
#ifndef WICK_INSTRUCTIONS_H
#define WICK_INSTRUCTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "symbolizer/module.h"

struct function_returns {
	uint64_t *offsets;	/* of RET instructions, in the file, sorted; malloc'ed */
	size_t count;
	bool leaves_by_jump;	/* a tail call or a jump that was not understood: some returns are not seen */
};

/* Whether an instruction of the function of @size bytes at @address begins at @address + @offset. */
int instructions_begin_at(struct module *mod, uint64_t address, uint64_t size, uint64_t offset,
			  bool *ret);
/*
 * The RET instructions of the function, its cold part (NAME.cold) included when jumps lead there.
 * Returns 0, -EILSEQ for bytes that are no instructions, -ENOENT when its size is not known, -ENOMEM.
 */
int instructions_returns(struct module *mod, uint64_t address, uint64_t size,
			 struct function_returns *ret);

/* Why a probe on returns that changes return addresses (a uretprobe) is not safe in code of @mod. */
enum return_danger {
	RETURN_SAFE,
	RETURN_GO,		/* its stacks move, and are checked */
	RETURN_EXCEPTIONS,	/* it throws, catches or is crossed by exceptions */
};
int instructions_return_danger(struct module *mod, enum return_danger *ret);

#endif
