/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mapping_ranges.h - which ranges of the array of mappings are in use, and by which processes.
 *
 * Pure: PIDs and numbers. The kernel side copies a process's range to its
 * children by itself, so a range may have users that are not known here. It is
 * free again when its known users are gone for a while *and* a look at all
 * entries of the kernel's hash of processes, begun later, finds none: either alone
 * has holes, the first when notices are lost, the second when a process forks and
 * ends while the hash is walked.
 */
#ifndef WICK_MAPPING_RANGES_H
#define WICK_MAPPING_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"

struct mapping_ranges;

/* An array of @limit mappings. NULL: no memory. */
struct mapping_ranges *mapping_ranges_new(uint32_t limit);
struct mapping_ranges *mapping_ranges_free(struct mapping_ranges *ranges);
DEFINE_CLEANUP(struct mapping_ranges *, mapping_ranges_free)

/*
 * A new range of @count (> 0) mappings for @pid, which gives up the one it had.
 * Returns 0, -ENOSPC or -ENOMEM (then it keeps the one it had).
 */
int mapping_ranges_take(struct mapping_ranges *ranges, uint32_t pid, uint32_t count,
			uint64_t now_ns, uint32_t *ret_first);
/* @child uses what @parent uses. Returns 0 (also when that is nothing) or -ENOMEM. */
int mapping_ranges_share(struct mapping_ranges *ranges, uint32_t parent, uint32_t child,
			 uint64_t now_ns);
/* @pid uses nothing any more. */
void mapping_ranges_drop(struct mapping_ranges *ranges, uint32_t pid, uint64_t now_ns);

/* The look at all entries: begin, then each entry's first mapping, then free the rest. */
void mapping_ranges_mark_begin(struct mapping_ranges *ranges);
void mapping_ranges_mark(struct mapping_ranges *ranges, uint32_t first);
/*
 * Free unmarked ranges without known users since @time_ns, which must be before
 * the look began. Returns how many mappings.
 */
uint32_t mapping_ranges_sweep(struct mapping_ranges *ranges, uint64_t time_ns);

uint32_t mapping_ranges_used(const struct mapping_ranges *ranges);
/* Mappings in ranges without known users. */
uint32_t mapping_ranges_retired(const struct mapping_ranges *ranges);
/* Walk the PIDs that use a range: start with *@position 0; false at the end. */
bool mapping_ranges_next_user(const struct mapping_ranges *ranges, size_t *position,
			      uint32_t *ret_pid);
size_t mapping_ranges_bytes(const struct mapping_ranges *ranges);

#endif
