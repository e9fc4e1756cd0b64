/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/types/rust_abi.h"

#include <errno.h>

#include "profiler/base/cleanup.h"

#define WORD_BYTES 8
#define DEPTH_MAX 16
#define LEAVES_MAX 3

static const char refusal[] = "Rust does not tell how it is passed";

/* The scalars a value is made of; more than two are no pair any more. */
struct leaves {
	size_t count;
	unsigned int depth;
	bool is_opaque;		/* has an array, or what we do not know */
	bool has_gaps;		/* bytes that no member has: an enum's */
	struct type_info types[LEAVES_MAX];
	uint64_t offsets[LEAVES_MAX];
	uint64_t bytes;		/* of all */
};

static void add_leaves(struct leaves *leaves, const struct type_info *type, uint64_t offset)
{
	struct type_member member;
	size_t i;

	if (!type->bytes)
		return;
	if (type->kind != TYPE_STRUCT) {
		leaves->is_opaque |= type->kind == TYPE_ARRAY || type->kind == TYPE_OTHER;
		leaves->bytes += type->bytes;
		if (leaves->count < LEAVES_MAX) {
			leaves->types[leaves->count] = *type;
			leaves->offsets[leaves->count++] = offset;
		}
		return;
	}
	if (++leaves->depth > DEPTH_MAX) {
		leaves->is_opaque = true;
		return;
	}
	for (i = 0; leaves->count < LEAVES_MAX && type->provider->member_at(type, i, &member) == 0;
	     i++)
		add_leaves(leaves, &member.type, offset + member.offset);
	/* Variants of an enum are no members. */
	leaves->has_gaps |= !i;
	leaves->depth--;
}

/* In the order of addresses, which is that of registers. */
static void sort_pair(struct leaves *leaves)
{
	struct type_info type = leaves->types[0];
	uint64_t offset = leaves->offsets[0];

	if (leaves->count < 2 || leaves->offsets[0] <= leaves->offsets[1])
		return;
	leaves->types[0] = leaves->types[1];
	leaves->offsets[0] = leaves->offsets[1];
	leaves->types[1] = type;
	leaves->offsets[1] = offset;
}

static bool is_pair(const struct leaves *leaves)
{
	return leaves->count == 2 && !leaves->is_opaque && leaves->types[0].bytes <= WORD_BYTES &&
	       leaves->types[1].bytes <= WORD_BYTES && leaves->offsets[0] != leaves->offsets[1];
}

static void refuse(struct type_argument *argument, const char *why)
{
	argument->place = ARGUMENT_UNKNOWN;
	argument->refusal = why;
}

/* Each as an argument of its own; those that are on the stack may still lie there as in the value. */
static void place_leaves(struct sysv_call *call, const struct leaves *leaves,
			 struct type_argument *argument)
{
	struct type_argument one[2] = { { .type = leaves->types[0] },
					{ .type = leaves->types[1] } };
	size_t i, on_stack = 0;

	argument->place = ARGUMENT_PIECES;
	argument->piece_count = 0;
	for (i = 0; i < leaves->count; i++) {
		sysv_place_argument(call, &one[i]);
		on_stack += one[i].place == ARGUMENT_STACK;
		if (one[i].place != ARGUMENT_REGISTER)
			continue;
		argument->pieces[argument->piece_count++] =
			(struct type_piece){ (uint8_t)leaves->offsets[i],
					     (uint8_t)leaves->types[i].bytes, (uint8_t)one[i].reg };
	}
	if (argument->piece_count)
		return;
	argument->place = ARGUMENT_STACK;
	argument->stack_offset = one[0].stack_offset - (int64_t)leaves->offsets[0];
	if (!on_stack)
		refuse(argument, SYSV_NO_FLOAT);
	else if (leaves->count == 2 && (uint64_t)(one[1].stack_offset - one[0].stack_offset) !=
					       leaves->offsets[1] - leaves->offsets[0])
		refuse(argument, "its parts lie apart on the stack");
}

/* As an integer of as many bytes. */
static void place_whole(struct sysv_call *call, struct type_argument *argument)
{
	struct type_argument one = { .type = { .kind = TYPE_INTEGER, .bytes = WORD_BYTES } };

	sysv_place_argument(call, &one);
	argument->place = one.place;
	argument->stack_offset = one.stack_offset;
	if (one.place != ARGUMENT_REGISTER)
		return;
	argument->place = ARGUMENT_PIECES;
	argument->piece_count = 1;
	argument->pieces[0] = (struct type_piece){ 0, (uint8_t)argument->type.bytes,
						   (uint8_t)one.reg };
}

bool rust_place_argument(struct rust_call *call, struct type_argument *argument)
{
	struct leaves leaves = { 0 };

	if (call->is_lost) {
		refuse(argument, refusal);
		return false;
	}
	if (argument->type.kind != TYPE_STRUCT && argument->type.kind != TYPE_ARRAY) {
		sysv_place_argument(&call->call, argument);
		return false;
	}
	if (!argument->type.bytes) {
		refuse(argument, "it is empty");
		return false;
	}
	if (argument->type.bytes > 2 * WORD_BYTES)
		return true;
	add_leaves(&leaves, &argument->type, 0);
	sort_pair(&leaves);
	if (leaves.has_gaps) {
		call->is_lost = true;
		refuse(argument, refusal);
	} else if (is_pair(&leaves) || (leaves.count == 1 && !leaves.is_opaque)) {
		place_leaves(&call->call, &leaves, argument);
	} else if (argument->type.bytes <= WORD_BYTES) {
		place_whole(&call->call, argument);
	} else {
		return true;
	}
	return false;
}

bool rust_returns_in_memory(const struct type_info *type)
{
	return (type->kind == TYPE_STRUCT || type->kind == TYPE_ARRAY) &&
	       type->bytes > 2 * WORD_BYTES;
}

void rust_place_result(struct type_argument *result)
{
	struct leaves leaves = { 0 };

	if (result->type.kind != TYPE_STRUCT) {
		sysv_place_result(result);
		return;
	}
	add_leaves(&leaves, &result->type, 0);
	sort_pair(&leaves);
	if (leaves.has_gaps || leaves.count > 2 || leaves.is_opaque) {
		refuse(result, refusal);
		return;
	}
	/* rax and rdx, as the first two words of a struct of C would be. */
	result->place = ARGUMENT_PIECES;
	result->piece_count = 0;
	for (size_t i = 0; i < leaves.count; i++) {
		if (leaves.types[i].kind == TYPE_FLOAT || leaves.types[i].bytes > WORD_BYTES)
			continue;
		result->pieces[result->piece_count] =
			(struct type_piece){ (uint8_t)leaves.offsets[i],
					     (uint8_t)leaves.types[i].bytes,
					     (uint8_t)result->piece_count };
		result->piece_count++;
	}
	if (!result->piece_count)
		refuse(result, leaves.count ? SYSV_NO_FLOAT : "it is empty");
}
