/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fde_list.h - which FDE describes what code, in order of address.
 *
 * Eight bytes for each FDE: where its code starts, and where to find the FDE
 * itself, which is read again when its turn comes.
 */
#ifndef WICK_FDE_LIST_H
#define WICK_FDE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Sections larger than this are not read further; 1 GiB is the most elf_file.h gives. */
#define FDE_OFFSET_MAX ((1u << 31) - 1)

struct fde_list {
	uint64_t base;		/* ELF address that the starts are relative to, up to 4 GiB */
	uint64_t *keys;
	size_t count, capacity;
};

/* One FDE. .eh_frame is what programs rely on at run time, so it comes before .debug_frame. */
struct fde_place {
	uint64_t start;
	bool debug_frame;
	uint32_t offset;	/* of the entry, in its section */
};

/*
 * .eh_frame's are added first, each section's in order of offset. The place's
 * start must be within 4 GiB above @list->base. Returns 0 or -ENOMEM.
 */
int fde_list_add(struct fde_list *list, const struct fde_place *place);
/* Sort by start, then .eh_frame first, then by offset. Returns 0 or -ENOMEM. */
int fde_list_sort(struct fde_list *list);
struct fde_place fde_list_place(const struct fde_list *list, size_t index);
void fde_list_done(struct fde_list *list);

#endif
