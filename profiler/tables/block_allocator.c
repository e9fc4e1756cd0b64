/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Two sorted lists of runs, free and retired. Room in both for every run that
 * is out is made when one is taken, so that giving back needs no memory.
 */
#include "profiler/tables/block_allocator.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "profiler/base/alloc.h"

struct run {
	uint32_t first, count;
	uint64_t retired_ns;
};

struct run_list {
	struct run *runs;	/* by first */
	size_t count, capacity;
};

struct block_allocator {
	struct run_list free;		/* no two of them touch */
	struct run_list retired;
	size_t taken_count;		/* runs that are out, the retired ones too */
	uint32_t count, free_count;
};

struct block_allocator *block_allocator_new(uint32_t count)
{
	_cleanup_(block_allocator_freep) struct block_allocator *allocator =
		calloc(1, sizeof(*allocator));

	if (!allocator || block_allocator_grow(allocator, count) < 0)
		return NULL;
	return take_ptr(allocator);
}

struct block_allocator *block_allocator_free(struct block_allocator *allocator)
{
	if (!allocator)
		return NULL;
	free(allocator->free.runs);
	free(allocator->retired.runs);
	free(allocator);
	return NULL;
}

/* Index of the first run that begins after @block. */
static size_t list_search(const struct run_list *list, uint32_t block)
{
	size_t low = 0, high = list->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (list->runs[middle].first <= block)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void list_insert(struct run_list *list, size_t index, struct run run)
{
	assert(list->count < list->capacity);
	memmove(list->runs + index + 1, list->runs + index,
		(list->count - index) * sizeof(*list->runs));
	list->runs[index] = run;
	list->count++;
}

static void list_remove(struct run_list *list, size_t index)
{
	list->count--;
	memmove(list->runs + index, list->runs + index + 1,
		(list->count - index) * sizeof(*list->runs));
}

/*
 * Between @runs runs that are out lie at most one more free ones, and the last of
 * these may be new.
 */
static int allocator_reserve(struct block_allocator *allocator, size_t runs)
{
	int r = alloc_grow(&allocator->free.runs, &allocator->free.capacity, runs + 2);

	if (r < 0)
		return r;
	return alloc_grow(&allocator->retired.runs, &allocator->retired.capacity, runs);
}

void block_allocator_give(struct block_allocator *allocator, uint32_t first, uint32_t count)
{
	struct run_list *list = &allocator->free;
	size_t index = list_search(list, first);
	struct run *before = index > 0 ? &list->runs[index - 1] : NULL;
	struct run *after = index < list->count ? &list->runs[index] : NULL;

	assert(!before || before->first + before->count <= first);
	assert(!after || first + count <= after->first);
	allocator->taken_count--;
	allocator->free_count += count;
	if (after && after->first == first + count) {
		count += after->count;
		list_remove(list, index);
	}
	if (before && before->first + before->count == first)
		before->count += count;
	else
		list_insert(list, index, (struct run){ .first = first, .count = count });
}

int block_allocator_grow(struct block_allocator *allocator, uint32_t count)
{
	int r;

	if (!count)
		return 0;
	if (count > UINT32_MAX - allocator->count)
		return -ENOMEM;
	r = allocator_reserve(allocator, allocator->taken_count + 1);
	if (r < 0)
		return r;
	allocator->taken_count++;
	allocator->count += count;
	block_allocator_give(allocator, allocator->count - count, count);
	return 0;
}

void block_allocator_shrink(struct block_allocator *allocator, uint32_t count)
{
	struct run_list *list = &allocator->free;

	if (!count)
		return;
	assert(block_allocator_tail(allocator) >= count);
	allocator->count -= count;
	allocator->free_count -= count;
	list->runs[list->count - 1].count -= count;
	if (!list->runs[list->count - 1].count)
		list_remove(list, list->count - 1);
}

int block_allocator_take(struct block_allocator *allocator, uint32_t count, uint32_t *ret_first)
{
	struct run_list *list = &allocator->free;
	size_t index;
	int r;

	for (index = 0; index < list->count; index++)
		if (list->runs[index].count >= count)
			break;
	if (index == list->count)
		return -ENOSPC;
	r = allocator_reserve(allocator, allocator->taken_count + 1);
	if (r < 0)
		return r;
	allocator->taken_count++;
	allocator->free_count -= count;
	*ret_first = list->runs[index].first;
	list->runs[index].first += count;
	list->runs[index].count -= count;
	if (!list->runs[index].count)
		list_remove(list, index);
	return 0;
}

void block_allocator_retire(struct block_allocator *allocator, uint32_t first, uint32_t count,
			    uint64_t now_ns)
{
	struct run run = { .first = first, .count = count, .retired_ns = now_ns };

	list_insert(&allocator->retired, list_search(&allocator->retired, first), run);
}

uint32_t block_allocator_collect(struct block_allocator *allocator, uint64_t time_ns)
{
	struct run_list *list = &allocator->retired;
	uint32_t count = 0;
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct run run = list->runs[i];

		if (run.retired_ns > time_ns) {
			list->runs[kept++] = run;
			continue;
		}
		block_allocator_give(allocator, run.first, run.count);
		count += run.count;
	}
	list->count = kept;
	return count;
}

uint32_t block_allocator_count(const struct block_allocator *allocator)
{
	return allocator->count;
}

uint32_t block_allocator_free_count(const struct block_allocator *allocator)
{
	return allocator->free_count;
}

uint32_t block_allocator_longest(const struct block_allocator *allocator)
{
	uint32_t longest = 0;

	for (size_t i = 0; i < allocator->free.count; i++)
		if (allocator->free.runs[i].count > longest)
			longest = allocator->free.runs[i].count;
	return longest;
}

uint32_t block_allocator_longest_soon(const struct block_allocator *allocator)
{
	const struct run_list *lists[] = { &allocator->free, &allocator->retired };
	size_t at[2] = { 0, 0 };
	uint32_t longest = 0, length = 0, end = 0;

	/* Both are sorted and share no block: walk them as one. */
	while (at[0] < lists[0]->count || at[1] < lists[1]->count) {
		const struct run *run;
		int from = at[0] == lists[0]->count ||
			   (at[1] < lists[1]->count &&
			    lists[1]->runs[at[1]].first < lists[0]->runs[at[0]].first);

		run = &lists[from]->runs[at[from]++];
		length = run->first == end ? length + run->count : run->count;
		end = run->first + run->count;
		if (length > longest)
			longest = length;
	}
	return longest;
}

uint32_t block_allocator_tail(const struct block_allocator *allocator)
{
	const struct run_list *list = &allocator->free;
	const struct run *last = list->count ? &list->runs[list->count - 1] : NULL;

	return last && last->first + last->count == allocator->count ? last->count : 0;
}

size_t block_allocator_bytes(const struct block_allocator *allocator)
{
	return sizeof(*allocator) +
	       (allocator->free.capacity + allocator->retired.capacity) * sizeof(struct run);
}
