/* SPDX-License-Identifier: BSD-2-Clause */
/* dwarf_members.c - what is inside of types of DWARF. */
#include <dwarf.h>
#include <errno.h>
#include <string.h>

#include "symbolizer/types/dwarf_types_private.h"

/* DIEs visited for one question; the largest class has some thousand. */
#define VISITS_MAX 65536

/* By name or, where that is NULL, as the one that @index more come before. */
struct search {
	struct dwarf_types *types;
	const char *name;
	size_t index;
	unsigned int visits;
	struct type_member *ret;
};

/* Where it begins in its struct, in bytes. -ENOENT: it is not in every object of that type at one place. */
static int read_offset(Dwarf_Die *die, uint64_t *ret)
{
	Dwarf_Attribute attribute;
	Dwarf_Word offset;
	Dwarf_Op *ops;
	size_t count;

	*ret = 0;
	/* In a union it is left out. */
	if (!dwarf_attr(die, DW_AT_data_member_location, &attribute))
		return 0;
	if (dwarf_formudata(&attribute, &offset) == 0) {
		*ret = offset;
		return 0;
	}
	/* Before DWARF 3 an expression, that adds to the address of the struct. */
	if (dwarf_getlocation(&attribute, &ops, &count) || count != 1 ||
	    ops[0].atom != DW_OP_plus_uconst)
		return -ENOENT;
	*ret = ops[0].number;
	return 0;
}

/* Offset and bits of a member that is a bit field, or else only its offset. @bits: where its struct begins. */
static int read_bits(Dwarf_Die *die, uint64_t bits, struct type_member *member)
{
	uint64_t count, first, offset, unit = member->type.bytes * 8, storage;
	int r;

	r = read_offset(die, &offset);
	if (r < 0)
		return r;
	bits += offset * 8;
	member->offset = bits / 8;
	if (dwarf_types_number(die, DW_AT_bit_size, &count) < 0 || !count)
		return 0;
	if (dwarf_types_number(die, DW_AT_data_bit_offset, &first) == 0) {
		bits += first;
	} else if (dwarf_types_number(die, DW_AT_bit_offset, &first) == 0) {
		/* Counted from the highest bit of where it is stored; may be negative, but comes out right. */
		if (dwarf_types_number(die, DW_AT_byte_size, &storage) < 0)
			storage = member->type.bytes;
		bits += storage * 8 - first - count;
	}
	member->offset = bits / 8;
	/* As the compiler reads it, in a whole number of its type; else from the byte it begins in. */
	if (unit && bits % unit + count <= unit)
		member->offset = bits / unit * member->type.bytes;
	first = bits - member->offset * 8;
	if (first + count > 64)
		return -EOPNOTSUPP;
	member->bit_shift = (uint8_t)first;
	member->bit_count = (uint8_t)count;
	if (first + count > unit)
		member->type.bytes = 8;
	return 0;
}

static int find_member(struct search *search, Dwarf_Die *die, uint64_t bits, unsigned int depth);

/* In a base class, or in a struct without a name. */
static int find_inside(struct search *search, Dwarf_Die *die, uint64_t bits, unsigned int depth)
{
	struct type_info inside;
	uint64_t offset;
	Dwarf_Die type;
	int r;

	/* Where a virtual base is an object says itself. */
	if (dwarf_hasattr(die, DW_AT_virtuality) || read_offset(die, &offset) < 0)
		return -ENOENT;
	r = dwarf_type_info_of(search->types, die, &inside);
	if (r < 0)
		return r;
	if (inside.kind != TYPE_STRUCT || !dwarf_type_die(&inside, &type))
		return -ENOENT;
	return find_member(search, &type, bits + offset * 8, depth + 1);
}

/* Returns 0 when it is what is searched for or has it inside, -ENOENT, or a negative errno. */
static int try_member(struct search *search, Dwarf_Die *die, uint64_t bits, unsigned int depth)
{
	const char *name = dwarf_types_text(search->types, die, DW_AT_name);
	struct type_member member = { .name = name };
	int r;

	/* Static ones are variables. */
	if (dwarf_types_flag(die, DW_AT_external) || dwarf_types_flag(die, DW_AT_declaration))
		return -ENOENT;
	if (!name || !*name)
		return find_inside(search, die, bits, depth);
	if (search->name ? strcmp(search->name, name) : search->index-- > 0)
		return -ENOENT;
	r = dwarf_type_info_of(search->types, die, &member.type);
	if (r < 0)
		return r;
	r = read_bits(die, bits, &member);
	if (r < 0)
		return r;
	*search->ret = member;
	return 0;
}

static int find_member(struct search *search, Dwarf_Die *die, uint64_t bits, unsigned int depth)
{
	Dwarf_Die child;
	int next, r;

	if (depth >= DWARF_NESTING_MAX)
		return -EBADMSG;
	for (next = dwarf_child(die, &child); next == 0; next = dwarf_siblingof(&child, &child)) {
		if (++search->visits > VISITS_MAX)
			return -EBADMSG;
		if (dwarf_tag(&child) == DW_TAG_member)
			r = try_member(search, &child, bits, depth);
		else if (dwarf_tag(&child) == DW_TAG_inheritance)
			r = find_inside(search, &child, bits, depth);
		else
			continue;
		if (r != -ENOENT)
			return r;
	}
	return next < 0 ? -EBADMSG : -ENOENT;
}

static int search_run(struct search *search, const struct type_info *type)
{
	Dwarf_Die die;

	search->types = dwarf_types_of(type);
	if (type->kind != TYPE_STRUCT || !dwarf_type_die(type, &die))
		return -ENOENT;
	return find_member(search, &die, 0, 0);
}

static int member_by_name(const struct type_info *type, const char *name, struct type_member *ret)
{
	struct search search = { .name = name, .ret = ret };

	return search_run(&search, type);
}

static int member_by_index(const struct type_info *type, size_t index, struct type_member *ret)
{
	struct search search = { .index = index, .ret = ret };

	return search_run(&search, type);
}

static int read_value(Dwarf_Die *die, int64_t *ret)
{
	Dwarf_Attribute attribute;
	Dwarf_Sword value;
	Dwarf_Word word;

	if (!dwarf_attr(die, DW_AT_const_value, &attribute))
		return -EBADMSG;
	/* What is in so many bytes is a positive number, whatever its highest bit. */
	if (dwarf_whatform(&attribute) == DW_FORM_sdata ? dwarf_formsdata(&attribute, &value) :
							  dwarf_formudata(&attribute, &word))
		return -EBADMSG;
	*ret = dwarf_whatform(&attribute) == DW_FORM_sdata ? value : (int64_t)word;
	return 0;
}

static int enumerator(const struct type_info *type, size_t index, struct type_enumerator *ret)
{
	struct dwarf_types *types = dwarf_types_of(type);
	struct type_enumerator found;
	Dwarf_Die die;
	int next, r;

	if (!type->is_enum || !dwarf_type_die(type, &die))
		return -ENOENT;
	for (next = dwarf_child(&die, &die); next == 0; next = dwarf_siblingof(&die, &die)) {
		if (dwarf_tag(&die) != DW_TAG_enumerator || index-- > 0)
			continue;
		found.name = dwarf_types_text(types, &die, DW_AT_name) ?: "";
		r = read_value(&die, &found.value);
		if (r == 0)
			*ret = found;
		return r;
	}
	return -ENOENT;
}

/* ---- texts ---- */

/* Strings of languages by their types' names and the members that have address and length. */
static const struct text_type {
	const char *prefix;
	const char *pointer[6], *length[3];
} text_types[] = {
	{ "string", { "str" }, { "len" } },			/* Go */
	{ "&str", { "data_ptr" }, { "length" } },
	{ "&mut str", { "data_ptr" }, { "length" } },
	{ "String", { "vec", "buf", "inner", "ptr", "pointer", "pointer" }, { "vec", "len" } },
	{ "String", { "vec", "buf", "ptr", "pointer", "pointer" }, { "vec", "len" } },
	{ "basic_string_view<char,", { "_M_str" }, { "_M_len" } },
	{ "basic_string<char,", { "_M_dataplus", "_M_p" }, { "_M_string_length" } },
};

/* The offset of what the chain of members leads to. */
static int follow(const struct type_info *type, const char *const *names, size_t count,
		  uint64_t *ret)
{
	struct type_info at = *type;
	struct type_member member;
	size_t i;
	int r;

	*ret = 0;
	for (i = 0; i < count && names[i]; i++) {
		r = member_by_name(&at, names[i], &member);
		if (r < 0)
			return r;
		*ret += member.offset;
		at = member.type;
	}
	return at.bytes == DWARF_POINTER_BYTES && *ret < UINT8_MAX ? 0 : -ENOENT;
}

void dwarf_type_find_text(struct dwarf_types *types, Dwarf_Die *die, struct type_info *type)
{
	const char *name = dwarf_types_text(types, die, DW_AT_name);
	struct type_info plain = *type;
	uint64_t text, length;
	size_t i;

	plain.provider = &types->provider;
	for (i = 0; name && i < ARRAY_SIZE(text_types); i++) {
		const struct text_type *row = &text_types[i];
		size_t size = strlen(row->prefix);

		if (strncmp(name, row->prefix, size) ||
		    (row->prefix[size - 1] != ',' && name[size]))
			continue;
		if (follow(&plain, row->pointer, ARRAY_SIZE(row->pointer), &text) < 0 ||
		    follow(&plain, row->length, ARRAY_SIZE(row->length), &length) < 0)
			continue;
		type->is_text = true;
		type->text_offset = (uint8_t)text;
		type->length_offset = (uint8_t)length;
		return;
	}
}

const struct type_provider dwarf_type_provider = {
	.target = dwarf_type_target,
	.member = member_by_name,
	.member_at = member_by_index,
	.by_name = dwarf_types_by_name,
	.enumerator = enumerator,
};
