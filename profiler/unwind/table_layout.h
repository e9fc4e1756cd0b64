/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_layout.h - rows in order of address, laid out as the cells of unwind_table.h.
 *
 * A page is written as soon as the next one begins, so that there is never a
 * list of all rows besides the cells themselves.
 */
#ifndef WICK_TABLE_LAYOUT_H
#define WICK_TABLE_LAYOUT_H

#include "profiler/unwind/unwind_table.h"

struct table_layout {
	uint64_t start;			/* ELF address of the first page */
	uint32_t page_count;
	uint32_t *cells;		/* the directory, then rows */
	size_t count, capacity;
	uint32_t page;			/* the one being filled, as a cell of the directory */
	uint32_t rows[UNWIND_PAGE_ROWS_MAX];
	uint32_t row_count;
	bool page_overfull;
	uint32_t rule;			/* in force behind the last row */
	/* Of the last page with a single row: the rule, and what is in the directory. */
	uint32_t single_rule, single_directory;
	uint32_t rows_written, pages_overfull;
};

/* For the text from @start to @end. Returns 0, -EFBIG, -ENOMEM. */
int table_layout_init(struct table_layout *layout, uint64_t start, uint64_t end);
void table_layout_done(struct table_layout *layout);
/*
 * From @address on @rule holds. Addresses never fall; the last one said of an
 * address counts. Returns 0, -EFBIG, -ENOMEM.
 */
int table_layout_add(struct table_layout *layout, uint64_t address, uint32_t rule);
/*
 * Write what is left into @ret, which is zeros and stays so when no code has a
 * rule. The cells are now the caller's. Returns as above.
 */
int table_layout_finish(struct table_layout *layout, struct unwind_table *ret);

#endif
