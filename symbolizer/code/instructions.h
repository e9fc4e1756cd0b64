/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * instructions.h - where the instructions of a function begin, and where it returns.
 *
 * Decoded by Zydis (x86-64). For probes inside of functions, which must sit on an instruction's first
 * byte, and for probes on returns that must not change the stack. A function is decoded from its first
 * byte on; where a jump leads into the middle of what was then decoded, there is data in the code, and
 * no answer. One thread at a time per object.
 */
#ifndef WICK_INSTRUCTIONS_H
#define WICK_INSTRUCTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"
#include "symbolizer/elf/module.h"

struct instructions;

struct function_returns {
	uint64_t *offsets;	/* of RET instructions, in the file, sorted; the caller frees them */
	size_t count;
	/*
	 * Some returns are not seen: a tail call, a jump that was not understood, or code that goes on
	 * behind the function's end. Jump tables of switch statements are understood, as compilers make them.
	 */
	bool leaves_by_jump;
	/* It calls nothing and does not leave by a jump, so that no exception can cross it. */
	bool is_leaf;
};

/* Returns 0, -EOPNOTSUPP when @mod is not for x86-64, what module_open() says, or -ENOMEM. */
int instructions_open(struct module *mod, struct instructions **ret);
struct instructions *instructions_close(struct instructions *code);
DEFINE_CLEANUP(struct instructions *, instructions_close)

/*
 * Whether an instruction of the function of @size bytes at @address begins at @address + @offset; one
 * of unknown size, 0, is decoded up to there. Returns 0, -EILSEQ for bytes that are no instructions,
 * -ENOENT when they are not in the file, -EFBIG, -ENOMEM.
 */
int instructions_begin_at(struct instructions *code, uint64_t address, uint64_t size,
			  uint64_t offset, bool *ret);
/*
 * The RET instructions of the function, its cold part (NAME.cold) included when jumps lead there: it is
 * known by its symbol, and in stripped code because it jumps back into the function's middle. Returns as
 * above, and -ENOENT when @size is 0.
 */
int instructions_returns(struct instructions *code, uint64_t address, uint64_t size,
			 struct function_returns *ret);

/* Why a probe on returns that changes return addresses (a uretprobe) is not safe in code of a file. */
enum return_danger {
	RETURN_SAFE,
	RETURN_GO,		/* its stacks move, and are checked */
	RETURN_EXCEPTIONS,	/* it throws, catches or is crossed by exceptions */
};
/*
 * An unwinder that comes to a changed return address finds no caller there and ends the program. What it
 * crosses cannot be known for each function, so it is told by file: RETURN_EXCEPTIONS when it has landing
 * pads (.gcc_except_table), when it imports or defines what raises, resumes or catches exceptions, or a
 * personality routine, when it has symbols of C++, and when it has no section headers to tell. That
 * includes libc.so, whose functions are left by cancellation and by exceptions of callbacks. Not seen
 * are C libraries without any of these that call functions of C++ which throw through them.
 * Returns 0, what module_open() says, or -ENOMEM.
 */
int instructions_return_danger(struct module *mod, enum return_danger *ret);

#endif
