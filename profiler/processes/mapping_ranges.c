/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/processes/mapping_ranges.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "profiler/base/hashmap.h"
#include "profiler/tables/block_allocator.h"

struct range {
	uint32_t count;
	uint32_t users;			/* PIDs known to use it */
	uint64_t retired_ns;		/* when the last one left */
	bool marked;
};

struct mapping_ranges {
	struct block_allocator *blocks;	/* of one mapping each */
	struct hashmap *ranges;		/* first mapping to struct range */
	struct hashmap *users;		/* PID to first mapping */
	uint32_t retired_count;
};

struct mapping_ranges *mapping_ranges_new(uint32_t limit)
{
	_cleanup_(mapping_ranges_freep) struct mapping_ranges *ranges = calloc(1, sizeof(*ranges));

	if (!ranges)
		return NULL;
	ranges->blocks = block_allocator_new(limit);
	ranges->ranges = hashmap_new(sizeof(uint32_t), sizeof(struct range));
	ranges->users = hashmap_new(sizeof(uint32_t), sizeof(uint32_t));
	if (!ranges->blocks || !ranges->ranges || !ranges->users)
		return NULL;
	return take_ptr(ranges);
}

struct mapping_ranges *mapping_ranges_free(struct mapping_ranges *ranges)
{
	if (!ranges)
		return NULL;
	block_allocator_free(ranges->blocks);
	hashmap_free(ranges->ranges);
	hashmap_free(ranges->users);
	free(ranges);
	return NULL;
}

static void range_leave(struct mapping_ranges *ranges, uint32_t first, uint64_t now_ns)
{
	struct range *range = hashmap_find(ranges->ranges, &first);

	assert(range && range->users > 0);
	if (--range->users)
		return;
	range->retired_ns = now_ns;
	ranges->retired_count += range->count;
}

static void range_join(struct mapping_ranges *ranges, uint32_t first)
{
	struct range *range = hashmap_find(ranges->ranges, &first);

	assert(range);
	if (!range->users++)
		ranges->retired_count -= range->count;
}

/* Make @pid a user of @first, which is a range, in place of what it used. */
static int user_set(struct mapping_ranges *ranges, uint32_t pid, uint32_t first, uint64_t now_ns)
{
	void *slot;
	int r = hashmap_add(ranges->users, &pid, &slot);

	if (r < 0)
		return r;
	range_join(ranges, first);
	if (!r)
		range_leave(ranges, *(uint32_t *)slot, now_ns);
	*(uint32_t *)slot = first;
	return 0;
}

int mapping_ranges_take(struct mapping_ranges *ranges, uint32_t pid, uint32_t count,
			uint64_t now_ns, uint32_t *ret_first)
{
	uint32_t first;
	void *slot;
	int r;

	r = block_allocator_take(ranges->blocks, count, &first);
	if (r < 0)
		return r;
	r = hashmap_add(ranges->ranges, &first, &slot);
	if (r < 0) {
		block_allocator_give(ranges->blocks, first, count);
		return r;
	}
	/* Without users, that is retired, until somebody joins. */
	*(struct range *)slot = (struct range){ .count = count, .retired_ns = now_ns };
	ranges->retired_count += count;
	r = user_set(ranges, pid, first, now_ns);
	if (r < 0)
		return r;
	*ret_first = first;
	return 0;
}

int mapping_ranges_share(struct mapping_ranges *ranges, uint32_t parent, uint32_t child,
			 uint64_t now_ns)
{
	const uint32_t *first = hashmap_find(ranges->users, &parent);

	return first ? user_set(ranges, child, *first, now_ns) : 0;
}

void mapping_ranges_drop(struct mapping_ranges *ranges, uint32_t pid, uint64_t now_ns)
{
	const uint32_t *first = hashmap_find(ranges->users, &pid);

	if (!first)
		return;
	range_leave(ranges, *first, now_ns);
	hashmap_remove(ranges->users, &pid);
}

void mapping_ranges_mark_begin(struct mapping_ranges *ranges)
{
	size_t position = 0;
	void *range;

	while (hashmap_next(ranges->ranges, &position, NULL, &range))
		((struct range *)range)->marked = false;
}

void mapping_ranges_mark(struct mapping_ranges *ranges, uint32_t first)
{
	struct range *range = hashmap_find(ranges->ranges, &first);

	if (range)
		range->marked = true;
}

uint32_t mapping_ranges_sweep(struct mapping_ranges *ranges, uint64_t time_ns)
{
	_cleanup_free_ uint32_t *dead = NULL;
	size_t position = 0, capacity = 0, dead_count = 0;
	const void *first;
	uint32_t count = 0;
	void *value;

	while (hashmap_next(ranges->ranges, &position, &first, &value)) {
		const struct range *range = value;

		if (range->users || range->marked || range->retired_ns > time_ns)
			continue;
		/* A walk allows no removal. Without memory the rest waits for the next time. */
		if (alloc_grow(&dead, &capacity, dead_count + 1) < 0)
			break;
		memcpy(&dead[dead_count++], first, sizeof(*dead));
	}
	for (size_t i = 0; i < dead_count; i++) {
		const struct range *range = hashmap_find(ranges->ranges, &dead[i]);

		count += range->count;
		block_allocator_give(ranges->blocks, dead[i], range->count);
		hashmap_remove(ranges->ranges, &dead[i]);
	}
	ranges->retired_count -= count;
	return count;
}

uint32_t mapping_ranges_used(const struct mapping_ranges *ranges)
{
	return block_allocator_count(ranges->blocks) - block_allocator_free_count(ranges->blocks);
}

uint32_t mapping_ranges_retired(const struct mapping_ranges *ranges)
{
	return ranges->retired_count;
}

bool mapping_ranges_next_user(const struct mapping_ranges *ranges, size_t *position,
			      uint32_t *ret_pid)
{
	const void *pid;

	if (!hashmap_next(ranges->users, position, &pid, NULL))
		return false;
	memcpy(ret_pid, pid, sizeof(*ret_pid));
	return true;
}

size_t mapping_ranges_bytes(const struct mapping_ranges *ranges)
{
	return sizeof(*ranges) + block_allocator_bytes(ranges->blocks) +
	       hashmap_bytes(ranges->ranges) + hashmap_bytes(ranges->users);
}
