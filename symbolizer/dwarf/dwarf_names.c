/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dwarf_names.c - what the function of a DIE is called.
 *
 * A function with code of its own by the symbol that begins where it does, as
 * other tools have it: callers know malloc(), which in the source is
 * __libc_malloc(), and of functions that were merged because they are the same
 * DWARF tells one or all. An inlined one by its linkage name. GCC gives none
 * to C++ functions that other files cannot see, in anonymous namespaces for
 * example: those are qualified by what is around their DIEs.
 */
#include <dwarf.h>
#include <errno.h>

#include "profiler/base/strbuf.h"
#include "symbolizer/dwarf/dwarf_private.h"
#include "symbolizer/names.h"
#include "symbolizer/symbolizer.h"

/* From a concrete function to its abstract one and to its declaration; libdw stops here too. */
#define ORIGINS_MAX 16
#define QUALIFIERS_MAX 32

int dwarf_language(Dwarf_Die *die)
{
	Dwarf_Die unit;

	return dwarf_diecu(die, &unit, NULL, NULL) ? dwarf_srclang(&unit) : -1;
}

bool dwarf_language_is_c(int lang)
{
	switch (lang) {
	case DW_LANG_C89:
	case DW_LANG_C:
	case DW_LANG_C99:
	case DW_LANG_C11:
	case DW_LANG_Mips_Assembler:
		return true;
	}
	return lang == 0x2c || lang == 0x3e;	/* C17 and 23, newer than the header */
}

bool dwarf_language_is_cplus(int lang)
{
	switch (lang) {
	case DW_LANG_C_plus_plus:
	case DW_LANG_C_plus_plus_03:
	case DW_LANG_C_plus_plus_11:
	case DW_LANG_C_plus_plus_14:
		return true;
	}
	return lang == 0x2a || lang == 0x2b || lang == 0x3a;	/* C++17, 20 and 23 */
}

static const char *die_text(const struct dwarf *dwarf, Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attribute;

	return dwarf_file_text(dwarf->file, dwarf_attr_integrate(die, name, &attribute));
}

/* "__GI_abort" is the linker's business: a C function has a name of its own. */
static const char *linkage_name(const struct dwarf *dwarf, Dwarf_Die *die, int lang)
{
	if (dwarf_language_is_c(lang))
		return NULL;
	return die_text(dwarf, die, DW_AT_linkage_name) ?:
		       die_text(dwarf, die, DW_AT_MIPS_linkage_name);
}

/* The DIE where the function was declared, whose parents are those in the source. */
static void find_declaration(Dwarf_Die *die)
{
	Dwarf_Attribute attribute;
	Dwarf_Die origin;
	int i;

	for (i = 0; i < ORIGINS_MAX; i++) {
		if (!dwarf_attr(die, DW_AT_abstract_origin, &attribute) &&
		    !dwarf_attr(die, DW_AT_specification, &attribute))
			return;
		if (!dwarf_formref_die(&attribute, &origin))
			return;
		*die = origin;
	}
}

static const char *qualifier(const struct dwarf *dwarf, Dwarf *file, uint64_t offset)
{
	Dwarf_Die die;
	const char *name;

	if (!dwarf_offdie(file, offset, &die))
		return NULL;
	name = die_text(dwarf, &die, DW_AT_name);
	if (name)
		return name;
	return dwarf_tag(&die) == DW_TAG_namespace ? "(anonymous namespace)" : NULL;
}

/* The unit of a DIE: in the file, or in what dwz moved to another. NULL: none. */
static int find_unit(struct dwarf *dwarf, Dwarf_Die *die, struct dwarf_unit **ret)
{
	Dwarf *file = dwarf_cu_getdwarf(die->cu);
	uint64_t offset = dwarf_dieoffset(die);
	int r;

	*ret = NULL;
	if (file == dwarf->file->dwarf) {
		*ret = dwarf_units_at(&dwarf->units, offset);
		return 0;
	}
	if (!dwarf->file->alternate || file != dwarf->file->alternate->dwarf)
		return 0;
	if (!dwarf->alternate_read) {
		r = dwarf_units_read(file, &dwarf->alternate_units);
		if (r == -ENOMEM) {
			dwarf_units_done(&dwarf->alternate_units);
			return r;
		}
		dwarf->alternate_read = true;
	}
	*ret = dwarf_units_at(&dwarf->alternate_units, offset);
	return 0;
}

int dwarf_add_qualifiers(struct dwarf *dwarf, Dwarf_Die *declaration, struct strbuf *buf)
{
	uint64_t offset = dwarf_dieoffset(declaration), parents[QUALIFIERS_MAX];
	Dwarf *file = dwarf_cu_getdwarf(declaration->cu);
	struct dwarf_unit *unit;
	const char *text;
	size_t count = 0;
	int r;

	r = find_unit(dwarf, declaration, &unit);
	if (r < 0 || !unit)
		return r;
	r = dwarf_load_functions(dwarf, unit);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	while (count < QUALIFIERS_MAX && (offset = dwarf_functions_parent(unit->functions, offset)))
		parents[count++] = offset;
	while (count) {
		text = qualifier(dwarf, file, parents[--count]);
		if (!text)
			continue;
		strbuf_add_text(buf, text);
		strbuf_add_text(buf, "::");
	}
	return buf->error;
}

static int qualified_name(struct dwarf *dwarf, struct names *names, Dwarf_Die *die,
			  const char *name, struct frame *ret)
{
	_cleanup_strbuf_ struct strbuf buf = STRBUF_INIT;
	Dwarf_Die declaration = *die;
	int r;

	find_declaration(&declaration);
	r = dwarf_add_qualifiers(dwarf, &declaration, &buf);
	if (r < 0)
		return r;
	strbuf_add_text(&buf, name);
	return buf.error ? buf.error : names_plain(names, buf.data, ret);
}

/* Returns 1 when .symtab has a name for just this function, 0 when not, -ENOMEM. */
static int name_by_symbol(struct dwarf *dwarf, struct names *names,
			  const struct dwarf_scope *scope, struct frame *ret)
{
	struct frame symbol = { 0 };
	int r;

	if (scope->inlined)
		return 0;
	r = dwarf_symbol(dwarf, names, scope->start, &symbol);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	if (symbol.start != scope->start)
		return 0;
	ret->function = symbol.function;
	ret->system_name = symbol.system_name;
	return 1;
}

int dwarf_name(struct dwarf *dwarf, struct names *names, const struct dwarf_scope *scope,
	       struct frame *ret)
{
	const char *linkage, *name;
	Dwarf_Die die;
	int lang, r;

	if (!dwarf_offdie(dwarf->file->dwarf, scope->die, &die))
		return -ENOENT;
	lang = dwarf_language(&die);
	linkage = linkage_name(dwarf, &die, lang);
	name = linkage ?: die_text(dwarf, &die, DW_AT_name);
	/* Those of Go would be taken for C's with a suffix: "main.cold". */
	if (name && !linkage && !dwarf_language_is_cplus(lang) && !dwarf_language_is_c(lang))
		return names_plain(names, name, ret);
	r = name_by_symbol(dwarf, names, scope, ret);
	if (r)
		return r < 0 ? r : 0;
	if (!name)
		return -ENOENT;
	if (linkage)
		return names_symbol(names, linkage, ret);
	return dwarf_language_is_c(lang) ? names_plain(names, name, ret) :
					   qualified_name(dwarf, names, &die, name, ret);
}
