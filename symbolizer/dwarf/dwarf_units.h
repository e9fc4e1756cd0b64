/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dwarf_units.h - the compilation units of a file, and which of them claim an address.
 *
 * Only the DIE of each unit is parsed. libdw's own look-up wants
 * .debug_aranges, which clang and Go do not write.
 */
#ifndef WICK_DWARF_UNITS_H
#define WICK_DWARF_UNITS_H

#include <elfutils/libdw.h>
#include <stdbool.h>

#include "symbolizer/range_index.h"

struct dwarf_functions;
struct dwarf_lines;

struct dwarf_unit {
	Dwarf_Die die;
	uint64_t offset;	/* of its header in .debug_info */
	uint64_t end;
	/* What has been read of it, or NULL: dwarf.c's, with when it was used last. */
	struct dwarf_functions *functions;
	struct dwarf_lines *lines;
	uint64_t used;
	bool functions_damaged, lines_damaged;
};

struct dwarf_units {
	struct dwarf_unit *units;	/* by offset */
	size_t count, capacity;
	struct range_index ranges;	/* of code, to place in units */
	size_t ranges_read;
};

/* @ret is zeroed or from here. Returns 0, -ENOENT when there are none, -EBADMSG, -EFBIG, -ENOMEM. */
int dwarf_units_read(Dwarf *dwarf, struct dwarf_units *ret);
/*
 * The units that claim @address, lowest offset first: of a function that
 * several had, the linker keeps the first. Returns how many, at most @max.
 */
size_t dwarf_units_find(const struct dwarf_units *units, uint64_t address,
			struct dwarf_unit **ret, size_t max);
/* The unit that holds @offset of .debug_info, or NULL. */
struct dwarf_unit *dwarf_units_at(const struct dwarf_units *units, uint64_t offset);
size_t dwarf_units_bytes(const struct dwarf_units *units);
void dwarf_units_done(struct dwarf_units *units);

#endif
