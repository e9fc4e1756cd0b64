/* SPDX-License-Identifier: BSD-2-Clause */
/* code_frame.h - a frame as it is between two instructions, and what the next one makes of it. */
#ifndef WICK_CODE_FRAME_H
#define WICK_CODE_FRAME_H

#include <stdbool.h>
#include <stdint.h>
#include "bpf/unwind_abi.h"
#include "symbolizer/code/stack_effect.h"

/* Where the caller's value of a register is: at CFA + a negative number, or one of these. */
#define CODE_FRAME_IN_PLACE 0
#define CODE_FRAME_NOWHERE INT32_MAX

struct code_frame {
	int32_t sp;		/* CFA - rsp; 0: not known */
	int32_t fp;		/* CFA - rbp; 0: rbp does not point into the frame */
	int32_t saved_fp, saved_rbx;
};

/* That of a function's first instruction. */
extern const struct code_frame code_frame_entry;
/* Nothing is known: what has it is left to guessing. */
extern const struct code_frame code_frame_unknown;

void code_frame_apply(struct code_frame *frame, const struct stack_effect *effect);
struct unwind_rule code_frame_rule(const struct code_frame *frame);

#endif
