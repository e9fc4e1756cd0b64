/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_segments.h - the cells of all tables: arrays of 4 MiB, added to the kernel's map of maps
 * as they are needed, written and read through mmap.
 *
 * A cell's number is segment << WICK_SEGMENT_SHIFT | block << WICK_BLOCK_SHIFT | cell, so
 * that neighbours in number are neighbours in memory but for segment ends.
 */
#ifndef WICK_TABLE_SEGMENTS_H
#define WICK_TABLE_SEGMENTS_H

#include <stddef.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"

struct table_segments;

/* @outer_fd is borrowed. At most @limit segments. NULL: no memory. */
struct table_segments *table_segments_new(int outer_fd, uint32_t limit);
struct table_segments *table_segments_free(struct table_segments *segments);
DEFINE_CLEANUP(struct table_segments *, table_segments_free)

/*
 * One more. The kernel waits for RCU meanwhile: some 10 to 80 ms, longer on a
 * busy machine. Returns 0, -ENOSPC at the limit, or a negative errno.
 */
int table_segments_add(struct table_segments *segments);
/* Take away the last one, whose cells nobody uses any more. Waits for RCU, too. */
int table_segments_remove(struct table_segments *segments);
uint32_t table_segments_count(const struct table_segments *segments);

/* @cell must be in a segment that is there. */
uint32_t table_segments_cell(const struct table_segments *segments, uint32_t cell);
void table_segments_write(struct table_segments *segments, uint32_t cell, const uint32_t *cells,
			  size_t count);

#endif
