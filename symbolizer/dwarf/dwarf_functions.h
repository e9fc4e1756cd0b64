/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dwarf_functions.h - which functions of a unit an address is in, inlined ones among them.
 *
 * Read in one walk over the unit's DIEs: libdw's own look-ups of scopes walk
 * the unit for every address. Names are not read until asked for.
 */
#ifndef WICK_DWARF_FUNCTIONS_H
#define WICK_DWARF_FUNCTIONS_H

#include <elfutils/libdw.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"

struct dwarf_functions;

/* A function that has code: one of its own, or a call inlined into another. */
struct dwarf_scope {
	uint64_t die;		/* offset in .debug_info */
	uint64_t start;		/* of its first range */
	uint32_t call_file;	/* where an inlined one is called: number in the line table */
	uint32_t call_line;
	bool inlined;
};

/* Returns 0, -EBADMSG when the unit is damaged, -EFBIG, -ENOMEM. */
int dwarf_functions_read(Dwarf_Die *unit, struct dwarf_functions **ret);
struct dwarf_functions *dwarf_functions_free(struct dwarf_functions *functions);
DEFINE_CLEANUP(struct dwarf_functions *, dwarf_functions_free)

/*
 * The scopes around @address, innermost first; the last is not inlined. Where
 * they are more than @max, outer ones are left out. Returns how many, 0 when
 * the address is in none.
 */
size_t dwarf_functions_find(const struct dwarf_functions *functions, uint64_t address,
			    struct dwarf_scope *ret, size_t max);
/*
 * The namespace or type around the DIE at @offset or around the one that this
 * gave before. Returns its offset, 0 when there is none.
 */
uint64_t dwarf_functions_parent(const struct dwarf_functions *functions, uint64_t offset);
size_t dwarf_functions_bytes(const struct dwarf_functions *functions);

#endif
