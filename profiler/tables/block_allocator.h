/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * block_allocator.h - runs of consecutive blocks out of a numbered space.
 *
 * Pure: numbers only. A run that somebody may still read is retired first and
 * can be taken again after block_allocator_collect(). Not thread-safe.
 */
#ifndef WICK_BLOCK_ALLOCATOR_H
#define WICK_BLOCK_ALLOCATOR_H

#include <stddef.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"

struct block_allocator;

/* @count blocks, from 0 on. NULL: no memory. */
struct block_allocator *block_allocator_new(uint32_t count);
struct block_allocator *block_allocator_free(struct block_allocator *allocator);
DEFINE_CLEANUP(struct block_allocator *, block_allocator_free)

/* More blocks behind the last one. Returns 0 or -ENOMEM. */
int block_allocator_grow(struct block_allocator *allocator, uint32_t count);
/* Fewer: the last @count, which are free, exist no more. Cannot fail. */
void block_allocator_shrink(struct block_allocator *allocator, uint32_t count);
/* The lowest run of @count (> 0) blocks. Returns 0, -ENOSPC, or -ENOMEM. */
int block_allocator_take(struct block_allocator *allocator, uint32_t count, uint32_t *ret_first);
/* Give back a run that was taken, at once. Cannot fail. */
void block_allocator_give(struct block_allocator *allocator, uint32_t first, uint32_t count);
/* Give it back later. Cannot fail. */
void block_allocator_retire(struct block_allocator *allocator, uint32_t first, uint32_t count,
			    uint64_t now_ns);
/* Give back what was retired at or before @time_ns. Returns how many blocks. */
uint32_t block_allocator_collect(struct block_allocator *allocator, uint64_t time_ns);

uint32_t block_allocator_count(const struct block_allocator *allocator);
uint32_t block_allocator_free_count(const struct block_allocator *allocator);
/* The longest run of free blocks. */
uint32_t block_allocator_longest(const struct block_allocator *allocator);
/* The longest run there will be once all that is retired is collected. */
uint32_t block_allocator_longest_soon(const struct block_allocator *allocator);
/* The run of free blocks at the very end: growing makes it longer, and it can be taken off. */
uint32_t block_allocator_tail(const struct block_allocator *allocator);
size_t block_allocator_bytes(const struct block_allocator *allocator);

#endif
