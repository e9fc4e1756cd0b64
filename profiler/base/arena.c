/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_CHUNK_BYTES ((size_t)64 << 10)
#define ARENA_ALIGNMENT ((size_t)8)

struct arena_chunk {
	struct arena_chunk *next;
	size_t used;
	size_t size;		/* of data */
	char data[] __attribute__((aligned(8)));
};

struct arena {
	struct arena_chunk *chunks;	/* the first is the one being filled */
	size_t chunk_bytes;
	size_t bytes;
};

struct arena *arena_new(size_t chunk_bytes)
{
	struct arena *arena = calloc(1, sizeof(*arena));

	if (!arena)
		return NULL;
	arena->chunk_bytes = chunk_bytes ? chunk_bytes : ARENA_CHUNK_BYTES;
	arena->bytes = sizeof(*arena);
	return arena;
}

struct arena *arena_free(struct arena *arena)
{
	struct arena_chunk *chunk, *next;

	if (!arena)
		return NULL;
	for (chunk = arena->chunks; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(arena);
	return NULL;
}

/*
 * A large request gets a chunk of its own, put behind the first one, so that
 * what is left of the first is not wasted.
 */
static struct arena_chunk *arena_add_chunk(struct arena *arena, size_t size)
{
	bool own = size > arena->chunk_bytes / 4;
	struct arena_chunk *chunk;
	size_t data_size;

	data_size = own ? size : arena->chunk_bytes;
	chunk = calloc(1, sizeof(*chunk) + data_size);
	if (!chunk)
		return NULL;
	chunk->size = data_size;
	arena->bytes += sizeof(*chunk) + data_size;
	if (own && arena->chunks) {
		chunk->next = arena->chunks->next;
		arena->chunks->next = chunk;
	} else {
		chunk->next = arena->chunks;
		arena->chunks = chunk;
	}
	return chunk;
}

void *arena_alloc(struct arena *arena, size_t size)
{
	struct arena_chunk *chunk = arena->chunks;
	void *memory;

	if (size > SIZE_MAX - sizeof(*chunk) - ARENA_ALIGNMENT)
		return NULL;
	size = size ? (size + ARENA_ALIGNMENT - 1) & ~(ARENA_ALIGNMENT - 1) : ARENA_ALIGNMENT;
	if (!chunk || chunk->size - chunk->used < size) {
		chunk = arena_add_chunk(arena, size);
		if (!chunk)
			return NULL;
	}
	memory = chunk->data + chunk->used;
	chunk->used += size;
	return memory;
}

void *arena_copy(struct arena *arena, const void *bytes, size_t size)
{
	void *copy = arena_alloc(arena, size);

	if (copy && size)
		memcpy(copy, bytes, size);
	return copy;
}

char *arena_strdup(struct arena *arena, const char *text)
{
	return arena_copy(arena, text, strlen(text) + 1);
}

size_t arena_bytes(const struct arena *arena)
{
	return arena->bytes;
}
