/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/code/go_prologue.h"

#include <Zydis/Zydis.h>
#include <stdbool.h>

/* Of runtime.g: stackguard0 and stackguard1. */
#define GUARD_0 0x10
#define GUARD_1 0x18
/* mov, sub, jb, cmp, jbe: the longest, of a frame that may be larger than the address space. */
#define INSTRUCTIONS_MAX 6

/* The goroutine is in r14, before Go 1.17 in rcx. */
static bool is_guard(const ZydisDecodedOperand *operand)
{
	return operand->type == ZYDIS_OPERAND_TYPE_MEMORY &&
	       operand->mem.index == ZYDIS_REGISTER_NONE &&
	       (operand->mem.base == ZYDIS_REGISTER_R14 ||
		operand->mem.base == ZYDIS_REGISTER_RCX) &&
	       (operand->mem.disp.value == GUARD_0 || operand->mem.disp.value == GUARD_1);
}

/* The stack pointer, or where the frame would end, in a register that holds no argument. */
static bool is_compared(const ZydisDecodedOperand *operand)
{
	return operand->type == ZYDIS_OPERAND_TYPE_REGISTER &&
	       (operand->reg.value == ZYDIS_REGISTER_RSP ||
		operand->reg.value == ZYDIS_REGISTER_R12);
}

/* What may come before: the goroutine is loaded, the end of the frame computed. */
static bool may_precede(ZydisMnemonic mnemonic)
{
	return mnemonic == ZYDIS_MNEMONIC_MOV || mnemonic == ZYDIS_MNEMONIC_LEA ||
	       mnemonic == ZYDIS_MNEMONIC_SUB || mnemonic == ZYDIS_MNEMONIC_JB;
}

size_t go_prologue_bytes(const uint8_t *bytes, size_t size)
{
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction now;
	ZydisDecoder decoder;
	bool is_checked = false;
	size_t at = 0;

	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	for (int i = 0; i < INSTRUCTIONS_MAX && at < size; i++) {
		if (!ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, bytes + at, size - at, &now,
							 operands)))
			return 0;
		at += now.length;
		if (is_checked)
			return now.mnemonic == ZYDIS_MNEMONIC_JBE ? at : 0;
		if (now.mnemonic == ZYDIS_MNEMONIC_CMP)
			is_checked = is_compared(&operands[0]) && is_guard(&operands[1]);
		if (!is_checked && !may_precede(now.mnemonic))
			return 0;
	}
	return 0;
}
