/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dwarf_file.h - the debug information of a module, opened by libdw.
 *
 * All of its sections are in memory, decompressed, since libdw reads no parts.
 */
#ifndef WICK_DWARF_FILE_H
#define WICK_DWARF_FILE_H

#include <elfutils/libdw.h>

#include "symbolizer/dwarf/dwarf_lines.h"
#include "symbolizer/elf/module.h"

struct dwarf_file {
	struct module *mod;	/* whose file it is: the module asked for, or a separate one */
	struct elf_file *elf;
	Dwarf *dwarf;		/* NULL: the file has only symbols */
	struct dwarf_file *alternate;	/* what dwz moved to another file, or NULL */
	struct dwarf_line_source lines;
	struct elf_section entries[2];	/* .debug_info and .debug_types; size 0: none */
	size_t bytes;		/* of memory */
};

/*
 * Returns 0, -ENOENT when there is none, -EFBIG above 1 GiB, -EBADMSG, -ENOMEM.
 */
int dwarf_file_open(struct module *mod, struct dwarf_file **ret);
struct dwarf_file *dwarf_file_close(struct dwarf_file *file);
/*
 * The text of @attribute, which may be NULL, of a DIE of @file or its alternate. NULL: none,
 * or it does not end in its section. As dwarf_formstring(), which believes that every text does.
 */
const char *dwarf_file_text(const struct dwarf_file *file, Dwarf_Attribute *attribute);
DEFINE_CLEANUP(struct dwarf_file *, dwarf_file_close)

#endif
