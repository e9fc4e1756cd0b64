/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/unwind/code_frame.h"

#define RETURN_ADDRESS_BYTES 8
/* Larger frames are damage, or bytes that are no code. */
#define FRAME_BYTES_MAX (1 << 24)
/* What a rule can say of rbx. */
#define SAVED_RBX_MAX 14

const struct code_frame code_frame_entry = { .sp = RETURN_ADDRESS_BYTES };
const struct code_frame code_frame_unknown = { .saved_fp = CODE_FRAME_NOWHERE,
					       .saved_rbx = CODE_FRAME_NOWHERE };

static void sp_set(struct code_frame *frame, int64_t sp)
{
	frame->sp = sp >= RETURN_ADDRESS_BYTES && sp < FRAME_BYTES_MAX ? (int32_t)sp : 0;
}

/* The place of @reg's caller's value, or NULL: nobody asks. */
static int32_t *saved_place(struct code_frame *frame, enum stack_register reg)
{
	if (reg == STACK_RBP)
		return &frame->saved_fp;
	return reg == STACK_RBX ? &frame->saved_rbx : NULL;
}

static void overwrite(struct code_frame *frame, enum stack_register reg)
{
	int32_t *saved = saved_place(frame, reg);

	if (*saved == CODE_FRAME_IN_PLACE)
		*saved = CODE_FRAME_NOWHERE;
	if (reg == STACK_RBP)
		frame->fp = 0;
}

/* @reg, which may have the caller's value still, is stored at CFA + @at. */
static void save(struct code_frame *frame, enum stack_register reg, int32_t at)
{
	int32_t *saved = saved_place(frame, reg);

	if (saved && *saved == CODE_FRAME_IN_PLACE && at < 0)
		*saved = at;
}

static void restore(struct code_frame *frame, enum stack_register reg, int32_t at)
{
	int32_t *saved = saved_place(frame, reg);

	if (!saved)
		return;
	if (*saved != at) {
		overwrite(frame, reg);
		return;
	}
	*saved = CODE_FRAME_IN_PLACE;
	if (reg == STACK_RBP)
		frame->fp = 0;
}

static void set_fp(struct code_frame *frame, int64_t distance)
{
	int64_t fp = frame->sp - distance;

	overwrite(frame, STACK_RBP);
	if (frame->sp && fp >= 0 && fp < FRAME_BYTES_MAX)
		frame->fp = (int32_t)fp;
}

static void leave(struct code_frame *frame)
{
	int32_t fp = frame->fp;

	if (!fp) {
		*frame = code_frame_unknown;
		return;
	}
	restore(frame, STACK_RBP, -fp);
	sp_set(frame, (int64_t)fp - 8);
}

/* Those that only hold when it is known where rsp is. */
static void apply_by_sp(struct code_frame *frame, const struct stack_effect *effect)
{
	int64_t sp = frame->sp;

	switch (effect->kind) {
	case STACK_PUSH:
		sp_set(frame, sp + effect->value);
		save(frame, effect->reg, -frame->sp);
		break;
	case STACK_POP:
		restore(frame, effect->reg, (int32_t)-sp);
		sp_set(frame, sp - effect->value);
		break;
	case STACK_ADD:
		sp_set(frame, sp - effect->value);
		break;
	case STACK_SAVE:
		save(frame, effect->reg, (int32_t)(effect->value - sp));
		break;
	case STACK_RESTORE:
		restore(frame, effect->reg, (int32_t)(effect->value - sp));
		break;
	default:
		break;
	}
}

void code_frame_apply(struct code_frame *frame, const struct stack_effect *effect)
{
	bool loads = effect->kind == STACK_POP || effect->kind == STACK_RESTORE;

	if (effect->kind == STACK_SET_FP)
		set_fp(frame, effect->value);
	else if (effect->kind == STACK_SET_SP)
		sp_set(frame, frame->fp ? frame->fp - effect->value : 0);
	else if (effect->kind == STACK_LEAVE)
		leave(frame);
	else if (effect->kind == STACK_LOST)
		frame->sp = 0;
	else if (frame->sp)
		apply_by_sp(frame, effect);
	else if (loads && effect->reg != STACK_OTHER)
		overwrite(frame, effect->reg);
	if (effect->clobbers_fp)
		overwrite(frame, STACK_RBP);
	if (effect->clobbers_rbx)
		overwrite(frame, STACK_RBX);
}

static uint32_t rbx_number(int32_t saved)
{
	int32_t number;

	if (saved == CODE_FRAME_IN_PLACE)
		return UNWIND_RBX_SAME;
	if (saved == CODE_FRAME_NOWHERE || saved % 8)
		return UNWIND_RBX_LOST;
	number = (-saved - 8) / 8;
	return number >= 1 && number <= SAVED_RBX_MAX ? (uint32_t)number : UNWIND_RBX_LOST;
}

struct unwind_rule code_frame_rule(const struct code_frame *frame)
{
	struct unwind_rule rule = { 0 };

	if (!frame->sp && !frame->fp)
		return rule;
	/* By rbp where that may be: it is what does not depend on all that came before. */
	rule.kind = frame->fp ? UNWIND_CFA_RBP : UNWIND_CFA_RSP;
	rule.kind |= rbx_number(frame->saved_rbx) << UNWIND_RBX_SHIFT;
	rule.cfa_offset = frame->fp ? frame->fp : frame->sp;
	if (frame->saved_fp == CODE_FRAME_NOWHERE || frame->saved_fp != (int16_t)frame->saved_fp) {
		rule.fp = UNWIND_FP_UNDEFINED;
	} else if (frame->saved_fp != CODE_FRAME_IN_PLACE) {
		rule.fp = UNWIND_FP_CFA;
		rule.fp_offset = (int16_t)frame->saved_fp;
	}
	return rule;
}
