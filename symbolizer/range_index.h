/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * range_index.h - which of many address ranges cover an address.
 *
 * Ranges may nest and overlap, as those of files that linkers have left
 * things in do. Add all, build once, then look up. Not thread-safe.
 */
#ifndef WICK_RANGE_INDEX_H
#define WICK_RANGE_INDEX_H

#include <stddef.h>
#include <stdint.h>

#define RANGE_NONE UINT32_MAX

struct range {
	uint64_t start, end;
	uint32_t value;
	uint32_t outer;		/* range_index_build()'s: the nearest before it that reaches it */
};

struct range_index {
	struct range *ranges;
	size_t count, capacity;
};

/* Empty ranges are left out. Returns 0, -ENOMEM, or -EFBIG above 4 million ranges. */
int range_index_add(struct range_index *index, uint64_t start, uint64_t end, uint32_t value);
void range_index_build(struct range_index *index);
/*
 * The ranges that cover @address one by one, innermost first, and of equal
 * ones the one of the lowest value first: begin with *@position RANGE_NONE;
 * NULL when there are no more.
 */
const struct range *range_index_next(const struct range_index *index, uint64_t address,
				     uint32_t *position);
void range_index_done(struct range_index *index);

#endif
