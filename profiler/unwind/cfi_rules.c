/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/unwind/cfi_rules.h"

/* DW_OP_*, without the prefix. */
enum {
	OP_DEREF = 0x06,
	OP_AND = 0x1a,
	OP_MUL = 0x1e,
	OP_PLUS = 0x22,
	OP_PLUS_UCONST = 0x23,
	OP_SHL = 0x24,
	OP_GE = 0x2a,
	OP_LIT0 = 0x30,
	OP_LIT3 = OP_LIT0 + 3,
	OP_LIT8 = OP_LIT0 + 8,
	OP_LIT15 = OP_LIT0 + 15,
	OP_BREG0 = 0x70,
	OP_BREG31 = 0x8f,
	OP_BREGX = 0x92,
};

#define REGISTER_RIP 16

/* In the kernel's rt_sigframe, as seen from the trampoline: gregs start at rsp + 40. */
#define SIGNAL_RSP_OFFSET 160
#define SIGNAL_RIP_OFFSET 168

/* An expression of one of the forms known here, taken apart. */
struct expression {
	uint64_t reg;
	int64_t offset;
	uint64_t index;		/* a register that is multiplied by 8, or NO_INDEX */
	bool deref;
	int64_t added;		/* to what was read */
};

#define NO_INDEX UINT64_MAX

/*
 * A rule in the making. In words, for it is made for every row: a rule put together in memory
 * byte by byte cannot be read as a whole before all the bytes have been written.
 */
struct parts {
	uint32_t kind, rbx, fp, reg;
	int32_t fp_offset, cfa_offset;
};

static const struct parts unsupported = { .kind = UNWIND_UNSUPPORTED };

static struct unwind_rule parts_rule(const struct parts *parts)
{
	uint64_t bits = parts->kind | parts->rbx << UNWIND_RBX_SHIFT | parts->fp << 8 |
			parts->reg << 12 | (uint32_t)(uint16_t)parts->fp_offset << 16 |
			(uint64_t)(uint32_t)parts->cfa_offset << 32;
	struct unwind_rule rule;

	memcpy(&rule, &bits, sizeof(rule));
	return rule;
}

static bool fits_s16(int64_t value)
{
	return value == (int16_t)value;
}

/* The operations of an expression, which is known to be within its section. */
static struct cfi_cursor expression_cursor(const struct cfi_value *value)
{
	struct cfi_cursor cursor = { .at = value->expression, .end = value->expression + 10 };
	uint64_t size = cfi_read_uleb(&cursor);

	cursor.end = cursor.at + size;
	return cursor;
}

static uint8_t peek(const struct cfi_cursor *cursor)
{
	return cursor->at == cursor->end ? 0 : *cursor->at;
}

/* Register and offset, as most expressions begin. */
static bool read_register(struct cfi_cursor *cursor, uint64_t *ret_reg, int64_t *ret_offset)
{
	uint8_t op = cfi_read_u8(cursor);

	if (op >= OP_BREG0 && op <= OP_BREG31)
		*ret_reg = op - OP_BREG0;
	else if (op == OP_BREGX)
		*ret_reg = cfi_read_uleb(cursor);
	else
		return false;
	*ret_offset = cfi_read_sleb(cursor);
	return !cursor->damaged;
}

/*
 * "+ register * 8": openssl's bn_mul_mont keeps the old rsp in an array on the
 * stack, behind as many words as the number has.
 */
static bool read_index(struct cfi_cursor *cursor, uint64_t *ret)
{
	uint64_t reg;
	int64_t offset;
	uint8_t by, op;

	if (!read_register(cursor, &reg, &offset) || offset != 0)
		return false;
	by = cfi_read_u8(cursor);
	op = cfi_read_u8(cursor);
	if (!(by == OP_LIT8 && op == OP_MUL) && !(by == OP_LIT3 && op == OP_SHL))
		return false;
	if (cfi_read_u8(cursor) != OP_PLUS)
		return false;
	*ret = reg;
	return true;
}

/* register + offset [+ register * 8] [deref [+ constant]], and nothing else. */
static bool read_expression(const struct cfi_value *value, struct expression *ret)
{
	struct cfi_cursor cursor = expression_cursor(value);
	struct expression e = { .index = NO_INDEX };
	uint64_t added;

	if (!read_register(&cursor, &e.reg, &e.offset))
		return false;
	if (peek(&cursor) >= OP_BREG0 && !read_index(&cursor, &e.index))
		return false;
	if (peek(&cursor) == OP_DEREF) {
		cursor.at++;
		e.deref = true;
	}
	if (e.deref && peek(&cursor) == OP_PLUS_UCONST) {
		cursor.at++;
		added = cfi_read_uleb(&cursor);
		if (added > INT32_MAX)
			return false;
		e.added = (int64_t)added;
	}
	*ret = e;
	return cursor.at == cursor.end && !cursor.damaged;
}

/*
 * All linkers describe .plt the same way, apart from one number: an entry is
 * 16 bytes, and from byte N on its index has been pushed.
 * CFA = rsp + 8 + ((rip & 15) >= N) << 3
 */
static bool read_plt(const struct cfi_value *value, uint8_t *ret_from)
{
	static const uint8_t before[] = {
		OP_BREG0 + UNWIND_RSP, 8, OP_BREG0 + REGISTER_RIP, 0, OP_LIT15, OP_AND
	};
	static const uint8_t after[] = { OP_GE, OP_LIT3, OP_SHL, OP_PLUS };
	struct cfi_cursor cursor = expression_cursor(value);
	const uint8_t *bytes = cursor.at;
	uint8_t lit;

	if ((size_t)(cursor.end - bytes) != sizeof(before) + 1 + sizeof(after))
		return false;
	lit = bytes[sizeof(before)];
	if (memcmp(bytes, before, sizeof(before)) || lit < OP_LIT0 || lit > OP_LIT15 ||
	    memcmp(bytes + sizeof(before) + 1, after, sizeof(after)))
		return false;
	*ret_from = lit - OP_LIT0;
	return true;
}

/* CFA = register + offset */
static struct parts register_parts(uint64_t reg, int64_t offset)
{
	struct parts parts = { .cfa_offset = (int32_t)offset };

	if (reg >= UNWIND_REGISTERS || offset != (int32_t)offset)
		return unsupported;
	if (reg == UNWIND_RSP) {
		parts.kind = UNWIND_CFA_RSP;
	} else if (reg == UNWIND_RBP) {
		parts.kind = UNWIND_CFA_RBP;
	} else {
		parts.kind = UNWIND_CFA_REGISTER;
		parts.reg = (uint32_t)reg;
	}
	return parts;
}

static struct parts expression_parts(const struct cfi_value *cfa)
{
	struct parts parts = { .kind = UNWIND_PLT };
	struct expression e;
	uint8_t from;

	if (read_plt(cfa, &from)) {
		parts.cfa_offset = from;
		return parts;
	}
	if (!read_expression(cfa, &e))
		return unsupported;
	if (!e.deref && e.index == NO_INDEX)
		return register_parts(e.reg, e.offset);
	if (!e.deref || e.reg >= UNWIND_REGISTERS || !fits_s16(e.offset) || !fits_s16(e.added))
		return unsupported;
	parts.kind = UNWIND_CFA_DEREF;
	parts.reg = (uint32_t)e.reg;
	parts.cfa_offset = (int32_t)((uint32_t)(uint16_t)e.offset | (uint32_t)e.added << 16);
	if (e.index == NO_INDEX)
		return parts;
	if (e.index >= UNWIND_REGISTERS)
		return unsupported;
	parts.kind = UNWIND_CFA_INDEXED;
	parts.fp_offset = (int32_t)e.index;
	return parts;
}

static struct parts cfa_parts(const struct cfi_value *cfa)
{
	if (cfa->kind == CFI_REGISTER)
		return register_parts(cfa->reg, cfa->offset);
	if (cfa->kind == CFI_VALUE_EXPRESSION)
		return expression_parts(cfa);
	return unsupported;
}

/* rbp is at what an expression gives. */
static enum unwind_fp fp_expression(const struct cfi_value *fp, int64_t *ret_offset)
{
	struct expression e;

	if (!read_expression(fp, &e) || e.deref || e.index != NO_INDEX ||
	    (e.reg != UNWIND_RBP && e.reg != UNWIND_RSP))
		return UNWIND_FP_UNSUPPORTED;
	*ret_offset = e.offset;
	return e.reg == UNWIND_RBP ? UNWIND_FP_RBP : UNWIND_FP_RSP;
}

/* Where rbp is, as a kind and an offset, which is not touched without need. */
static enum unwind_fp fp_kind(const struct cfi_value *fp, int64_t *ret_offset)
{
	switch (fp->kind) {
	case CFI_UNSPECIFIED:
	case CFI_SAME_VALUE:
		return UNWIND_FP_SAME;
	case CFI_UNDEFINED:
		return UNWIND_FP_UNDEFINED;
	case CFI_OFFSET:
		*ret_offset = fp->offset;
		return UNWIND_FP_CFA;
	case CFI_EXPRESSION:
		return fp_expression(fp, ret_offset);
	default:
		return UNWIND_FP_UNSUPPORTED;
	}
}

/* Add to @parts, which have their CFA, where rbp is. */
static void set_fp(struct parts *parts, const struct cfi_value *fp)
{
	int64_t offset = 0;

	parts->fp = fp_kind(fp, &offset);
	if (parts->kind != UNWIND_CFA_INDEXED) {
		if (fits_s16(offset))
			parts->fp_offset = (int32_t)offset;
		else
			parts->fp = UNWIND_FP_UNSUPPORTED;
		return;
	}
	/* fp_offset already holds the index register in its low 4 bits. */
	if (parts->fp == UNWIND_FP_CFA && offset % 8 == 0 && offset >= INT16_MIN / 2 &&
	    offset <= INT16_MAX / 2)
		parts->fp_offset += (int32_t)offset * 2;
	else if (parts->fp != UNWIND_FP_SAME && parts->fp != UNWIND_FP_UNDEFINED)
		parts->fp = UNWIND_FP_UNSUPPORTED;
}

static bool is_in_place(const struct cfi_value *value)
{
	return value->kind == CFI_UNSPECIFIED || value->kind == CFI_SAME_VALUE;
}

static uint32_t rbx_number(const struct cfi_value *rbx)
{
	if (is_in_place(rbx))
		return UNWIND_RBX_SAME;
	if (rbx->kind != CFI_OFFSET || rbx->offset % 8 || rbx->offset > -16 ||
	    rbx->offset <= -8 - 8 * (int64_t)UNWIND_RBX_LOST)
		return UNWIND_RBX_LOST;
	return (uint32_t)(-8 - rbx->offset) / 8;
}

/* Whether the return address is at CFA - 8, however that is said. */
static bool return_address_is_usual(const struct cfi_state *state)
{
	const struct cfi_value *ra = &state->return_address, *cfa = &state->cfa;
	struct expression e;

	if (ra->kind == CFI_OFFSET)
		return ra->offset == -8;
	return ra->kind == CFI_EXPRESSION && read_expression(ra, &e) && !e.deref &&
	       e.index == NO_INDEX && cfa->kind == CFI_REGISTER && cfa->reg == e.reg &&
	       e.offset == (int64_t)((uint64_t)cfa->offset - 8);
}

/*
 * A trampoline to which signal handlers return: of all that are marked so, only those whose CFI
 * describes the kernel's frame.
 */
static bool is_signal_trampoline(const struct cfi_state *state)
{
	struct expression cfa, ra;

	return state->cfa.kind == CFI_VALUE_EXPRESSION && read_expression(&state->cfa, &cfa) &&
	       cfa.deref && cfa.reg == UNWIND_RSP && cfa.offset == SIGNAL_RSP_OFFSET &&
	       cfa.added == 0 && cfa.index == NO_INDEX &&
	       state->return_address.kind == CFI_EXPRESSION &&
	       read_expression(&state->return_address, &ra) && !ra.deref && ra.reg == UNWIND_RSP &&
	       ra.offset == SIGNAL_RIP_OFFSET && ra.index == NO_INDEX;
}

/* The return address is in a register: what vfork() needs, and no more. */
static struct parts return_register_parts(const struct cfi_state *state)
{
	const struct cfi_value *ra = &state->return_address, *cfa = &state->cfa;

	if (cfa->kind != CFI_REGISTER || cfa->reg != UNWIND_RSP || cfa->offset < 0 ||
	    cfa->offset > INT32_MAX || ra->reg >= UNWIND_REGISTERS || !is_in_place(&state->fp) ||
	    !is_in_place(&state->rbx))
		return unsupported;
	return (struct parts){
		.kind = UNWIND_RETURN_REGISTER,
		.reg = ra->reg,
		.cfa_offset = (int32_t)cfa->offset,
	};
}

static struct parts state_parts(const struct cfi_state *state, const struct cfi_cie *cie)
{
	struct parts parts;

	if (state->return_address.kind == CFI_UNDEFINED)
		return (struct parts){ .kind = UNWIND_END };
	if (cie->signal_frame && is_signal_trampoline(state))
		return (struct parts){ .kind = UNWIND_SIGNAL };
	if (state->return_address.kind == CFI_REGISTER)
		return return_register_parts(state);
	if (!return_address_is_usual(state))
		return unsupported;
	parts = cfa_parts(&state->cfa);
	if (parts.kind == UNWIND_UNSUPPORTED)
		return parts;
	set_fp(&parts, &state->fp);
	parts.rbx = rbx_number(&state->rbx);
	if (cie->signal_frame)
		parts.fp |= UNWIND_INTERRUPTED;
	return parts;
}

struct unwind_rule cfi_rule(const struct cfi_state *state, const struct cfi_cie *cie)
{
	struct parts parts = state_parts(state, cie);

	return parts_rule(&parts);
}
