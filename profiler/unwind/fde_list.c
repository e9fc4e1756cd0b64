/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/unwind/fde_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "profiler/base/cleanup.h"

/* A key: start in the upper 32 bits, then the section in one, then the offset in it. */
#define START_SHIFT 32
#define SECTION_SHIFT 31

/* 11 bits at a time: three passes over 32 bits, with counters that fit the first-level cache. */
#define DIGIT_BITS 11
#define DIGIT_COUNT (1u << DIGIT_BITS)

int fde_list_add(struct fde_list *list, const struct fde_place *place)
{
	int r = alloc_grow(&list->keys, &list->capacity, list->count + 1);

	if (r < 0)
		return r;
	list->keys[list->count++] = (place->start - list->base) << START_SHIFT |
				    (uint64_t)place->debug_frame << SECTION_SHIFT | place->offset;
	return 0;
}

struct fde_place fde_list_place(const struct fde_list *list, size_t index)
{
	uint64_t key = list->keys[index];

	return (struct fde_place){
		.start = list->base + (key >> START_SHIFT),
		.debug_frame = key >> SECTION_SHIFT & 1,
		.offset = (uint32_t)key & FDE_OFFSET_MAX,
	};
}

static bool is_sorted(const struct fde_list *list)
{
	size_t i;

	for (i = 1; i < list->count; i++) {
		if (list->keys[i - 1] > list->keys[i])
			return false;
	}
	return true;
}

/* One pass of a radix sort, which keeps the order of equal digits. */
static void sort_digit(const uint64_t *from, uint64_t *to, size_t count, unsigned int shift)
{
	size_t positions[DIGIT_COUNT] = { 0 }, i, sum = 0, here;

	for (i = 0; i < count; i++)
		positions[from[i] >> shift & (DIGIT_COUNT - 1)]++;
	for (i = 0; i < DIGIT_COUNT; i++) {
		here = positions[i];
		positions[i] = sum;
		sum += here;
	}
	for (i = 0; i < count; i++)
		to[positions[from[i] >> shift & (DIGIT_COUNT - 1)]++] = from[i];
}

int fde_list_sort(struct fde_list *list)
{
	_cleanup_free_ uint64_t *other = NULL;
	unsigned int shift;
	uint64_t *swap;

	/*
	 * Keys are added section by section, each in order of offset, so their lower halves are
	 * sorted already and only the starts need to be.
	 */
	if (is_sorted(list))
		return 0;
	other = malloc(list->count * sizeof(*other));
	if (!other)
		return -ENOMEM;
	for (shift = START_SHIFT; shift < 64; shift += DIGIT_BITS) {
		sort_digit(list->keys, other, list->count, shift);
		swap = list->keys;
		list->keys = other;
		other = swap;
	}
	list->capacity = list->count;
	return 0;
}

void fde_list_done(struct fde_list *list)
{
	free(list->keys);
	*list = (struct fde_list){ 0 };
}
