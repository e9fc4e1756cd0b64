/* SPDX-License-Identifier: BSD-2-Clause */
/* dwarf_type_names.c - what types of DWARF are called. */
#include <dwarf.h>
#include <errno.h>
#include <string.h>

#include "symbolizer/types/dwarf_types_private.h"

/* DIEs visited for what is around a type in its unit. */
#define PATH_VISITS_MAX 4096
/* From a type to its declaration, and no further. */
#define SPECIFICATIONS_MAX 16

bool dwarf_tag_is_qualifier(int tag)
{
	return tag == DW_TAG_const_type || tag == DW_TAG_volatile_type ||
	       tag == DW_TAG_restrict_type || tag == DW_TAG_atomic_type ||
	       tag == DW_TAG_immutable_type;
}

bool dwarf_tag_is_struct(int tag)
{
	return tag == DW_TAG_structure_type || tag == DW_TAG_class_type ||
	       tag == DW_TAG_union_type || tag == DW_TAG_interface_type;
}

static int add_text(struct dwarf_types *types, struct type_text *text, Dwarf_Die *die,
		    unsigned int depth);

static int add_target(struct dwarf_types *types, struct type_text *text, Dwarf_Die *die,
		      unsigned int depth)
{
	Dwarf_Die target;

	if (dwarf_types_refer(die, DW_AT_type, &target) == 0)
		return add_text(types, text, &target, depth + 1);
	type_text_base(text, "", "void");
	return 0;
}

static int add_parameters(struct dwarf_types *types, struct type_text *text, Dwarf_Die *die,
			  unsigned int depth)
{
	_cleanup_strbuf_ struct strbuf list = STRBUF_INIT;
	Dwarf_Die child;
	size_t count = 0;
	int next, r;

	for (next = dwarf_child(die, &child); next == 0 && count < TYPE_ARGUMENTS_MAX;
	     next = dwarf_siblingof(&child, &child)) {
		_cleanup_type_text_ struct type_text one = TYPE_TEXT_INIT;

		if (dwarf_tag(&child) == DW_TAG_unspecified_parameters)
			strbuf_add_text(&one.before, "...");
		else if (dwarf_tag(&child) != DW_TAG_formal_parameter)
			continue;
		else if ((r = add_target(types, &one, &child, depth)) < 0)
			return r;
		strbuf_add_text(&list, count++ ? ", " : "");
		strbuf_add_text(&list, type_text_join(&one) ?: "");
		if (one.before.error)
			return one.before.error;
	}
	type_text_function(text, count ? list.data : "void");
	return list.error;
}

void dwarf_type_follow_signature(Dwarf_Die *die)
{
	Dwarf_Die whole;

	if (!dwarf_hasattr(die, DW_AT_name) && dwarf_hasattr(die, DW_AT_signature) &&
	    dwarf_types_refer(die, DW_AT_signature, &whole) == 0)
		*die = whole;
}

/* ---- what is around a type ---- */

struct path {
	struct dwarf_types *types;
	const Dwarf_Die *wanted;
	struct strbuf *name;
	unsigned int depth, visits;
};

/* Whether it is below @parent; then what is around it was appended. */
static bool add_path(struct path *path, Dwarf_Die *parent)
{
	size_t size = path->name->size;
	Dwarf_Die child;
	int next;

	if (++path->depth > DWARF_NESTING_MAX)
		return false;
	for (next = dwarf_child(parent, &child); next == 0 && path->visits++ < PATH_VISITS_MAX;
	     next = dwarf_siblingof(&child, &child)) {
		if (child.addr == path->wanted->addr)
			return true;
		if (dwarf_tag(&child) != DW_TAG_namespace &&
		    !dwarf_tag_is_struct(dwarf_tag(&child)))
			continue;
		strbuf_add_text(path->name, dwarf_types_text(path->types, &child, DW_AT_name) ?:
						    "(anonymous namespace)");
		strbuf_add_text(path->name, "::");
		if (path->name->error || add_path(path, &child))
			return true;
		path->name->size = size;
		path->name->data[size] = '\0';
	}
	path->depth--;
	return false;
}

/* A type in a unit of its own is in none that has functions: there is little around it to be searched. */
static int add_qualifiers(struct dwarf_types *types, Dwarf_Die *die, struct strbuf *name)
{
	struct path path = { .types = types, .wanted = die, .name = name };
	Dwarf_Die declaration = *die, unit;
	Dwarf_Half version;
	uint8_t type = 0;
	int i;

	for (i = 0; i < SPECIFICATIONS_MAX; i++) {
		if (dwarf_types_refer(&declaration, DW_AT_specification, &declaration) < 0)
			break;
	}
	if (dwarf_cu_info(die->cu, &version, &type, &unit, NULL, NULL, NULL, NULL) < 0 ||
	    type != DW_UT_type)
		return dwarf_add_qualifiers(types->dwarf, &declaration, name);
	path.wanted = &declaration;
	add_path(&path, &unit);
	return name->error;
}

static int add_named(struct dwarf_types *types, struct type_text *text, Dwarf_Die *die)
{
	_cleanup_strbuf_ struct strbuf name = STRBUF_INIT;
	const char *own = dwarf_types_text(types, die, DW_AT_name), *keyword = "";
	int lang = dwarf_language(die), tag = dwarf_tag(die), r;

	if (dwarf_language_is_c(lang) && tag != DW_TAG_typedef) {
		if (dwarf_tag_is_struct(tag))
			keyword = tag == DW_TAG_union_type ? "union" : "struct";
		else if (tag == DW_TAG_enumeration_type)
			keyword = "enum";
	} else if (own && (dwarf_language_is_cplus(lang) || lang == DWARF_LANG_RUST) &&
		   tag != DW_TAG_base_type) {
		r = add_qualifiers(types, die, &name);
		if (r < 0)
			return r;
	}
	strbuf_add_text(&name, own ?: "{...}");
	type_text_base(text, keyword, name.data);
	return name.error;
}

size_t dwarf_type_dimensions(Dwarf_Die *die, unsigned int first, uint64_t *counts, size_t max)
{
	uint64_t bound, lower;
	unsigned int index = 0;
	size_t number = 0;
	Dwarf_Die child;
	int next;

	for (next = dwarf_child(die, &child); next == 0 && number < max;
	     next = dwarf_siblingof(&child, &child)) {
		if (dwarf_tag(&child) != DW_TAG_subrange_type || index++ < first)
			continue;
		if (dwarf_types_number(&child, DW_AT_lower_bound, &lower) < 0)
			lower = 0;
		if (dwarf_types_number(&child, DW_AT_count, &bound) == 0)
			counts[number++] = bound;
		else if (dwarf_types_number(&child, DW_AT_upper_bound, &bound) == 0 &&
			 bound + 1 >= lower)
			counts[number++] = bound + 1 - lower;
		else
			counts[number++] = 0;
	}
	return number;
}

static int add_array(struct dwarf_types *types, struct type_text *text, Dwarf_Die *die,
		     unsigned int first, unsigned int depth)
{
	uint64_t counts[DWARF_DIMENSIONS_MAX];
	size_t count;
	int r;

	r = add_target(types, text, die, depth);
	if (r < 0)
		return r;
	for (count = dwarf_type_dimensions(die, first, counts, ARRAY_SIZE(counts)); count; count--)
		type_text_array(text, counts[count - 1]);
	return 0;
}

static int add_composed(struct dwarf_types *types, struct type_text *text, Dwarf_Die *die,
			unsigned int depth)
{
	static const struct {
		int tag;
		const char *mark, *qualifier;
	} marks[] = {
		{ DW_TAG_pointer_type, .mark = "*" },
		{ DW_TAG_reference_type, .mark = "&" },
		{ DW_TAG_rvalue_reference_type, .mark = "&&" },
		{ DW_TAG_const_type, .qualifier = "const" },
		{ DW_TAG_volatile_type, .qualifier = "volatile" },
	};
	size_t i;
	int r;

	r = add_target(types, text, die, depth);
	for (i = 0; r == 0 && i < ARRAY_SIZE(marks); i++) {
		if (marks[i].tag != dwarf_tag(die))
			continue;
		if (marks[i].mark)
			type_text_pointer(text, marks[i].mark);
		else
			type_text_qualify(text, marks[i].qualifier);
	}
	return r;
}

static int add_text(struct dwarf_types *types, struct type_text *text, Dwarf_Die *die,
		    unsigned int depth)
{
	int lang = dwarf_language(die), tag, r;

	dwarf_type_follow_signature(die);
	tag = dwarf_tag(die);
	if (depth >= DWARF_CHAIN_MAX)
		return -EBADMSG;
	/* These languages name pointers as well, in their own way. */
	if ((lang == DWARF_LANG_GO || lang == DWARF_LANG_RUST) && dwarf_hasattr(die, DW_AT_name))
		return add_named(types, text, die);
	if (tag == DW_TAG_array_type)
		return add_array(types, text, die, 0, depth);
	if (tag == DW_TAG_subroutine_type) {
		r = add_target(types, text, die, depth);
		return r < 0 ? r : add_parameters(types, text, die, depth + 1);
	}
	if (dwarf_tag_is_qualifier(tag) || tag == DW_TAG_pointer_type ||
	    tag == DW_TAG_reference_type || tag == DW_TAG_rvalue_reference_type)
		return add_composed(types, text, die, depth);
	return add_named(types, text, die);
}

int dwarf_type_name_read(struct dwarf_types *types, Dwarf_Die *die, unsigned int dimensions,
			 const char **ret)
{
	const char *text;
	uint32_t number;
	int r;

	if ((dwarf_tag_is_struct(dwarf_tag(die)) || dwarf_tag(die) == DW_TAG_enumeration_type) &&
	    !dwarf_hasattr_integrate(die, DW_AT_name)) {
		*ret = "";
		return 0;
	}
	type_text_reset(&types->text);
	r = dimensions ? add_array(types, &types->text, die, dimensions, 0) :
			 add_text(types, &types->text, die, 0);
	if (r < 0)
		return r;
	text = type_text_join(&types->text);
	r = text ? intern_add_text(types->names, text, &number) : -ENOMEM;
	if (r < 0)
		return r;
	*ret = intern_text(types->names, number);
	return 0;
}
