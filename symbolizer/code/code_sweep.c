/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/code/code_sweep.h"

#include <Zydis/Zydis.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "profiler/base/cleanup.h"

/* How far back what makes a jump's address is looked for: compilers put it right before, or nearly so. */
#define HISTORY 16
#define LOCK_PREFIX 0xf0

struct decoder {
	ZydisDecoder zydis;
	struct code_sweep *sweep;
	const uint8_t *bytes;
	size_t size;
	size_t offset;			/* of the instruction at hand */
	ZydisDecodedInstruction now;
	uint32_t history[HISTORY];	/* offsets of those before it, since the last call or jump */
	size_t history_count;
};

void code_sweep_done(struct code_sweep *sweep)
{
	free(sweep->starts);
	free(sweep->flows);
}

bool code_sweep_starts(const struct code_sweep *sweep, uint64_t offset)
{
	return offset < sweep->size && sweep->starts[offset / 8] & 1u << offset % 8;
}

static bool decode(const struct decoder *d, size_t offset, ZydisDecodedInstruction *ret,
		   ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT])
{
	return ZYAN_SUCCESS(ZydisDecoderDecodeFull(&d->zydis, d->bytes + offset, d->size - offset,
						   ret, operands));
}

static ZydisRegister whole_reg(ZydisRegister reg)
{
	return ZydisRegisterGetLargestEnclosing(ZYDIS_MACHINE_MODE_LONG_64, reg);
}

/* The last instruction before the one at hand that writes @reg, with its operands. */
static bool last_write(const struct decoder *d, ZydisRegister reg, ZydisDecodedInstruction *ret,
		       ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT], uint64_t *ret_address)
{
	size_t back, i;
	uint32_t offset;

	for (back = 1; back <= HISTORY && back <= d->history_count; back++) {
		offset = d->history[(d->history_count - back) % HISTORY];
		if (!decode(d, offset, ret, operands))
			return false;
		for (i = 0; i < ret->operand_count; i++) {
			if (operands[i].type != ZYDIS_OPERAND_TYPE_REGISTER ||
			    !(operands[i].actions & ZYDIS_OPERAND_ACTION_MASK_WRITE) ||
			    whole_reg(operands[i].reg.value) != reg)
				continue;
			*ret_address = d->sweep->address + offset;
			return i == 0;
		}
	}
	return false;
}

/* "add %rdx,%rax; jmp *%rax": GCC's and clang's tables hold distances, and nothing else does. */
static bool is_switch(const struct decoder *d, ZydisRegister reg)
{
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction write;
	uint64_t address;

	return last_write(d, reg, &write, operands, &address) &&
	       write.mnemonic == ZYDIS_MNEMONIC_ADD;
}

/* Where the table of "jmp *table(,%rax,8)" or "lea table(%rip),%rcx; jmp *(%rcx,%rax,8)" is. */
static uint64_t table_address(const struct decoder *d, const ZydisDecodedOperand *memory)
{
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	uint64_t address, displacement = (uint64_t)memory->mem.disp.value;
	ZydisDecodedInstruction write;

	if (memory->mem.base == ZYDIS_REGISTER_NONE)
		return displacement;
	if (!last_write(d, memory->mem.base, &write, operands, &address) ||
	    write.mnemonic != ZYDIS_MNEMONIC_LEA || operands[1].mem.base != ZYDIS_REGISTER_RIP)
		return 0;
	return address + write.length + (uint64_t)operands[1].mem.disp.value + displacement;
}

static void flow_of_indirect_jump(const struct decoder *d, struct code_flow *flow)
{
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	ZydisDecodedInstruction jump;

	flow->kind = CODE_JUMP_UNKNOWN;
	if (!decode(d, d->offset, &jump, operands))
		return;
	/* Made for jump tables only: it takes away the check for ENDBR64. */
	if (jump.attributes & ZYDIS_ATTRIB_HAS_NOTRACK) {
		flow->kind = CODE_SWITCH;
	} else if (operands[0].type == ZYDIS_OPERAND_TYPE_REGISTER) {
		if (is_switch(d, operands[0].reg.value))
			flow->kind = CODE_SWITCH;
	} else if (operands[0].type == ZYDIS_OPERAND_TYPE_MEMORY && operands[0].mem.scale == 8 &&
		   operands[0].mem.index != ZYDIS_REGISTER_NONE) {
		flow->kind = CODE_JUMP_INDEXED;
		flow->target = table_address(d, &operands[0]);
	}
}

/* Whether the instruction at hand goes elsewhere than to the next one; fills @ret if so. */
static bool flow_of(const struct decoder *d, struct code_flow *ret)
{
	const ZydisDecodedInstruction *now = &d->now;
	bool relative = now->raw.imm[0].is_relative;

	*ret = (struct code_flow){ .offset = (uint32_t)d->offset };
	if (relative)
		ret->target = d->sweep->address + d->offset + now->length +
			      (uint64_t)now->raw.imm[0].value.s;
	if (now->mnemonic == ZYDIS_MNEMONIC_RET)
		ret->kind = CODE_RETURN;
	else if (now->meta.category == ZYDIS_CATEGORY_CALL)
		ret->kind = CODE_CALL;
	else if (now->meta.category == ZYDIS_CATEGORY_COND_BR)
		ret->kind = CODE_BRANCH;
	else if (now->mnemonic != ZYDIS_MNEMONIC_JMP)
		return false;
	else if (relative)
		ret->kind = CODE_JUMP;
	else
		flow_of_indirect_jump(d, ret);
	return true;
}

/* Nothing is run behind these. Of padding, nothing is said. */
static void note_end(struct decoder *d, const struct code_flow *flow)
{
	switch (d->now.mnemonic) {
	case ZYDIS_MNEMONIC_NOP:
	case ZYDIS_MNEMONIC_INT3:
		return;
	case ZYDIS_MNEMONIC_UD0:
	case ZYDIS_MNEMONIC_UD1:
	case ZYDIS_MNEMONIC_UD2:
	case ZYDIS_MNEMONIC_HLT:
		d->sweep->falls_through = false;
		return;
	default:
		/* A function may end with the call of one that does not return. */
		d->sweep->falls_through = !flow || flow->kind == CODE_BRANCH;
	}
}

static int decoder_step(struct decoder *d)
{
	struct code_sweep *sweep = d->sweep;
	struct code_flow flow;
	bool flows;
	int r;

	sweep->starts[d->offset / 8] |= (uint8_t)(1u << d->offset % 8);
	flows = flow_of(d, &flow);
	note_end(d, flows ? &flow : NULL);
	d->history[d->history_count++ % HISTORY] = (uint32_t)d->offset;
	if (!flows)
		return 0;
	r = alloc_grow(&sweep->flows, &sweep->flow_capacity, sweep->flow_count + 1);
	if (r < 0)
		return r;
	sweep->flows[sweep->flow_count++] = flow;
	/* A branch that is not taken changes no register. */
	if (flow.kind != CODE_BRANCH)
		d->history_count = 0;
	return 0;
}

static int decoder_run(struct decoder *d, uint64_t last)
{
	ZydisDecoderContext context;
	int r;

	while (d->offset < d->size && d->offset <= last) {
		if (!ZYAN_SUCCESS(ZydisDecoderDecodeInstruction(&d->zydis, &context,
								d->bytes + d->offset,
								d->size - d->offset, &d->now)))
			return -EILSEQ;
		r = decoder_step(d);
		if (r < 0)
			return r;
		d->offset += d->now.length;
	}
	return 0;
}

/*
 * Whether every jump within the code leads to what was decoded as an instruction's begin. One behind a
 * lock prefix is: glibc jumps over the prefix where there is one thread.
 */
static bool is_in_step(const struct code_sweep *sweep, const uint8_t *bytes)
{
	uint64_t offset;
	size_t i;

	for (i = 0; i < sweep->flow_count; i++) {
		offset = sweep->flows[i].target - sweep->address;
		if (!sweep->flows[i].target || sweep->flows[i].kind == CODE_JUMP_INDEXED ||
		    offset >= sweep->size || code_sweep_starts(sweep, offset))
			continue;
		if (!offset || bytes[offset - 1] != LOCK_PREFIX ||
		    !code_sweep_starts(sweep, offset - 1))
			return false;
	}
	return true;
}

int code_sweep_init(struct code_sweep *sweep, const uint8_t *bytes, size_t size, uint64_t address,
		    uint64_t last)
{
	_cleanup_(code_sweep_done) struct code_sweep made = { .address = address, .size = size };
	struct decoder d = { .sweep = &made, .bytes = bytes, .size = size };
	int r;

	made.starts = calloc(size / 8 + 1, 1);
	if (!made.starts)
		return -ENOMEM;
	if (!ZYAN_SUCCESS(
		    ZydisDecoderInit(&d.zydis, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64)))
		return -EOPNOTSUPP;
	made.falls_through = true;
	r = decoder_run(&d, last);
	if (r < 0)
		return r;
	if (d.offset >= size && !is_in_step(&made, bytes))
		return -EILSEQ;
	*sweep = made;
	memset(&made, 0, sizeof(made));
	return 0;
}
