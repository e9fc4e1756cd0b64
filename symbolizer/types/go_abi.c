/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/types/go_abi.h"

#include <errno.h>

#include "profiler/base/cleanup.h"
#include "symbolizer/types/sysv_abi.h"

#define WORD_BYTES 8
#define FLOAT_REGISTERS 15
#define DEPTH_MAX 16
/* Fields of one value, those of structs in it included: more of them are on the stack anyway. */
#define FIELDS_MAX 64

/* rax rbx rcx rdi rsi r8 r9 r10 r11, by DWARF numbers. */
static const uint8_t registers[] = { 0, 3, 2, 5, 4, 8, 9, 10, 11 };

struct assignment {
	unsigned int integers, floats, fields, depth;
	uint64_t align;
	size_t piece_count;
	struct type_piece pieces[TYPE_PIECES_MAX];
	bool on_stack;
};

static void assign(struct assignment *a, const struct type_info *type, uint64_t offset);

static void assign_integer(struct assignment *a, const struct type_info *type, uint64_t offset)
{
	if (a->integers >= ARRAY_SIZE(registers) || a->piece_count >= TYPE_PIECES_MAX ||
	    type->bytes > WORD_BYTES || offset > UINT8_MAX) {
		a->on_stack = true;
		return;
	}
	a->pieces[a->piece_count++] = (struct type_piece){ (uint8_t)offset, (uint8_t)type->bytes,
							   registers[a->integers++] };
}

static void assign_struct(struct assignment *a, const struct type_info *type, uint64_t offset)
{
	struct type_member member;
	size_t i;
	int r = 0;

	/* All fields are looked at also when they are on the stack: the alignment is theirs. */
	for (i = 0; a->fields++ < FIELDS_MAX; i++) {
		r = type->provider->member_at(type, i, &member);
		if (r < 0)
			break;
		assign(a, &member.type, offset + member.offset);
	}
	if (r != -ENOENT)
		a->on_stack = true;
}

static void assign_array(struct assignment *a, const struct type_info *type, uint64_t offset)
{
	struct type_info element;

	if (!type->count)
		return;
	if (type->count > 1)
		a->on_stack = true;
	if (type->provider->target(type, &element) < 0)
		a->on_stack = true;
	else
		assign(a, &element, offset);
}

static void assign(struct assignment *a, const struct type_info *type, uint64_t offset)
{
	uint64_t align = type->bytes;

	if (a->depth >= DEPTH_MAX) {
		a->on_stack = true;
		return;
	}
	a->depth++;
	switch (type->kind) {
	case TYPE_FLOAT:
		a->floats += type->count ? 2 : 1;
		align = type->count ? type->bytes / 2 : type->bytes;
		break;
	case TYPE_ARRAY:
		assign_array(a, type, offset);
		align = 1;
		break;
	case TYPE_STRUCT:
		assign_struct(a, type, offset);
		align = 1;
		break;
	default:
		assign_integer(a, type, offset);
		break;
	}
	if (align > a->align)
		a->align = align > WORD_BYTES ? WORD_BYTES : align;
	a->depth--;
}

static void place_on_stack(struct go_call *call, const struct assignment *a,
			   struct type_argument *argument)
{
	call->stack_bytes = (call->stack_bytes + a->align - 1) / a->align * a->align;
	argument->place = ARGUMENT_STACK;
	/* Above the return address. */
	argument->stack_offset = WORD_BYTES + (int64_t)call->stack_bytes;
	call->stack_bytes += argument->type.bytes;
}

void go_place(struct go_call *call, struct type_argument *argument)
{
	struct assignment a = { .integers = call->integers, .floats = call->floats, .align = 1 };
	enum type_kind kind = argument->type.kind;

	argument->place = ARGUMENT_UNKNOWN;
	argument->refusal = "it is empty";
	if (!argument->type.bytes)
		return;
	assign(&a, &argument->type, 0);
	if (a.on_stack || a.floats > FLOAT_REGISTERS) {
		place_on_stack(call, &a, argument);
		if (kind != TYPE_FLOAT)
			return;
		argument->place = ARGUMENT_UNKNOWN;
		argument->refusal = SYSV_NO_FLOAT;
		return;
	}
	call->integers = a.integers;
	call->floats = a.floats;
	if (!a.piece_count) {
		argument->refusal = SYSV_NO_FLOAT;
	} else if (kind != TYPE_STRUCT && kind != TYPE_ARRAY) {
		argument->place = ARGUMENT_REGISTER;
		argument->reg = a.pieces[0].reg;
	} else {
		argument->place = ARGUMENT_PIECES;
		argument->piece_count = a.piece_count;
		for (size_t i = 0; i < a.piece_count; i++)
			argument->pieces[i] = a.pieces[i];
	}
}
