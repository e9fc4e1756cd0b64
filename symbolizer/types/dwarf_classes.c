/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dwarf_classes.c - which classes of C++ are passed by the address of a copy.
 *
 * Those with a copy or move constructor or a destructor that does something (Itanium C++ ABI §1.1,
 * "non-trivial for the purposes of calls"). Clang says so; of others' debug information it is what is
 * declared there. Whether a member function is trivial GCC only tells by what its declaration says.
 */
#include <dwarf.h>
#include <errno.h>
#include <string.h>

#include "symbolizer/types/dwarf_types_private.h"

/* DIEs visited to decide about one class, with its bases and members. */
#define VISITS_MAX 65536

struct look {
	struct dwarf_types *types;
	unsigned int visits, depth;
};

static bool is_nontrivial(struct look *look, Dwarf_Die *die);

/* "Box<int>" has the constructor "Box". */
static bool is_constructor(const char *class, const char *function)
{
	size_t size = strcspn(class, "<");

	return size && !strncmp(class, function, size) && !function[size];
}

/* Whether its only parameter besides those of the compiler is a reference to class @die. */
static bool copies(struct look *look, Dwarf_Die *function, Dwarf_Die *die)
{
	struct type_info type, target, class;
	size_t count = 0;
	Dwarf_Die child;
	int next;

	if (dwarf_type_info_read(look->types, die, &class) < 0)
		return false;
	for (next = dwarf_child(function, &child); next == 0;
	     next = dwarf_siblingof(&child, &child)) {
		look->visits++;
		if (dwarf_tag(&child) != DW_TAG_formal_parameter ||
		    dwarf_hasattr(&child, DW_AT_artificial))
			continue;
		if (count++ || dwarf_type_info_of(look->types, &child, &type) < 0 ||
		    !type.is_reference || dwarf_type_target(&type, &target) < 0 ||
		    target.id != class.id)
			return false;
	}
	return count == 1;
}

static bool function_makes_nontrivial(struct look *look, const char *class, Dwarf_Die *function,
				      Dwarf_Die *die)
{
	const char *name = dwarf_types_text(look->types, function, DW_AT_name);
	uint64_t defaulted = 0;

	if (dwarf_hasattr(function, DW_AT_virtuality))
		return true;
	dwarf_types_number(function, DW_AT_defaulted, &defaulted);
	/* What the compiler made does what bases and members want. */
	if (!name || defaulted == DW_DEFAULTED_in_class ||
	    dwarf_hasattr(function, DW_AT_artificial) || dwarf_hasattr(function, DW_AT_deleted))
		return false;
	if (*name == '~')
		return true;
	return class && is_constructor(class, name) && copies(look, function, die);
}

/* The class of a member or base, through arrays. */
static bool inside_is_nontrivial(struct look *look, Dwarf_Die *member)
{
	struct type_info type;
	unsigned int i;
	Dwarf_Die die;
	int r;

	r = dwarf_type_info_of(look->types, member, &type);
	for (i = 0; r == 0 && type.kind == TYPE_ARRAY && i < DWARF_DIMENSIONS_MAX; i++)
		r = dwarf_type_target(&type, &type);
	if (r < 0 || type.kind != TYPE_STRUCT || !dwarf_type_die(&type, &die))
		return false;
	return is_nontrivial(look, &die);
}

static bool child_is_nontrivial(struct look *look, const char *class, Dwarf_Die *child,
				Dwarf_Die *die)
{
	switch (dwarf_tag(child)) {
	case DW_TAG_subprogram:
		return function_makes_nontrivial(look, class, child, die);
	case DW_TAG_inheritance:
		return dwarf_hasattr(child, DW_AT_virtuality) || inside_is_nontrivial(look, child);
	case DW_TAG_member:
		return !dwarf_types_flag(child, DW_AT_external) &&
		       !dwarf_types_flag(child, DW_AT_declaration) &&
		       inside_is_nontrivial(look, child);
	}
	return false;
}

static bool is_nontrivial(struct look *look, Dwarf_Die *die)
{
	const char *class = dwarf_types_text(look->types, die, DW_AT_name);
	uint64_t convention;
	bool nontrivial = false;
	Dwarf_Die child;
	int next;

	if (dwarf_types_number(die, DW_AT_calling_convention, &convention) == 0)
		return convention == DWARF_BY_REFERENCE;
	if (look->depth >= DWARF_NESTING_MAX)
		return false;
	look->depth++;
	for (next = dwarf_child(die, &child); next == 0 && !nontrivial;
	     next = dwarf_siblingof(&child, &child)) {
		if (++look->visits > VISITS_MAX)
			break;
		nontrivial = child_is_nontrivial(look, class, &child, die);
	}
	look->depth--;
	return nontrivial;
}

bool dwarf_type_is_by_reference(struct dwarf_types *types, Dwarf_Die *die)
{
	struct look look = { .types = types };

	return dwarf_language_is_cplus(dwarf_language(die)) && is_nontrivial(&look, die);
}
