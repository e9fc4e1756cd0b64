/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/intern.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "profiler/base/arena.h"
#include "profiler/base/hash.h"

#define INTERN_FIRST_SLOTS ((size_t)64)

struct intern_text {
	const char *text;
	size_t size;
	uint64_t hash;
};

struct intern {
	struct arena *arena;		/* holds the texts */
	struct intern_text *texts;	/* by number */
	size_t count;
	size_t capacity;
	uint32_t *slots;		/* number + 1, 0: free */
	size_t slot_count;		/* a power of two, at least a third free */
};

struct intern *intern_free(struct intern *in)
{
	if (!in)
		return NULL;
	arena_free(in->arena);
	free(in->texts);
	free(in->slots);
	free(in);
	return NULL;
}

struct intern *intern_new(void)
{
	_cleanup_(intern_freep) struct intern *in = calloc(1, sizeof(*in));
	uint32_t empty;

	if (!in)
		return NULL;
	in->arena = arena_new(0);
	if (!in->arena)
		return NULL;
	if (intern_add(in, "", 0, &empty) < 0)
		return NULL;
	return take_ptr(in);
}

/* The slot of the text, or the free one where it belongs. */
static size_t intern_slot(const struct intern *in, const char *text, size_t size, uint64_t hash)
{
	size_t mask = in->slot_count - 1;
	const struct intern_text *known;
	size_t slot;

	for (slot = hash & mask; in->slots[slot]; slot = (slot + 1) & mask) {
		known = &in->texts[in->slots[slot] - 1];
		if (known->hash == hash && known->size == size && !memcmp(known->text, text, size))
			break;
	}
	return slot;
}

static int intern_grow_slots(struct intern *in)
{
	size_t slot_count = in->slot_count ? in->slot_count * 2 : INTERN_FIRST_SLOTS;
	uint32_t *slots = calloc(slot_count, sizeof(*slots));
	size_t i, slot;

	if (!slots)
		return -ENOMEM;
	for (i = 0; i < in->count; i++) {
		slot = in->texts[i].hash & (slot_count - 1);
		while (slots[slot])
			slot = (slot + 1) & (slot_count - 1);
		slots[slot] = (uint32_t)i + 1;
	}
	free(in->slots);
	in->slots = slots;
	in->slot_count = slot_count;
	return 0;
}

/* Adding a NUL after the text lets it be used as a C string. */
static const char *intern_copy(struct intern *in, const char *text, size_t size)
{
	char *copy = size < SIZE_MAX ? arena_alloc(in->arena, size + 1) : NULL;

	if (copy && size)
		memcpy(copy, text, size);
	return copy;
}

int intern_add(struct intern *in, const char *text, size_t size, uint32_t *ret)
{
	uint64_t hash = hash_bytes(text, size);
	const char *copy;
	size_t slot;
	int r;

	/* What is known is found without memory. */
	slot = in->slot_count ? intern_slot(in, text, size, hash) : 0;
	if (in->slot_count && in->slots[slot]) {
		*ret = in->slots[slot] - 1;
		return 0;
	}
	if (in->count >= in->slot_count / 3 * 2) {
		r = intern_grow_slots(in);
		if (r < 0)
			return r;
		slot = intern_slot(in, text, size, hash);
	}
	if (in->count >= UINT32_MAX - 1)
		return -ENOMEM;
	r = alloc_grow(&in->texts, &in->capacity, in->count + 1);
	if (r < 0)
		return r;
	copy = intern_copy(in, text, size);
	if (!copy)
		return -ENOMEM;
	in->texts[in->count++] = (struct intern_text){ .text = copy, .size = size, .hash = hash };
	in->slots[slot] = (uint32_t)in->count;
	*ret = (uint32_t)in->count - 1;
	return 0;
}

int intern_add_text(struct intern *in, const char *text, uint32_t *ret)
{
	return intern_add(in, text, strlen(text), ret);
}

const char *intern_text(const struct intern *in, uint32_t number)
{
	return in->texts[number].text;
}

size_t intern_size(const struct intern *in, uint32_t number)
{
	return in->texts[number].size;
}

uint32_t intern_count(const struct intern *in)
{
	return (uint32_t)in->count;
}

size_t intern_bytes(const struct intern *in)
{
	return sizeof(*in) + arena_bytes(in->arena) + in->capacity * sizeof(*in->texts) +
	       in->slot_count * sizeof(*in->slots);
}
