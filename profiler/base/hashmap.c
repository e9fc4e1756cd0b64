/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Linear probing with the hashes in an array of their own, so that a miss
 * seldom touches an entry. Removing shifts the following entries back:
 * there are no tombstones, and a map of steady size never slows down.
 */
#include "profiler/base/hashmap.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/hash.h"

#define HASHMAP_FIRST_SLOTS ((size_t)16)
#define HASHMAP_NO_SLOT SIZE_MAX

struct hashmap {
	size_t key_size;
	size_t value_size;
	size_t value_offset;	/* in an entry */
	size_t entry_size;
	size_t slot_count;	/* 0 or a power of two */
	size_t count;
	uint32_t *hashes;	/* 0: the slot is free */
	char *entries;
};

static size_t align_up(size_t size)
{
	return (size + 7) & ~(size_t)7;
}

static uint32_t hashmap_hash(const struct hashmap *map, const void *key)
{
	uint32_t hash = (uint32_t)hash_bytes(key, map->key_size);

	return hash ? hash : 1;
}

static char *hashmap_entry(const struct hashmap *map, size_t slot)
{
	return map->entries + slot * map->entry_size;
}

struct hashmap *hashmap_new(size_t key_size, size_t value_size)
{
	struct hashmap *map = calloc(1, sizeof(*map));

	if (!map)
		return NULL;
	map->key_size = key_size;
	map->value_size = value_size;
	map->value_offset = align_up(key_size);
	map->entry_size = align_up(map->value_offset + value_size);
	return map;
}

struct hashmap *hashmap_free(struct hashmap *map)
{
	if (!map)
		return NULL;
	free(map->hashes);
	free(map->entries);
	free(map);
	return NULL;
}

/* The slot of @key, or the free one where it belongs, or HASHMAP_NO_SLOT without memory. */
static size_t hashmap_slot(const struct hashmap *map, const void *key, uint32_t hash)
{
	size_t mask = map->slot_count - 1;
	size_t slot;

	if (!map->slot_count)
		return HASHMAP_NO_SLOT;
	for (slot = hash & mask; map->hashes[slot]; slot = (slot + 1) & mask) {
		if (map->hashes[slot] == hash &&
		    !memcmp(hashmap_entry(map, slot), key, map->key_size))
			break;
	}
	return slot;
}

void *hashmap_find(const struct hashmap *map, const void *key)
{
	size_t slot = hashmap_slot(map, key, hashmap_hash(map, key));

	if (slot == HASHMAP_NO_SLOT || !map->hashes[slot])
		return NULL;
	return hashmap_entry(map, slot) + map->value_offset;
}

static int hashmap_resize(struct hashmap *map, size_t slot_count)
{
	_cleanup_free_ uint32_t *hashes = calloc(slot_count, sizeof(*hashes));
	_cleanup_free_ char *entries = calloc(slot_count, map->entry_size);
	size_t mask = slot_count - 1;
	size_t old, slot;

	if (!hashes || !entries)
		return -ENOMEM;
	for (old = 0; old < map->slot_count; old++) {
		if (!map->hashes[old])
			continue;
		slot = map->hashes[old] & mask;
		while (hashes[slot])
			slot = (slot + 1) & mask;
		hashes[slot] = map->hashes[old];
		memcpy(entries + slot * map->entry_size, hashmap_entry(map, old), map->entry_size);
	}
	free(map->hashes);
	free(map->entries);
	map->hashes = take_ptr(hashes);
	map->entries = take_ptr(entries);
	map->slot_count = slot_count;
	return 0;
}

int hashmap_add(struct hashmap *map, const void *key, void **ret)
{
	uint32_t hash = hashmap_hash(map, key);
	size_t slot = hashmap_slot(map, key, hash);
	int added = 0;
	int r;

	if (slot == HASHMAP_NO_SLOT || !map->hashes[slot]) {
		/* Full to three quarters: beyond, runs of taken slots get long. */
		if (map->count >= map->slot_count / 4 * 3) {
			r = hashmap_resize(map, map->slot_count ? map->slot_count * 2 :
								  HASHMAP_FIRST_SLOTS);
			if (r < 0)
				return r;
			slot = hashmap_slot(map, key, hash);
		}
		map->hashes[slot] = hash;
		memcpy(hashmap_entry(map, slot), key, map->key_size);
		memset(hashmap_entry(map, slot) + map->value_offset, 0, map->value_size);
		map->count++;
		added = 1;
	}
	if (ret)
		*ret = hashmap_entry(map, slot) + map->value_offset;
	return added;
}

bool hashmap_remove(struct hashmap *map, const void *key)
{
	size_t mask = map->slot_count - 1;
	size_t hole = hashmap_slot(map, key, hashmap_hash(map, key));
	size_t slot, distance;

	if (hole == HASHMAP_NO_SLOT || !map->hashes[hole])
		return false;
	for (slot = (hole + 1) & mask; map->hashes[slot]; slot = (slot + 1) & mask) {
		/* An entry may move back no further than the slot its hash names. */
		distance = (slot - map->hashes[slot]) & mask;
		if (distance < ((slot - hole) & mask))
			continue;
		map->hashes[hole] = map->hashes[slot];
		memcpy(hashmap_entry(map, hole), hashmap_entry(map, slot), map->entry_size);
		hole = slot;
	}
	map->hashes[hole] = 0;
	map->count--;
	return true;
}

void hashmap_clear(struct hashmap *map)
{
	if (map->slot_count)
		memset(map->hashes, 0, map->slot_count * sizeof(*map->hashes));
	map->count = 0;
}

size_t hashmap_count(const struct hashmap *map)
{
	return map->count;
}

size_t hashmap_bytes(const struct hashmap *map)
{
	return sizeof(*map) + map->slot_count * (sizeof(*map->hashes) + map->entry_size);
}

bool hashmap_next(const struct hashmap *map, size_t *position, const void **ret_key,
		  void **ret_value)
{
	size_t slot = *position;

	while (slot < map->slot_count && !map->hashes[slot])
		slot++;
	if (slot >= map->slot_count)
		return false;
	if (ret_key)
		*ret_key = hashmap_entry(map, slot);
	if (ret_value)
		*ret_value = hashmap_entry(map, slot) + map->value_offset;
	*position = slot + 1;
	return true;
}
