/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/unwind/cfi_program.h"

#include <errno.h>
#include "bpf/unwind_abi.h"

/* The three instructions that have an operand in their low 6 bits. */
enum {
	OP_ADVANCE = 1,
	OP_OFFSET = 2,
	OP_RESTORE = 3,
};
#define OP_SHIFT 6
#define OPERAND_MASK 0x3f

/* DW_CFA_*, without the prefix. */
enum {
	OP_NOP = 0x00,
	OP_SET_LOC = 0x01,
	OP_ADVANCE1 = 0x02,
	OP_ADVANCE2 = 0x03,
	OP_ADVANCE4 = 0x04,
	OP_OFFSET_EXTENDED = 0x05,
	OP_RESTORE_EXTENDED = 0x06,
	OP_UNDEFINED = 0x07,
	OP_SAME_VALUE = 0x08,
	OP_REGISTER = 0x09,
	OP_REMEMBER_STATE = 0x0a,
	OP_RESTORE_STATE = 0x0b,
	OP_DEF_CFA = 0x0c,
	OP_DEF_CFA_REGISTER = 0x0d,
	OP_DEF_CFA_OFFSET = 0x0e,
	OP_DEF_CFA_EXPRESSION = 0x0f,
	OP_EXPRESSION = 0x10,
	OP_OFFSET_EXTENDED_SF = 0x11,
	OP_DEF_CFA_SF = 0x12,
	OP_DEF_CFA_OFFSET_SF = 0x13,
	OP_VAL_OFFSET = 0x14,
	OP_VAL_OFFSET_SF = 0x15,
	OP_VAL_EXPRESSION = 0x16,
	OP_GNU_ARGS_SIZE = 0x2e,
	OP_GNU_NEGATIVE_OFFSET_EXTENDED = 0x2f,
};

/*
 * No CIE found in the wild has more than some 200 bytes of instructions (signal
 * trampolines); a limit keeps many FDEs with long CIEs from taking for ever.
 */
#define CIE_PROGRAM_MAX 1024

/* Products wrap as the machine's do: the numbers may be anything. */
static int64_t scaled(uint64_t number, int64_t factor)
{
	return (int64_t)(number * (uint64_t)factor);
}

/* Where the rule of @reg is kept, or NULL: only three registers matter here. */
static struct cfi_value *find_value(struct cfi_run *run, uint64_t reg)
{
	if (reg == run->common->cie.return_register)
		return &run->state.return_address;
	if (reg == UNWIND_RBP)
		return &run->state.fp;
	return reg == UNWIND_RBX ? &run->state.rbx : NULL;
}

static void set_value(struct cfi_run *run, uint64_t reg, enum cfi_kind kind, int64_t offset)
{
	struct cfi_value *value = find_value(run, reg);

	if (value)
		*value = (struct cfi_value){ .kind = kind, .offset = offset };
}

static struct cfi_value in_register(uint64_t reg, int64_t offset)
{
	return (struct cfi_value){
		.kind = CFI_REGISTER,
		.reg = reg > UINT32_MAX ? UINT32_MAX : (uint32_t)reg,
		.offset = offset,
	};
}

static void set_register(struct cfi_run *run, uint64_t reg, uint64_t holder)
{
	struct cfi_value *value = find_value(run, reg);

	if (value)
		*value = in_register(holder, 0);
}

/* Back to what the CIE said. */
static void restore_value(struct cfi_run *run, uint64_t reg)
{
	const struct cfi_common *common = run->common;

	if (reg == common->cie.return_register)
		run->state.return_address = common->initial.return_address;
	else if (reg == UNWIND_RBP)
		run->state.fp = common->initial.fp;
	else if (reg == UNWIND_RBX)
		run->state.rbx = common->initial.rbx;
}

/*
 * A block of bytes as a value; its operations are looked at when a rule is
 * made. Register and offset stay, see change_cfa().
 */
static void read_expression(struct cfi_run *run, enum cfi_kind kind, struct cfi_value *ret)
{
	const uint8_t *block = run->cursor.at;

	cfi_skip(&run->cursor, cfi_read_uleb(&run->cursor));
	if (!ret || run->cursor.damaged)
		return;
	ret->kind = kind;
	ret->expression = block;
}

static void set_cfa(struct cfi_run *run, uint64_t reg, int64_t offset)
{
	run->state.cfa = in_register(reg, offset);
}

/*
 * What changes only a part of the CFA needs the other part to be there. DWARF
 * has it undefined behind an expression, but libgcrypt's assembly goes on from
 * what held before the expression, and libgcc understands it.
 */
static int change_cfa(struct cfi_run *run, uint8_t op)
{
	struct cfi_value *cfa = &run->state.cfa;

	if (cfa->kind == CFI_UNSPECIFIED)
		return -EBADMSG;
	if (op == OP_DEF_CFA_REGISTER)
		set_cfa(run, cfi_read_uleb(&run->cursor), cfa->offset);
	else if (op == OP_DEF_CFA_OFFSET)
		cfa->offset = (int64_t)cfi_read_uleb(&run->cursor);
	else
		cfa->offset =
			scaled((uint64_t)cfi_read_sleb(&run->cursor), run->common->cie.data_factor);
	return 0;
}

static int save_state(struct cfi_run *run)
{
	if (run->saved_count == CFI_SAVED_MAX)
		return -EBADMSG;
	run->saved[run->saved_count++] = run->state;
	return 0;
}

static int restore_state(struct cfi_run *run)
{
	if (run->saved_count == 0)
		return -EBADMSG;
	run->state = run->saved[--run->saved_count];
	return 0;
}

/* Instructions that define one register, whose number comes first. */
static int run_register(struct cfi_run *run, uint8_t op)
{
	struct cfi_cursor *cursor = &run->cursor;
	int64_t factor = run->common->cie.data_factor;
	uint64_t reg = cfi_read_uleb(cursor);

	switch (op) {
	case OP_OFFSET_EXTENDED:
		set_value(run, reg, CFI_OFFSET, scaled(cfi_read_uleb(cursor), factor));
		return 0;
	case OP_OFFSET_EXTENDED_SF:
		set_value(run, reg, CFI_OFFSET, scaled((uint64_t)cfi_read_sleb(cursor), factor));
		return 0;
	case OP_GNU_NEGATIVE_OFFSET_EXTENDED:
		set_value(run, reg, CFI_OFFSET, scaled(-cfi_read_uleb(cursor), factor));
		return 0;
	case OP_VAL_OFFSET:
		set_value(run, reg, CFI_VALUE_OFFSET, scaled(cfi_read_uleb(cursor), factor));
		return 0;
	case OP_VAL_OFFSET_SF:
		set_value(run, reg, CFI_VALUE_OFFSET,
			  scaled((uint64_t)cfi_read_sleb(cursor), factor));
		return 0;
	case OP_RESTORE_EXTENDED:
		restore_value(run, reg);
		return 0;
	case OP_UNDEFINED:
		set_value(run, reg, CFI_UNDEFINED, 0);
		return 0;
	case OP_SAME_VALUE:
		set_value(run, reg, CFI_SAME_VALUE, 0);
		return 0;
	case OP_REGISTER:
		set_register(run, reg, cfi_read_uleb(cursor));
		return 0;
	case OP_EXPRESSION:
		read_expression(run, CFI_EXPRESSION, find_value(run, reg));
		return 0;
	case OP_VAL_EXPRESSION:
		read_expression(run, CFI_VALUE_EXPRESSION, find_value(run, reg));
		return 0;
	default:
		return -EBADMSG;
	}
}

/* Everything that is not an advance. */
static int run_instruction(struct cfi_run *run, uint8_t op)
{
	struct cfi_cursor *cursor = &run->cursor;
	uint64_t reg;

	switch (op) {
	case OP_NOP:
		return 0;
	case OP_REMEMBER_STATE:
		return save_state(run);
	case OP_RESTORE_STATE:
		return restore_state(run);
	case OP_DEF_CFA:
		reg = cfi_read_uleb(cursor);
		set_cfa(run, reg, (int64_t)cfi_read_uleb(cursor));
		return 0;
	case OP_DEF_CFA_SF:
		reg = cfi_read_uleb(cursor);
		set_cfa(run, reg,
			scaled((uint64_t)cfi_read_sleb(cursor), run->common->cie.data_factor));
		return 0;
	case OP_DEF_CFA_REGISTER:
	case OP_DEF_CFA_OFFSET:
	case OP_DEF_CFA_OFFSET_SF:
		return change_cfa(run, op);
	case OP_DEF_CFA_EXPRESSION:
		read_expression(run, CFI_VALUE_EXPRESSION, &run->state.cfa);
		return 0;
	case OP_GNU_ARGS_SIZE:
		/* For unwinding into exception handlers; it does not move the CFA. */
		cfi_read_uleb(cursor);
		return 0;
	default:
		return run_register(run, op);
	}
}

/* Where the row that begins at run->address ends, when @op ends it: else as it was. */
static int read_advance(struct cfi_run *run, uint8_t op, uint64_t *ret_next)
{
	uint64_t delta;

	switch (op) {
	case OP_SET_LOC:
		*ret_next = cfi_read_pointer(&run->cursor, run->section,
					     run->common->cie.pointer_encoding, run->function);
		return *ret_next < run->address ? -EBADMSG : 0;
	case OP_ADVANCE1:
		delta = cfi_read_u8(&run->cursor);
		break;
	case OP_ADVANCE2:
		delta = cfi_read_fixed(&run->cursor, 2);
		break;
	case OP_ADVANCE4:
		delta = cfi_read_fixed(&run->cursor, 4);
		break;
	default:
		delta = op & OPERAND_MASK;
		break;
	}
	if (__builtin_mul_overflow(delta, run->common->cie.code_factor, &delta) ||
	    __builtin_add_overflow(run->address, delta, ret_next))
		*ret_next = UINT64_MAX;
	return 0;
}

void cfi_run_start(struct cfi_run *run, const struct cfi_section *section,
		   const struct cfi_common *common, const struct cfi_fde *fde)
{
	run->section = section;
	run->common = common;
	run->cursor = (struct cfi_cursor){ .at = fde->program, .end = fde->program_end };
	run->function = run->address = fde->start;
	run->end = fde->end;
	run->state = common->initial;
	run->saved_count = 0;
}

/* The row that began at run->address ends before @next, or with the FDE. */
static int end_row(struct cfi_run *run, uint64_t next, uint64_t *ret_start)
{
	*ret_start = run->address;
	run->address = next < run->end ? next : run->end;
	return 1;
}

int cfi_run_next(struct cfi_run *run, uint64_t *ret_start)
{
	struct cfi_cursor *cursor = &run->cursor;
	uint64_t next;
	int r = 0;

	if (run->address >= run->end)
		return 0;
	while (cursor->at != cursor->end) {
		uint8_t op = *cursor->at++;

		switch (op >> OP_SHIFT) {
		case OP_OFFSET:
			set_value(run, op & OPERAND_MASK, CFI_OFFSET,
				  scaled(cfi_read_uleb(cursor), run->common->cie.data_factor));
			continue;
		case OP_RESTORE:
			restore_value(run, op & OPERAND_MASK);
			continue;
		case 0:
			if (op >= OP_SET_LOC && op <= OP_ADVANCE4)
				break;
			r = run_instruction(run, op);
			if (r < 0)
				return r;
			continue;
		}
		next = run->address;
		r = read_advance(run, op, &next);
		if (r < 0 || cursor->damaged)
			return -EBADMSG;
		if (next != run->address)
			return end_row(run, next, ret_start);
	}
	return cursor->damaged ? -EBADMSG : end_row(run, run->end, ret_start);
}

int cfi_common_read(const struct cfi_section *section, size_t offset, struct cfi_common *ret)
{
	struct cfi_common common = { 0 };
	struct cfi_fde whole = { .start = 0, .end = UINT64_MAX };
	struct cfi_run run;
	uint64_t start;
	int r;

	r = cfi_cie_read(section, offset, &common.cie);
	if (r < 0)
		return r;
	if (common.cie.program_end - common.cie.program > CIE_PROGRAM_MAX)
		return -EBADMSG;
	whole.program = common.cie.program;
	whole.program_end = common.cie.program_end;
	cfi_run_start(&run, section, &common, &whole);
	r = cfi_run_next(&run, &start);
	if (r < 0)
		return r;
	common.initial = run.state;
	*ret = common;
	return 0;
}
