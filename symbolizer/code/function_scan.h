/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * function_scan.h - all functions of an ELF file, table after table, as they come.
 *
 * The tables are those of function_list.h; the same function may be in several of them. Opens one
 * table at a time, when the one before it is done.
 */
#ifndef WICK_FUNCTION_SCAN_H
#define WICK_FUNCTION_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include "profiler/base/cleanup.h"
#include "symbolizer/elf/elf_file.h"
#include "symbolizer/elf/module.h"

struct gopclntab;

struct function_scan {
	struct module *mod;
	struct elf_file *elf;		/* of mod, for segments */
	int damage;			/* why a table could not be read, or 0 */
	/* The rest is function_scan_next()'s. */
	size_t table;			/* the next one to open */
	bool has_symtab;
	struct module *other;		/* the file that the table is in, where it is not mod's own */
	struct elf_file *file;
	struct elf_symbol *symbols;
	size_t index, count;
	struct gopclntab *go;
};

struct function_symbol {
	uint64_t address, size;
	const char *name;	/* lives until the next call */
	uint8_t type;		/* STT_* */
	bool is_local;
	bool is_go;		/* by .gopclntab: neither mangled nor with a version */
};

/* Returns 0, or why @mod cannot be opened. */
int function_scan_init(struct function_scan *scan, struct module *mod);
void function_scan_done(struct function_scan *scan);
/* Returns 1, 0 at the end, -ENOMEM. A damaged table is passed over. */
int function_scan_next(struct function_scan *scan, struct function_symbol *ret);
/* GCC moves what is seldom run out of a function, and gives it a local symbol: "NAME.cold". */
bool function_symbol_is_cold(const struct function_symbol *symbol);

#endif
