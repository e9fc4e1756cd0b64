/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/type_checks.h"

#include "tests/fuzz/fuzz.h"

void type_check_info(const struct type_info *type)
{
	fuzz_check(type->kind <= TYPE_OTHER, "a kind that is none");
	fuzz_check(type->provider != NULL, "a type without a provider");
	fuzz_check(!type->is_text || type->kind == TYPE_STRUCT, "a text that is no struct");
	fuzz_touch_text(type->name);
}

void type_check_member(const struct type_member *member)
{
	fuzz_touch_text(member->name);
	fuzz_check(member->bit_shift + member->bit_count <= 64, "bits beyond a word");
	type_check_info(&member->type);
}

void type_check_argument(const struct type_argument *argument)
{
	fuzz_touch_text(argument->name);
	if (argument->refusal)
		fuzz_touch_text(argument->refusal);
	type_check_info(&argument->type);
	switch (argument->place) {
	case ARGUMENT_REGISTER:
		fuzz_check(argument->reg < 16, "a register that is none");
		break;
	case ARGUMENT_STACK:
		fuzz_check(argument->stack_offset >= 8, "below the return address");
		break;
	case ARGUMENT_PIECES:
		fuzz_check(argument->piece_count && argument->piece_count <= TYPE_PIECES_MAX,
			   "no pieces, or too many");
		for (size_t i = 0; i < argument->piece_count; i++)
			fuzz_check(argument->pieces[i].reg < 16, "a register that is none");
		break;
	default:
		fuzz_check(argument->place == ARGUMENT_UNKNOWN, "a place that is none");
	}
}
