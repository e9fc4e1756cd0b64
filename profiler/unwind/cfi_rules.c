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

static const struct unwind_rule unsupported = { .kind = UNWIND_UNSUPPORTED };

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
	static const uint8_t before[] = { OP_BREG0 + UNWIND_RSP, 8, OP_BREG0 + REGISTER_RIP, 0,
					  OP_LIT15, OP_AND };
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
static struct unwind_rule register_rule(uint64_t reg, int64_t offset)
{
	struct unwind_rule rule = { .cfa_offset = (int32_t)offset };

	if (reg >= UNWIND_REGISTERS || offset != (int32_t)offset)
		return unsupported;
	if (reg == UNWIND_RSP) {
		rule.kind = UNWIND_CFA_RSP;
	} else if (reg == UNWIND_RBP) {
		rule.kind = UNWIND_CFA_RBP;
	} else {
		rule.kind = UNWIND_CFA_REGISTER;
		rule.fp = (uint8_t)(reg << 4);
	}
	return rule;
}

static struct unwind_rule expression_rule(const struct cfi_value *cfa)
{
	struct unwind_rule rule = { .kind = UNWIND_PLT };
	struct expression e;
	uint8_t from;

	if (read_plt(cfa, &from)) {
		rule.cfa_offset = from;
		return rule;
	}
	if (!read_expression(cfa, &e))
		return unsupported;
	if (!e.deref && e.index == NO_INDEX)
		return register_rule(e.reg, e.offset);
	if (!e.deref || e.reg >= UNWIND_REGISTERS || !fits_s16(e.offset) || !fits_s16(e.added))
		return unsupported;
	rule.kind = UNWIND_CFA_DEREF;
	rule.fp = (uint8_t)(e.reg << 4);
	rule.cfa_offset = (int32_t)((uint32_t)(uint16_t)e.offset | (uint32_t)e.added << 16);
	if (e.index == NO_INDEX)
		return rule;
	if (e.index >= UNWIND_REGISTERS)
		return unsupported;
	rule.kind = UNWIND_CFA_INDEXED;
	rule.fp_offset = (int16_t)e.index;
	return rule;
}

static struct unwind_rule cfa_rule(const struct cfi_value *cfa)
{
	if (cfa->kind == CFI_REGISTER)
		return register_rule(cfa->reg, cfa->offset);
	if (cfa->kind == CFI_VALUE_EXPRESSION)
		return expression_rule(cfa);
	return unsupported;
}

/* Where rbp is, as a kind and an offset. */
static enum unwind_fp fp_kind(const struct cfi_value *fp, int64_t *ret_offset)
{
	struct expression e;

	*ret_offset = 0;
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
		if (!read_expression(fp, &e) || e.deref || e.index != NO_INDEX)
			return UNWIND_FP_UNSUPPORTED;
		*ret_offset = e.offset;
		if (e.reg == UNWIND_RBP)
			return UNWIND_FP_RBP;
		return e.reg == UNWIND_RSP ? UNWIND_FP_RSP : UNWIND_FP_UNSUPPORTED;
	default:
		return UNWIND_FP_UNSUPPORTED;
	}
}

/* Add to @rule, which has its CFA, where rbp is. */
static void set_fp(struct unwind_rule *rule, const struct cfi_value *fp)
{
	int64_t offset;
	enum unwind_fp kind = fp_kind(fp, &offset);

	if (rule->kind == UNWIND_CFA_INDEXED) {
		/* fp_offset already holds the index register in its low 4 bits. */
		if ((kind != UNWIND_FP_CFA && offset) || offset % 8 || !fits_s16(offset * 2))
			kind = UNWIND_FP_UNSUPPORTED;
		else
			rule->fp_offset = (int16_t)(rule->fp_offset | offset * 2);
	} else if (!fits_s16(offset)) {
		kind = UNWIND_FP_UNSUPPORTED;
	} else {
		rule->fp_offset = (int16_t)offset;
	}
	rule->fp |= kind;
}

/* Where rbx is: in the upper half of the kind. */
static uint8_t rbx_bits(const struct cfi_value *rbx)
{
	int64_t words;

	if (rbx->kind == CFI_UNSPECIFIED || rbx->kind == CFI_SAME_VALUE)
		return UNWIND_RBX_SAME << UNWIND_RBX_SHIFT;
	words = -8 - rbx->offset;
	if (rbx->kind != CFI_OFFSET || words % 8 || words <= 0 || words / 8 >= UNWIND_RBX_LOST)
		return UNWIND_RBX_LOST << UNWIND_RBX_SHIFT;
	return (uint8_t)(words / 8 << UNWIND_RBX_SHIFT);
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
	       read_expression(&state->return_address, &ra) && !ra.deref &&
	       ra.reg == UNWIND_RSP && ra.offset == SIGNAL_RIP_OFFSET && ra.index == NO_INDEX;
}

/* The return address is in a register: what vfork() needs, and no more. */
static struct unwind_rule return_register_rule(const struct cfi_state *state)
{
	const struct cfi_value *ra = &state->return_address;
	struct unwind_rule rule = cfa_rule(&state->cfa);
	int64_t unused;

	if (rule.kind != UNWIND_CFA_RSP || ra->reg >= UNWIND_REGISTERS ||
	    fp_kind(&state->fp, &unused) != UNWIND_FP_SAME ||
	    rbx_bits(&state->rbx) != UNWIND_RBX_SAME)
		return unsupported;
	rule.kind = UNWIND_RETURN_REGISTER;
	rule.fp = (uint8_t)(ra->reg << 4);
	return rule;
}

struct unwind_rule cfi_rule(const struct cfi_state *state, const struct cfi_cie *cie)
{
	struct unwind_rule rule;

	if (state->return_address.kind == CFI_UNDEFINED)
		return (struct unwind_rule){ .kind = UNWIND_END };
	if (cie->signal_frame && is_signal_trampoline(state))
		return (struct unwind_rule){ .kind = UNWIND_SIGNAL };
	if (state->return_address.kind == CFI_REGISTER)
		return return_register_rule(state);
	if (!return_address_is_usual(state))
		return unsupported;
	rule = cfa_rule(&state->cfa);
	if (rule.kind == UNWIND_UNSUPPORTED)
		return rule;
	set_fp(&rule, &state->fp);
	rule.kind |= rbx_bits(&state->rbx);
	return rule;
}
