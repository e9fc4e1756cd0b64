/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dwarf_lines.h - file and line of the addresses of a unit, by its line program.
 *
 * Reads DWARF 2 to 5 itself: libdw keeps what it has read of every unit until
 * the file is closed, mixes what is left of dropped functions into the rest,
 * and has no way to tell which sequence a row belongs to.
 */
#ifndef WICK_DWARF_LINES_H
#define WICK_DWARF_LINES_H

#include <stddef.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"
#include "profiler/base/strbuf.h"
#include "symbolizer/elf/elf_file.h"

struct dwarf_lines;

/* Must outlive what is read from it. */
struct dwarf_line_source {
	struct elf_section lines;	/* .debug_line */
	struct elf_section strings;	/* .debug_str; size 0: there is none */
	struct elf_section line_strings;	/* .debug_line_str */
	uint8_t address_bytes;		/* 4 or 8 */
};

/*
 * Run the program at @offset; @folder is the unit's compilation directory or
 * NULL and must outlive the result. Returns 0, -EBADMSG when it is damaged,
 * -EFBIG, -ENOMEM.
 */
int dwarf_lines_read(const struct dwarf_line_source *source, uint64_t offset, const char *folder,
		     struct dwarf_lines **ret);
struct dwarf_lines *dwarf_lines_free(struct dwarf_lines *lines);
DEFINE_CLEANUP(struct dwarf_lines *, dwarf_lines_free)

/* The line and the number of the file at @address. Returns 0 or -ENOENT. */
int dwarf_lines_find(const struct dwarf_lines *lines, uint64_t address, uint32_t *ret_file,
		     uint32_t *ret_line);
/* Append the path of file number @file, as the compiler saw it. Returns 0, -ENOENT, -ENOMEM. */
int dwarf_lines_path(const struct dwarf_lines *lines, uint32_t file, struct strbuf *buf);
size_t dwarf_lines_bytes(const struct dwarf_lines *lines);

#endif
