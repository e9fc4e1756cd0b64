/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/range_index.h"

#include <errno.h>
#include <stdlib.h>

#include "profiler/base/alloc.h"
#include "profiler/base/sorted.h"

/* All units of the largest programs have some hundred thousand; hostile ones share long lists. */
#define RANGES_MAX ((size_t)4 << 20)

int range_index_add(struct range_index *index, uint64_t start, uint64_t end, uint32_t value)
{
	int r;

	if (start >= end)
		return 0;
	if (index->count >= RANGES_MAX)
		return -EFBIG;
	r = alloc_grow(&index->ranges, &index->capacity, index->count + 1);
	if (r < 0)
		return r;
	index->ranges[index->count++] = (struct range){ start, end, value, RANGE_NONE };
	return 0;
}

static int compare_ranges(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	if (x->start != y->start)
		return x->start < y->start ? -1 : 1;
	if (x->end != y->end)
		return x->end > y->end ? -1 : 1;
	return x->value > y->value ? -1 : x->value < y->value;
}

void range_index_build(struct range_index *index)
{
	struct range *ranges = index->ranges;
	uint32_t i, outer;

	if (index->count)
		qsort(ranges, index->count, sizeof(*ranges), compare_ranges);
	for (i = 0; i < index->count; i++) {
		outer = i ? i - 1 : RANGE_NONE;
		while (outer != RANGE_NONE && ranges[outer].end <= ranges[i].start)
			outer = ranges[outer].outer;
		ranges[i].outer = outer;
	}
}

/* The last range that starts at or before @address. */
static uint32_t range_index_last(const struct range_index *index, uint64_t address)
{
	size_t count = sorted_count(index->ranges, index->count, start, address);

	return count ? (uint32_t)(count - 1) : RANGE_NONE;
}

const struct range *range_index_next(const struct range_index *index, uint64_t address,
				     uint32_t *position)
{
	uint32_t i;

	if (*position == RANGE_NONE)
		i = range_index_last(index, address);
	else
		i = index->ranges[*position].outer;
	while (i != RANGE_NONE && index->ranges[i].end <= address)
		i = index->ranges[i].outer;
	*position = i;
	return i == RANGE_NONE ? NULL : &index->ranges[i];
}

void range_index_done(struct range_index *index)
{
	free(index->ranges);
	*index = (struct range_index){ 0 };
}
