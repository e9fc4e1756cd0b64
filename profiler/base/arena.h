/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arena.h - memory for things that die together.
 *
 * Allocations are 8-byte aligned and live until arena_free(). Not thread-safe.
 */
#ifndef WICK_ARENA_H
#define WICK_ARENA_H

#include <stddef.h>
#include "profiler/base/cleanup.h"

struct arena;

/* @chunk_bytes: how much to take from malloc at once; 0 for a default of 64 KiB. NULL: no memory. */
struct arena *arena_new(size_t chunk_bytes);
/* Frees everything at once; arena_free(NULL) does nothing. Returns NULL. */
struct arena *arena_free(struct arena *arena);
/* Cleared memory, or NULL when there is none. @size may be 0 (then a unique pointer). */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_copy(struct arena *arena, const void *bytes, size_t size);
char *arena_strdup(struct arena *arena, const char *text);
/* Bytes taken from malloc, for memory limits. */
size_t arena_bytes(const struct arena *arena);

DEFINE_CLEANUP(struct arena *, arena_free)

#endif
