/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/code/stack_effect.h"

#include <Zydis/Zydis.h>
#include <errno.h>
#include <stdlib.h>

struct stack_decoder {
	ZydisDecoder zydis;
	ZydisDecodedInstruction now;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

struct stack_decoder *stack_decoder_new(void)
{
	_cleanup_(stack_decoder_freep) struct stack_decoder *decoder = calloc(1, sizeof(*decoder));

	if (!decoder || !ZYAN_SUCCESS(ZydisDecoderInit(&decoder->zydis, ZYDIS_MACHINE_MODE_LONG_64,
						       ZYDIS_STACK_WIDTH_64)))
		return NULL;
	return take_ptr(decoder);
}

struct stack_decoder *stack_decoder_free(struct stack_decoder *decoder)
{
	free(decoder);
	return NULL;
}

/* ---- operands ---- */

static enum stack_register register_of(ZydisRegister reg)
{
	switch (ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg)) {
	case ZYDIS_REGISTER_RSP:
		return STACK_RSP;
	case ZYDIS_REGISTER_RBP:
		return STACK_RBP;
	case ZYDIS_REGISTER_RBX:
		return STACK_RBX;
	default:
		return STACK_OTHER;
	}
}

static bool is_register(const ZydisDecodedOperand *operand, ZydisRegister reg)
{
	return operand->type == ZYDIS_OPERAND_TYPE_REGISTER && operand->reg.value == reg;
}

static enum stack_register operand_register(const ZydisDecodedOperand *operand)
{
	if (operand->type != ZYDIS_OPERAND_TYPE_REGISTER || operand->size != 64)
		return STACK_OTHER;
	return register_of(operand->reg.value);
}

/* Whether @operand is in memory, or an address, at a fixed distance from @base. */
static bool is_at(const ZydisDecodedOperand *operand, ZydisRegister base, int64_t *ret)
{
	if (operand->type != ZYDIS_OPERAND_TYPE_MEMORY || operand->mem.base != base ||
	    operand->mem.index != ZYDIS_REGISTER_NONE)
		return false;
	*ret = operand->mem.disp.has_displacement ? operand->mem.disp.value : 0;
	return true;
}

/* Whether any operand, those not written out too, gives @reg another value. */
static bool writes(const struct stack_decoder *d, enum stack_register reg)
{
	for (size_t i = 0; i < d->now.operand_count; i++) {
		const ZydisDecodedOperand *operand = &d->operands[i];

		if (operand->type == ZYDIS_OPERAND_TYPE_REGISTER &&
		    (operand->actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) &&
		    register_of(operand->reg.value) == reg)
			return true;
	}
	return false;
}

/* ---- rsp ---- */

static void read_move(const struct stack_decoder *d, struct stack_effect *ret)
{
	const ZydisDecodedOperand *to = &d->operands[0], *from = &d->operands[1];
	enum stack_register reg;

	if (is_register(to, ZYDIS_REGISTER_RBP) && is_register(from, ZYDIS_REGISTER_RSP)) {
		ret->kind = STACK_SET_FP;
	} else if (is_register(to, ZYDIS_REGISTER_RSP) && is_register(from, ZYDIS_REGISTER_RBP)) {
		ret->kind = STACK_SET_SP;
	} else if (is_at(to, ZYDIS_REGISTER_RSP, &ret->value)) {
		reg = operand_register(from);
		ret->kind = reg == STACK_RBP || reg == STACK_RBX ? STACK_SAVE : STACK_SAME;
		ret->reg = reg;
	} else if (is_at(from, ZYDIS_REGISTER_RSP, &ret->value)) {
		reg = operand_register(to);
		ret->kind = reg == STACK_RBP || reg == STACK_RBX ? STACK_RESTORE : STACK_SAME;
		ret->reg = reg;
	}
}

static void read_address(const struct stack_decoder *d, struct stack_effect *ret)
{
	const ZydisDecodedOperand *to = &d->operands[0], *from = &d->operands[1];

	if (is_register(to, ZYDIS_REGISTER_RSP) && is_at(from, ZYDIS_REGISTER_RSP, &ret->value))
		ret->kind = STACK_ADD;
	else if (is_register(to, ZYDIS_REGISTER_RSP) &&
		 is_at(from, ZYDIS_REGISTER_RBP, &ret->value))
		ret->kind = STACK_SET_SP;
	else if (is_register(to, ZYDIS_REGISTER_RBP) &&
		 is_at(from, ZYDIS_REGISTER_RSP, &ret->value))
		ret->kind = STACK_SET_FP;
}

static void read_sum(const struct stack_decoder *d, struct stack_effect *ret)
{
	if (!is_register(&d->operands[0], ZYDIS_REGISTER_RSP) ||
	    d->operands[1].type != ZYDIS_OPERAND_TYPE_IMMEDIATE)
		return;
	ret->kind = STACK_ADD;
	ret->value = d->operands[1].imm.value.s;
	if (d->now.mnemonic == ZYDIS_MNEMONIC_SUB)
		ret->value = -ret->value;
}

static void read_effect(const struct stack_decoder *d, struct stack_effect *ret)
{
	switch (d->now.mnemonic) {
	case ZYDIS_MNEMONIC_PUSHFQ:
		ret->kind = STACK_PUSH;
		ret->value = 8;
		break;
	case ZYDIS_MNEMONIC_POPFQ:
		ret->kind = STACK_POP;
		ret->value = 8;
		break;
	case ZYDIS_MNEMONIC_PUSH:
		ret->kind = STACK_PUSH;
		ret->value = d->now.operand_width / 8;
		ret->reg = operand_register(&d->operands[0]);
		break;
	case ZYDIS_MNEMONIC_POP:
		ret->kind = STACK_POP;
		ret->value = d->now.operand_width / 8;
		ret->reg = operand_register(&d->operands[0]);
		/* pop %rsp */
		if (ret->reg == STACK_RSP)
			ret->kind = STACK_LOST;
		break;
	case ZYDIS_MNEMONIC_MOV:
		read_move(d, ret);
		break;
	case ZYDIS_MNEMONIC_LEA:
		read_address(d, ret);
		break;
	case ZYDIS_MNEMONIC_ADD:
	case ZYDIS_MNEMONIC_SUB:
		read_sum(d, ret);
		break;
	case ZYDIS_MNEMONIC_LEAVE:
		ret->kind = STACK_LEAVE;
		break;
	default:
		break;
	}
}

/* What the kind does not say of rsp, rbp and rbx. */
static void read_clobbers(const struct stack_decoder *d, struct stack_effect *ret)
{
	bool sets_fp = ret->kind == STACK_SET_FP || ret->kind == STACK_LEAVE;
	bool loads = ret->kind == STACK_POP || ret->kind == STACK_RESTORE;

	ret->clobbers_fp = writes(d, STACK_RBP) && !sets_fp && !(loads && ret->reg == STACK_RBP);
	ret->clobbers_rbx = writes(d, STACK_RBX) && !(loads && ret->reg == STACK_RBX);
	if (ret->kind == STACK_SAME && writes(d, STACK_RSP))
		ret->kind = STACK_LOST;
}

/* ---- flow ---- */

static void read_flow(const struct stack_decoder *d, uint64_t address, struct stack_effect *ret)
{
	const ZydisDecodedInstruction *now = &d->now;

	if (now->raw.imm[0].is_relative)
		ret->target = address + now->length + (uint64_t)now->raw.imm[0].value.s;
	switch (now->mnemonic) {
	case ZYDIS_MNEMONIC_RET:
	case ZYDIS_MNEMONIC_UD0:
	case ZYDIS_MNEMONIC_UD1:
	case ZYDIS_MNEMONIC_UD2:
	case ZYDIS_MNEMONIC_HLT:
	case ZYDIS_MNEMONIC_IRETQ:
		ret->flow = FLOW_END;
		return;
	case ZYDIS_MNEMONIC_JMP:
		ret->flow = FLOW_JUMP;
		return;
	case ZYDIS_MNEMONIC_INT3:
	case ZYDIS_MNEMONIC_NOP:
		ret->is_padding = true;
		return;
	case ZYDIS_MNEMONIC_ENDBR64:
		ret->is_landing = true;
		return;
	default:
		break;
	}
	if (now->meta.category == ZYDIS_CATEGORY_CALL)
		ret->flow = FLOW_CALL;
	else if (now->meta.category == ZYDIS_CATEGORY_COND_BR)
		ret->flow = FLOW_BRANCH;
	else
		ret->target = 0;
}

int stack_effect_read(struct stack_decoder *d, const uint8_t *bytes, size_t size, uint64_t address,
		      struct stack_effect *ret)
{
	if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&d->zydis, bytes, size, &d->now, d->operands)))
		return -EILSEQ;
	*ret = (struct stack_effect){ .length = d->now.length, .reg = STACK_OTHER };
	read_flow(d, address, ret);
	/* What a call and a return do to rsp is undone, or nobody sees it. */
	if (ret->flow != FLOW_NEXT)
		return 0;
	read_effect(d, ret);
	read_clobbers(d, ret);
	return 0;
}
