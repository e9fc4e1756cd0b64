/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * go_rows.h - unwind rules for Go code, by .gopclntab.
 *
 * A function's stack sizes give its CFA; a function with a frame keeps the
 * caller's rbp right below the return address. Where Go's own traceback ends a
 * stack (goexit, mstart, a switch to another goroutine), so does ours. Where
 * code only borrows the thread's own stack (systemstack, C functions, the
 * vDSO), rbp still points into the goroutine's: the walk goes on there, up to
 * the goroutine's first frame, which Go's traceback too would do.
 */
#ifndef WICK_GO_ROWS_H
#define WICK_GO_ROWS_H

#include "bpf/unwind_abi.h"
#include "profiler/unwind/go_table.h"

struct go_row {
	uint64_t start;		/* it holds until the next one */
	struct unwind_rule rule;
};

/* What is known of one function's frame. */
struct go_frame {
	struct go_function function;
	struct unwind_rule rule;	/* for all of it, unless it is UNWIND_NONE */
	uint64_t ready;		/* from there on rbp is this frame's */
	bool by_deltas;
	bool saves_fp;		/* the caller's rbp is at CFA - 16 whenever there is a frame */
	bool switches_stack;
	bool interrupts;
};

struct go_rows {
	struct go_table table;
	const struct special_code *code;
	uint64_t next;		/* index of the function not passed yet */
	uint64_t budget;	/* stretches still to be read: a bound for files that lie */
	/* The walk of one range. */
	uint64_t at, to;
	bool inside;		/* @frame and @deltas are of the function at @at */
	struct go_frame frame;
	struct go_deltas deltas;
};

/*
 * Returns 0, also when @elf has no Go code or it cannot be read, or -ENOMEM.
 * Reads the text of Go programs into @code, which is used later.
 */
int go_rows_init(struct go_rows *rows, struct elf_file *elf, struct special_code *code);
/* Whether @address is Go code. */
bool go_rows_has(const struct go_rows *rows, uint64_t address);
/* Where the function ends that @address, not below any range started, is in; or @address. */
uint64_t go_rows_function_end(const struct go_rows *rows, uint64_t address);
/* Walk [@from, @to); ranges come in order of address. */
void go_rows_start(struct go_rows *rows, uint64_t from, uint64_t to);
/* The next row, the first one being at the range's start. False: no more. */
bool go_rows_next(struct go_rows *rows, struct go_row *ret);

#endif
