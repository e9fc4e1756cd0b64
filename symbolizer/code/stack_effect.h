/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stack_effect.h - what one x86-64 instruction does to rsp, rbp and rbx, and where it goes.
 *
 * For code without call frame information, whose frames are found out by what it does. Decoded by
 * Zydis. Knows bytes and their address; knows no files.
 */
#ifndef WICK_STACK_EFFECT_H
#define WICK_STACK_EFFECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"

enum stack_register { STACK_RSP, STACK_RBP, STACK_RBX, STACK_OTHER };

enum stack_effect_kind {
	STACK_SAME,		/* neither rsp moves nor is rbp or rbx saved */
	STACK_PUSH,		/* of reg; rsp -= value */
	STACK_POP,		/* to reg; rsp += value */
	STACK_ADD,		/* rsp += value */
	STACK_SAVE,		/* reg is stored at rsp + value */
	STACK_RESTORE,		/* reg is loaded from rsp + value */
	STACK_SET_FP,		/* rbp = rsp + value */
	STACK_SET_SP,		/* rsp = rbp + value */
	STACK_LEAVE,		/* rsp = rbp, and rbp is popped */
	STACK_LOST,		/* rsp is aligned, or comes from elsewhere */
};

enum stack_flow {
	FLOW_NEXT,		/* to the next instruction, also after a call */
	FLOW_CALL,		/* the same, of target */
	FLOW_BRANCH,		/* there, or to target */
	FLOW_JUMP,		/* to target; 0: not known */
	FLOW_END,		/* nowhere: it returns, or is a trap */
};

struct stack_effect {
	uint32_t length;		/* bytes */
	enum stack_effect_kind kind;
	enum stack_register reg;
	int64_t value;			/* bytes */
	bool clobbers_fp, clobbers_rbx;	/* gets another value, but for what the kind says */
	bool is_padding;		/* does nothing: fills up to where the next function begins */
	bool is_landing;		/* ENDBR64: indirect calls and jumps may lead here */
	enum stack_flow flow;
	uint64_t target;		/* address; 0: not known */
};

struct stack_decoder;

/* NULL: no memory. */
struct stack_decoder *stack_decoder_new(void);
struct stack_decoder *stack_decoder_free(struct stack_decoder *decoder);
DEFINE_CLEANUP(struct stack_decoder *, stack_decoder_free)
/* The instruction at @bytes, of which there are @size, at @address. Returns 0 or -EILSEQ. */
int stack_effect_read(struct stack_decoder *decoder, const uint8_t *bytes, size_t size,
		      uint64_t address, struct stack_effect *ret);

#endif
