/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ifunc_slots.h - where an ELF file keeps the addresses of functions that are chosen when it is loaded.
 *
 * An IFUNC's symbol is its resolver; what this returns, the dynamic linker writes into slots, of the file
 * itself and of those that import it. Knows no processes: what is in the slots is for the caller to read.
 */
#ifndef WICK_IFUNC_SLOTS_H
#define WICK_IFUNC_SLOTS_H

#include <stddef.h>
#include <stdint.h>
#include "symbolizer/elf/module.h"

#define IFUNC_SLOTS_MAX 16

struct ifunc_slots {
	uint64_t addresses[IFUNC_SLOTS_MAX];	/* ELF virtual ones */
	size_t count;				/* others are left out: all hold the same */
};

/*
 * Of @mod: slots that its resolver at ELF address @resolver fills (0: it is not there), and those of
 * imports called @name (NULL: of none). Returns 0, -ENOENT when there is none, -EBADMSG, -ENOEXEC, -ENOMEM.
 */
int ifunc_slots_read(struct module *mod, uint64_t resolver, const char *name,
		     struct ifunc_slots *ret);

#endif
