/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/types/sysv_abi.h"

#include <errno.h>

#include "profiler/base/cleanup.h"

#define PART_BYTES 8
#define PARTS_MAX 2
/* Structs in structs and arrays; one of 16 bytes has few levels, whatever it claims. */
#define DEPTH_MAX 16
/* Members of one: as many bit fields as bits, and empty ones. */
#define MEMBERS_MAX 256
#define FLOAT_REGISTERS 8

/* DWARF numbers. */
enum { RAX = 0, RDX = 1 };
static const uint8_t argument_registers[] = { 5, 4, 1, 2, 8, 9 };	/* rdi rsi rdx rcx r8 r9 */
static const uint8_t result_registers[] = { RAX, RDX };

enum part { PART_NONE, PART_INTEGER, PART_FLOAT };

/* How a value is passed. */
struct passing {
	bool in_memory;
	bool one_register;	/* a vector, however wide */
	uint8_t align;
	enum part parts[PARTS_MAX];
	uint8_t part_bytes[PARTS_MAX];
};

static void passing_add(struct passing *p, uint64_t offset, uint64_t bytes, enum part part)
{
	uint64_t end = offset + bytes, at, stop;

	for (at = offset; at < end; at = stop) {
		stop = at - at % PART_BYTES + PART_BYTES;
		if (at / PART_BYTES >= PARTS_MAX) {
			p->in_memory = true;
			return;
		}
		if (p->parts[at / PART_BYTES] != PART_INTEGER)
			p->parts[at / PART_BYTES] = part;
	}
}

static void classify(struct passing *p, const struct type_info *type, uint64_t offset,
		     unsigned int depth);

static void classify_scalar(struct passing *p, const struct type_info *type, uint64_t offset,
			    uint64_t align, enum part part)
{
	if (align > p->align)
		p->align = (uint8_t)align;
	if (offset % align)
		p->in_memory = true;
	passing_add(p, offset, type->bytes, part);
}

static void classify_array(struct passing *p, const struct type_info *type, uint64_t offset,
			   unsigned int depth)
{
	struct type_info element;
	uint64_t i;

	if (!type->provider || type->provider->target(type, &element) < 0 || !element.bytes) {
		p->in_memory |= type->bytes > 0;
		return;
	}
	for (i = 0; i < type->count && i * element.bytes < PARTS_MAX * PART_BYTES; i++)
		classify(p, &element, offset + i * element.bytes, depth);
}

static void classify_struct(struct passing *p, const struct type_info *type, uint64_t offset,
			    unsigned int depth)
{
	struct type_member member;
	size_t i;
	int r = 0;

	for (i = 0; i < MEMBERS_MAX; i++) {
		r = type->provider->member_at(type, i, &member);
		if (r < 0)
			break;
		/* Bit fields are INTEGER where their bits are, and never unaligned. */
		if (member.bit_count)
			passing_add(p, offset + member.offset + member.bit_shift / 8,
				    (member.bit_shift % 8 + member.bit_count + 7) / 8,
				    PART_INTEGER);
		else
			classify(p, &member.type, offset + member.offset, depth);
	}
	if (r != -ENOENT)
		p->in_memory = true;
}

static void classify(struct passing *p, const struct type_info *type, uint64_t offset,
		     unsigned int depth)
{
	uint64_t bytes = type->bytes;

	if (!bytes)
		return;
	if (offset + bytes > PARTS_MAX * PART_BYTES || depth >= DEPTH_MAX) {
		p->in_memory = true;
		return;
	}
	switch (type->kind) {
	case TYPE_INTEGER:
	case TYPE_POINTER:
		classify_scalar(p, type, offset, bytes, PART_INTEGER);
		break;
	case TYPE_FLOAT:
		/* Of 16 bytes it is the x87's, which goes by memory, or a complex number of two. */
		if (bytes > PART_BYTES && !type->count)
			p->in_memory = true;
		classify_scalar(p, type, offset, type->count ? bytes / 2 : bytes, PART_FLOAT);
		break;
	case TYPE_ARRAY:
		classify_array(p, type, offset, depth + 1);
		break;
	case TYPE_STRUCT:
		classify_struct(p, type, offset, depth + 1);
		break;
	default:
		/* A vector or _Float128: its second half goes where the first does. */
		classify_scalar(p, type, offset, bytes, PART_FLOAT);
		p->one_register = true;
		break;
	}
}

static void passing_set_bytes(struct passing *p, uint64_t bytes)
{
	size_t i;

	for (i = 0; i < PARTS_MAX; i++) {
		if (bytes <= i * PART_BYTES)
			p->part_bytes[i] = 0;
		else if (bytes >= (i + 1) * PART_BYTES)
			p->part_bytes[i] = PART_BYTES;
		else
			p->part_bytes[i] = (uint8_t)(bytes - i * PART_BYTES);
	}
}

static void passing_read(const struct type_info *type, struct passing *ret)
{
	*ret = (struct passing){ .align = PART_BYTES };
	if (type->kind == TYPE_OTHER) {
		/* Alone a wide vector is in one register, too. */
		ret->parts[0] = PART_FLOAT;
		ret->one_register = true;
		return;
	}
	/* Neither C nor C++ passes arrays; where they are in others' arguments they are as in a struct. */
	classify(ret, type, 0, 0);
	/* 16 is also the alignment of what else would be rounded to it. */
	ret->align = ret->align > PART_BYTES ? 2 * PART_BYTES : PART_BYTES;
	passing_set_bytes(ret, type->bytes);
}

static unsigned int count_parts(const struct passing *p, enum part part)
{
	if (p->one_register)
		return p->parts[0] == part;
	return (p->parts[0] == part) + (p->parts[1] == part);
}

static void refuse(struct type_argument *argument, const char *why)
{
	argument->place = ARGUMENT_UNKNOWN;
	argument->refusal = why;
}

/* From what @p says and registers that are free. */
static void place_in_registers(const struct passing *p, const uint8_t *registers,
			       struct type_argument *argument)
{
	size_t i;

	if (argument->type.kind != TYPE_STRUCT && argument->type.kind != TYPE_ARRAY &&
	    argument->type.bytes <= PART_BYTES) {
		argument->place = ARGUMENT_REGISTER;
		argument->reg = *registers;
		return;
	}
	argument->place = ARGUMENT_PIECES;
	argument->piece_count = 0;
	for (i = 0; i < PARTS_MAX; i++) {
		if (p->parts[i] != PART_INTEGER)
			continue;
		argument->pieces[argument->piece_count++] = (struct type_piece){
			.offset = (uint8_t)(i * PART_BYTES),
			.bytes = p->part_bytes[i],
			.reg = *registers++,
		};
	}
}

static void place_on_stack(struct sysv_call *call, const struct passing *p,
			   struct type_argument *argument)
{
	call->stack_bytes = (call->stack_bytes + p->align - 1) / p->align * p->align;
	if (argument->type.kind == TYPE_FLOAT) {
		refuse(argument, SYSV_NO_FLOAT);
	} else {
		argument->place = ARGUMENT_STACK;
		/* Above the return address. */
		argument->stack_offset = PART_BYTES + call->stack_bytes;
	}
	call->stack_bytes +=
		(int64_t)((argument->type.bytes + PART_BYTES - 1) / PART_BYTES * PART_BYTES);
}

void sysv_take_pointer(struct sysv_call *call)
{
	call->integers++;
}

bool sysv_returns_in_memory(const struct type_info *type)
{
	struct passing p;

	if (type->kind == TYPE_VOID || type->kind == TYPE_FLOAT)
		return false;
	passing_read(type, &p);
	return p.in_memory;
}

void sysv_place_argument(struct sysv_call *call, struct type_argument *argument)
{
	struct passing p;
	unsigned int integers, floats;

	passing_read(&argument->type, &p);
	integers = count_parts(&p, PART_INTEGER);
	floats = count_parts(&p, PART_FLOAT);
	if (!p.in_memory && !integers && !floats) {
		/* An empty class takes no room, neither does what has no size. */
		refuse(argument, "it is empty");
		return;
	}
	/* All of it or nothing; a later argument may still fit. */
	if (p.in_memory || call->integers + integers > ARRAY_SIZE(argument_registers) ||
	    call->floats + floats > FLOAT_REGISTERS) {
		place_on_stack(call, &p, argument);
		return;
	}
	if (integers)
		place_in_registers(&p, &argument_registers[call->integers], argument);
	else
		refuse(argument, SYSV_NO_FLOAT);
	call->integers += integers;
	call->floats += floats;
}

void sysv_place_result(struct type_argument *result)
{
	struct passing p;

	if (result->type.kind == TYPE_VOID) {
		refuse(result, "it returns nothing");
		return;
	}
	passing_read(&result->type, &p);
	if (result->type.kind == TYPE_FLOAT || (!p.in_memory && !count_parts(&p, PART_INTEGER)))
		refuse(result, count_parts(&p, PART_FLOAT) ? SYSV_NO_FLOAT : "it is empty");
	else if (p.in_memory)
		refuse(result, "it is returned in memory");
	else
		place_in_registers(&p, result_registers, result);
}
