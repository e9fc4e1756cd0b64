/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dwarf_private.h - what dwarf.c, dwarf_names.c and dwarf_types.c with its parts share; nobody else
 * includes it.
 */
#ifndef WICK_DWARF_PRIVATE_H
#define WICK_DWARF_PRIVATE_H

#include "symbolizer/dwarf/dwarf_file.h"
#include "symbolizer/dwarf/dwarf_functions.h"
#include "symbolizer/dwarf/dwarf_units.h"

struct frame;
struct names;

struct dwarf {
	struct dwarf_file *file;
	struct dwarf_units units;
	struct dwarf_units alternate_units;	/* of file->alternate, only for names */
	bool alternate_read;
	void *symbols;		/* elf_symtab_provider's state of the same file; NULL: none */
	bool symbols_opened;
	size_t loaded_bytes;	/* of what units have in memory */
	uint64_t clock;		/* counts look-ups, to know what was used last */
};

/* Before a look-up, so that nothing goes in the middle of one. */
void dwarf_make_room(struct dwarf *dwarf);
/*
 * The functions of @unit, read at the first call; they stay until the next
 * look-up. Returns 0, -ENOMEM, or -ENOENT when they cannot be read.
 */
int dwarf_load_functions(struct dwarf *dwarf, struct dwarf_unit *unit);
/* What .symtab calls the code at @address. Returns 1, -ENOENT or an error. */
int dwarf_symbol(struct dwarf *dwarf, struct names *names, uint64_t address, struct frame *ret);

/* Fill the names of the function whose DIE is at scope->die. Returns 0, -ENOENT, -ENOMEM. */
int dwarf_name(struct dwarf *dwarf, struct names *names, const struct dwarf_scope *scope,
	       struct frame *ret);
/* Append the namespaces and types around the declaration, the outermost first. Returns 0 or -ENOMEM. */
int dwarf_add_qualifiers(struct dwarf *dwarf, Dwarf_Die *declaration, struct strbuf *buf);

/* DW_LANG_* of the unit of @die, or -1. */
int dwarf_language(Dwarf_Die *die);
bool dwarf_language_is_c(int lang);
bool dwarf_language_is_cplus(int lang);

#endif
