/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * code_rows.h - unwind rules for code that nothing describes, by what its instructions do.
 *
 * musl, hand-written assembly, Free Pascal, and whatever was built without unwind tables. A function
 * begins with its return address on the stack; from there on each instruction that moves rsp, or saves
 * rbp or rbx, is followed, along jumps too. Functions begin where a symbol says so, where a call leads
 * to, and behind padding that no jump leads over. Code that is reached by a jump table has the frame
 * that the function had when it jumped. What cannot be followed has no rule, and is left to guessing.
 */
#ifndef WICK_CODE_ROWS_H
#define WICK_CODE_ROWS_H

#include <stddef.h>
#include <stdint.h>
#include "bpf/unwind_abi.h"
#include "profiler/base/cleanup.h"
#include "profiler/unwind/special_code.h"
#include "symbolizer/elf/elf_file.h"

struct code_rows;

struct code_row {
	uint64_t start;		/* ELF address; it holds until the next one */
	struct unwind_rule rule;
};

/*
 * Reads where the functions of @elf begin. @code, which has the text, must outlive it. Returns 0 or
 * -ENOMEM.
 */
int code_rows_new(struct elf_file *elf, const struct special_code *code, struct code_rows **ret);
struct code_rows *code_rows_free(struct code_rows *rows);
DEFINE_CLEANUP(struct code_rows *, code_rows_free)
/*
 * The rows of [@from, @to), in order, the first one at @from; valid until the next call. None when the
 * text was not read, or when too much of the file is code like that. Returns 0 or -ENOMEM.
 */
int code_rows_read(struct code_rows *rows, uint64_t from, uint64_t to, const struct code_row **ret,
		   size_t *ret_count);
/* Behind the first instruction from @address on that does not go on to the next; or @address. */
uint64_t code_rows_function_end(struct code_rows *rows, uint64_t address);

#endif
