/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dwarf_locations.c - where a parameter lies when its function is entered, by its location.
 *
 * A location list has an entry for that address in optimized code, and it is the truth where a compiler has
 * changed how a function is called. What has one location for the whole function is only believed when
 * it is a register that arguments come in, or on the caller's side of the stack: without
 * optimization it is the place behind the prologue.
 */
#include <dwarf.h>
#include <errno.h>

#include "symbolizer/types/dwarf_types_private.h"
#include "symbolizer/types/sysv_abi.h"

/* DWARF numbers. */
#define REG_RSP 7
#define REG_GENERAL_MAX 15
#define REG_XMM_MIN 17
#define REG_XMM_MAX 32

struct location {
	const Dwarf_Op *ops;
	size_t count;
	bool is_list;		/* has an entry for this address */
	bool is_go;
	bool by_cfa;		/* DW_OP_fbreg counts from the canonical frame address */
};

/* The number of the register that @op names, or -1. */
static int register_of(const Dwarf_Op *op)
{
	if (op->atom >= DW_OP_reg0 && op->atom <= DW_OP_reg31)
		return op->atom - DW_OP_reg0;
	return op->atom == DW_OP_regx && op->number <= REG_XMM_MAX ? (int)op->number : -1;
}

static bool is_float(int reg)
{
	return reg >= REG_XMM_MIN && reg <= REG_XMM_MAX;
}

/* Whether an argument may come in this general register. */
static bool is_possible(const struct location *location, int reg)
{
	static const unsigned int c = 1 << 5 | 1 << 4 | 1 << 1 | 1 << 2 | 1 << 8 | 1 << 9;
	static const unsigned int go = c | 1 << 0 | 1 << 3 | 1 << 10 | 1 << 11;

	if (reg < 0 || reg > REG_GENERAL_MAX || reg == REG_RSP)
		return false;
	return location->is_list || (location->is_go ? go : c) >> reg & 1;
}

static int refuse_float(struct type_argument *argument)
{
	argument->place = ARGUMENT_UNKNOWN;
	argument->refusal = SYSV_NO_FLOAT;
	return 1;
}

static int read_register(const struct location *location, struct type_argument *argument)
{
	int reg = register_of(location->ops);

	if (is_float(reg))
		return refuse_float(argument);
	if (!is_possible(location, reg) || argument->type.bytes > DWARF_POINTER_BYTES)
		return 0;
	if (argument->type.kind == TYPE_STRUCT || argument->type.kind == TYPE_ARRAY) {
		argument->place = ARGUMENT_PIECES;
		argument->piece_count = 1;
		argument->pieces[0] = (struct type_piece){ 0, (uint8_t)argument->type.bytes,
							   (uint8_t)reg };
	} else {
		argument->place = ARGUMENT_REGISTER;
		argument->reg = (unsigned int)reg;
	}
	return 1;
}

/* "reg piece reg piece …", or only "piece" for what is not there. */
static int read_pieces(const struct location *location, struct type_argument *argument)
{
	size_t i, count = 0;
	bool has_float = false;
	uint64_t offset = 0;
	int reg;

	for (i = 0; i < location->count && offset <= UINT8_MAX; i++) {
		reg = register_of(&location->ops[i]);
		if (location->ops[i].atom != DW_OP_piece && ++i == location->count)
			return 0;
		if (location->ops[i].atom != DW_OP_piece ||
		    location->ops[i].number > DWARF_POINTER_BYTES * 2)
			return 0;
		has_float |= is_float(reg);
		if (is_possible(location, reg) && count < TYPE_PIECES_MAX)
			argument->pieces[count++] =
				(struct type_piece){ (uint8_t)offset,
						     (uint8_t)location->ops[i].number,
						     (uint8_t)reg };
		else if (reg >= 0 && !is_float(reg))
			return 0;
		offset += location->ops[i].number;
	}
	if (!count)
		return has_float ? refuse_float(argument) : 0;
	argument->place = ARGUMENT_PIECES;
	argument->piece_count = count;
	return 1;
}

/* Above the return address, where only the caller can have put it. */
static int read_stack(int64_t offset, struct type_argument *argument)
{
	if (offset < DWARF_POINTER_BYTES)
		return 0;
	argument->place = ARGUMENT_STACK;
	argument->stack_offset = offset;
	return 1;
}

/* It is in memory, whose address is in a register: what C++ passes by reference. */
static int read_reference(struct dwarf_types *types, const struct location *location, int reg,
			  struct type_argument *argument)
{
	int r;

	if (location->ops[0].number || !is_possible(location, reg))
		return 0;
	if (!argument->type.is_reference) {
		r = dwarf_type_point(types, &argument->type, 1, true);
		if (r < 0)
			return r == -ENOMEM ? r : 0;
	}
	argument->place = ARGUMENT_REGISTER;
	argument->reg = (unsigned int)reg;
	return 1;
}

static int read_memory(struct dwarf_types *types, const struct location *location,
		       struct type_argument *argument)
{
	const Dwarf_Op *op = &location->ops[0];
	int64_t number = (int64_t)op->number;

	if (op->atom == DW_OP_fbreg && location->by_cfa)
		return read_stack(number < INT32_MAX ? number + DWARF_POINTER_BYTES : -1,
				  argument);
	if (op->atom == DW_OP_call_frame_cfa)
		return read_stack(DWARF_POINTER_BYTES, argument);
	if (op->atom == DW_OP_breg0 + REG_RSP)
		return location->is_list ? read_stack(number, argument) : 0;
	if (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31)
		return read_reference(types, location, op->atom - DW_OP_breg0, argument);
	return 0;
}

static bool counts_from_cfa(Dwarf_Die *function)
{
	Dwarf_Attribute attribute;
	Dwarf_Op *ops;
	size_t count;

	return dwarf_attr_integrate(function, DW_AT_frame_base, &attribute) &&
	       !dwarf_getlocation(&attribute, &ops, &count) && count == 1 &&
	       ops[0].atom == DW_OP_call_frame_cfa;
}

static bool is_expression(Dwarf_Attribute *attribute)
{
	switch (dwarf_whatform(attribute)) {
	case DW_FORM_exprloc:
	case DW_FORM_block:
	case DW_FORM_block1:
	case DW_FORM_block2:
	case DW_FORM_block4:
		return true;
	}
	return false;
}

int dwarf_location_read(struct dwarf_types *types, Dwarf_Die *function, Dwarf_Die *die,
			uint64_t address, struct type_argument *argument)
{
	struct location location = { .is_go = dwarf_language(die) == DWARF_LANG_GO };
	Dwarf_Attribute attribute;
	Dwarf_Op *ops;
	size_t count;

	if (!dwarf_attr(die, DW_AT_location, &attribute) ||
	    dwarf_getlocation_addr(&attribute, address, &ops, &count, 1) != 1 || !count)
		return 0;
	location.ops = ops;
	location.count = count;
	location.is_list = !is_expression(&attribute);
	location.by_cfa = counts_from_cfa(function);
	if (count == 1 && register_of(&ops[0]) >= 0)
		return read_register(&location, argument);
	if (count == 1)
		return read_memory(types, &location, argument);
	return read_pieces(&location, argument);
}
