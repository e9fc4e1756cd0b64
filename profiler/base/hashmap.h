/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hashmap.h - an open-addressing map from fixed-size keys to fixed-size values.
 *
 * Keys are compared as bytes, so key structs must have no uninitialized
 * padding. Pointers to values stay valid until the next add or remove. Not
 * thread-safe.
 */
#ifndef WICK_HASHMAP_H
#define WICK_HASHMAP_H

#include <stdbool.h>
#include <stddef.h>
#include "profiler/base/cleanup.h"

struct hashmap;

/* @value_size may be 0 (a set). NULL when there is no memory. */
struct hashmap *hashmap_new(size_t key_size, size_t value_size);
struct hashmap *hashmap_free(struct hashmap *map);
/* The value of @key, or NULL. */
void *hashmap_find(const struct hashmap *map, const void *key);
/*
 * Find or add @key; *@ret points to its value, cleared when new. Returns 1 when
 * it was added, 0 when it was there, -ENOMEM.
 */
int hashmap_add(struct hashmap *map, const void *key, void **ret);
/* Whether @key was there and is now gone. */
bool hashmap_remove(struct hashmap *map, const void *key);
void hashmap_clear(struct hashmap *map);	/* keeps its memory */
size_t hashmap_count(const struct hashmap *map);
size_t hashmap_bytes(const struct hashmap *map);
/*
 * Walk in no particular order: start with *@position 0; false at the end. The
 * map must not change during the walk. @ret_key and @ret_value may be NULL.
 */
bool hashmap_next(const struct hashmap *map, size_t *position, const void **ret_key,
		  void **ret_value);

DEFINE_CLEANUP(struct hashmap *, hashmap_free)

#endif
