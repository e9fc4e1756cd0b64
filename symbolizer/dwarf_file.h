/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dwarf_file.h - the debug information of a module, opened by libdw.
 *
 * All of its sections are in memory, decompressed, since libdw reads no parts.
 */
#ifndef WICK_DWARF_FILE_H
#define WICK_DWARF_FILE_H

#include <elfutils/libdw.h>

#include "symbolizer/dwarf_lines.h"
#include "symbolizer/module.h"

struct dwarf_file {
	struct module *mod;	/* whose file it is: the module asked for, or a separate one */
	struct elf_file *elf;
	Dwarf *dwarf;		/* NULL: the file has only symbols */
	struct dwarf_file *alternate;	/* what dwz moved to another file, or NULL */
	struct dwarf_line_source lines;
	size_t bytes;		/* of memory */
};

/*
 * Returns 0, -ENOENT when there is none, -EFBIG above 1 GiB, -EBADMSG, -ENOMEM.
 */
int dwarf_file_open(struct module *mod, struct dwarf_file **ret);
struct dwarf_file *dwarf_file_close(struct dwarf_file *file);
DEFINE_CLEANUP(struct dwarf_file *, dwarf_file_close)

#endif
