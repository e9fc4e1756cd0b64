/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dwarf_type_search.c - types of DWARF by name, in all units.
 *
 * There is no index: casts are few, and most types are in the unit that asks. Only what is in units
 * and namespaces is visited, not what is inside of functions.
 */
#include <dwarf.h>
#include <errno.h>
#include <string.h>

#include "symbolizer/types/dwarf_types_private.h"

#define SPELLINGS_MAX 4

struct search {
	struct dwarf_types *types;
	/* One text for each way to spell it; all but the first of plain types only. */
	const char *names[SPELLINGS_MAX];
	size_t name_count;
	int tag;		/* 0: any type */
	unsigned int depth;
};

/* The "::" behind the first part of @name, or NULL: not one inside of "<…>" or "(…)". */
static const char *find_part_end(const char *name)
{
	int depth = 0;

	for (; *name; name++) {
		if (strchr("<({[", *name))
			depth++;
		else if (strchr(">)}]", *name))
			depth--;
		else if (!depth && name[0] == ':' && name[1] == ':')
			return name;
	}
	return NULL;
}

static bool tag_fits(int wanted, int tag)
{
	switch (tag) {
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
		return !wanted || wanted == DW_TAG_structure_type;
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
		return !wanted || wanted == tag;
	case DW_TAG_base_type:
	case DW_TAG_typedef:
		return !wanted;
	}
	return false;
}

static bool is_called(const struct search *search, Dwarf_Die *die, const char *rest)
{
	const char *name = dwarf_types_text(search->types, die, DW_AT_name);
	size_t i;

	if (!name)
		return false;
	if (!strcmp(name, rest))
		return true;
	for (i = 1; i < search->name_count && dwarf_tag(die) == DW_TAG_base_type; i++) {
		if (!strcmp(name, search->names[i]))
			return true;
	}
	return false;
}

static int search_children(struct search *search, Dwarf_Die *parent, const char *rest,
			   Dwarf_Die *ret);

/* A namespace, or a class with others inside, whose name is the next part. */
static int search_inside(struct search *search, Dwarf_Die *die, const char *rest, Dwarf_Die *ret)
{
	const char *end = find_part_end(rest), *name;
	int tag = dwarf_tag(die);

	if (!end || (tag != DW_TAG_namespace && !dwarf_tag_is_struct(tag)) ||
	    search->depth >= DWARF_NESTING_MAX)
		return -ENOENT;
	name = dwarf_types_text(search->types, die, DW_AT_name) ?: "(anonymous namespace)";
	if (strncmp(name, rest, (size_t)(end - rest)) || name[end - rest])
		return -ENOENT;
	return search_children(search, die, end + 2, ret);
}

/* Whether it is the type, or the place of one in a unit of its own. */
static bool is_wanted(const struct search *search, Dwarf_Die *die, const char *rest, Dwarf_Die *ret)
{
	Dwarf_Die type = *die;

	dwarf_type_follow_signature(&type);
	if (!tag_fits(search->tag, dwarf_tag(&type)) || !is_called(search, &type, rest))
		return false;
	if (dwarf_hasattr(&type, DW_AT_declaration) &&
	    dwarf_types_refer(&type, DW_AT_signature, &type) < 0)
		return false;
	*ret = type;
	return true;
}

static int search_children(struct search *search, Dwarf_Die *parent, const char *rest,
			   Dwarf_Die *ret)
{
	Dwarf_Die child;
	int next;

	search->depth++;
	for (next = dwarf_child(parent, &child); next == 0;
	     next = dwarf_siblingof(&child, &child)) {
		if (!search->types->visits_left)
			break;
		search->types->visits_left--;
		if (is_wanted(search, &child, rest, ret) ||
		    search_inside(search, &child, rest, ret) == 0)
			return 0;
	}
	search->depth--;
	return -ENOENT;
}

static int search_unit(struct search *search, struct dwarf_unit *unit, Dwarf_Die *ret)
{
	search->depth = 0;
	return search_children(search, &unit->die, search->names[0], ret);
}

static int search_run(struct search *search, Dwarf_Die *ret)
{
	struct dwarf_types *types = search->types;
	const struct dwarf_units *units = &types->dwarf->units;
	size_t i;

	if (types->unit && search_unit(search, types->unit, ret) == 0)
		return 0;
	for (i = 0; i < units->count; i++) {
		if (search_unit(search, &units->units[i], ret) == 0)
			return 0;
	}
	return -ENOENT;
}

/* ---- declarations ---- */

/* By the name with all that is around it. */
static int define_by_name(struct dwarf_types *types, Dwarf_Die *declaration, Dwarf_Die *ret)
{
	_cleanup_strbuf_ struct strbuf name = STRBUF_INIT;
	const char *own = dwarf_types_text(types, declaration, DW_AT_name);
	struct search search = { .types = types, .name_count = 1 };
	int r;

	if (!own)
		return -ENOENT;
	if (!dwarf_language_is_c(dwarf_language(declaration))) {
		r = dwarf_add_qualifiers(types->dwarf, declaration, &name);
		if (r < 0)
			return r;
	}
	strbuf_add_text(&name, own);
	if (name.error)
		return name.error;
	search.tag = dwarf_tag(declaration);
	if (search.tag != DW_TAG_union_type && search.tag != DW_TAG_enumeration_type)
		search.tag = DW_TAG_structure_type;
	search.names[0] = name.data;
	return search_run(&search, ret);
}

int dwarf_types_define(struct dwarf_types *types, Dwarf_Die *declaration, Dwarf_Die *ret)
{
	/* DIEs of all files and sections lie in memory, each at a place of its own. */
	uint64_t key = (uintptr_t)declaration->addr;
	Dwarf_Die *known, found = { 0 };
	int r;

	/* In a type unit of its own. */
	if (dwarf_types_refer(declaration, DW_AT_signature, ret) == 0)
		return dwarf_types_flag(ret, DW_AT_declaration) ? -ENOENT : 0;
	known = hashmap_find(types->definitions, &key);
	if (!known) {
		r = define_by_name(types, declaration, &found);
		if (r < 0 && r != -ENOENT)
			return r;
		r = hashmap_add(types->definitions, &key, (void **)&known);
		if (r < 0)
			return r;
		*known = found;
	}
	if (!known->addr)
		return -ENOENT;
	*ret = *known;
	return 0;
}

/* ---- by name ---- */

/* Without qualifiers and keyword, as it is looked up. */
static const char *skip_keywords(const char *name, int *ret_tag)
{
	static const struct {
		const char *word;
		int tag;
	} words[] = {
		{ "const ", 0 },
		{ "volatile ", 0 },
		{ "struct ", DW_TAG_structure_type },
		{ "class ", DW_TAG_structure_type },
		{ "union ", DW_TAG_union_type },
		{ "enum ", DW_TAG_enumeration_type },
	};
	size_t i;

	*ret_tag = 0;
	for (i = 0; i < ARRAY_SIZE(words); i++) {
		name += strspn(name, " ");
		if (strncmp(name, words[i].word, strlen(words[i].word)))
			continue;
		name += strlen(words[i].word);
		*ret_tag = words[i].tag;
	}
	return name + strspn(name, " ");
}

static int find_plain(struct dwarf_types *types, const char *name, int tag, struct type_info *ret)
{
	struct search search = { .types = types, .names = { name }, .name_count = 1, .tag = tag };
	const char *spelling;
	Dwarf_Die die;
	size_t i;
	int r;

	if (!strcmp(name, "void"))
		return dwarf_type_info_read(types, NULL, ret);
	for (i = 0; search.name_count < SPELLINGS_MAX && (spelling = type_text_spelling(name, i));
	     i++)
		search.names[search.name_count++] = spelling;
	r = search_run(&search, &die);
	return r < 0 ? r : dwarf_type_info_read(types, &die, ret);
}

int dwarf_types_by_name(const void *context, const char *name, struct type_info *ret)
{
	struct dwarf_types *types = (struct dwarf_types *)context;
	_cleanup_free_ char *plain = NULL;
	unsigned int pointers = 0;
	struct type_info info;
	size_t end;
	int tag, r;

	name = skip_keywords(name, &tag);
	for (end = strlen(name); end && strchr(" *", name[end - 1]); end--)
		pointers += name[end - 1] == '*';
	plain = strndup(name, end);
	if (!plain)
		return -ENOMEM;
	r = find_plain(types, plain, tag, &info);
	if (r < 0)
		return r;
	r = dwarf_type_point(types, &info, pointers, false);
	if (r < 0)
		return r;
	*ret = info;
	return 0;
}
