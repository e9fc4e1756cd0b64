/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/tables/table_segments.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "bpf/sample_abi.h"

#define SEGMENT_CELLS (1u << WICK_SEGMENT_SHIFT)
#define SEGMENT_BYTES (WICK_SEGMENT_BLOCKS * sizeof(struct wick_block))

_Static_assert(SEGMENT_BYTES == SEGMENT_CELLS * sizeof(uint32_t), "cells fill their segment");

struct table_segments {
	int outer_fd;
	uint32_t count, limit;
	uint32_t *cells[];	/* of each segment, mapped */
};

struct table_segments *table_segments_new(int outer_fd, uint32_t limit)
{
	struct table_segments *segments =
		calloc(1, sizeof(*segments) + limit * sizeof(segments->cells[0]));

	if (!segments)
		return NULL;
	segments->outer_fd = outer_fd;
	segments->limit = limit;
	return segments;
}

struct table_segments *table_segments_free(struct table_segments *segments)
{
	if (!segments)
		return NULL;
	for (uint32_t i = 0; i < segments->count; i++)
		munmap(segments->cells[i], SEGMENT_BYTES);
	free(segments);
	return NULL;
}

int table_segments_add(struct table_segments *segments)
{
	LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
	_cleanup_close_ int fd = -1;
	uint32_t index = segments->count;
	void *cells;
	int r;

	if (index >= segments->limit)
		return -ENOSPC;
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "wick_segment", sizeof(uint32_t),
			    sizeof(struct wick_block), WICK_SEGMENT_BLOCKS, &options);
	if (fd < 0)
		return fd;
	cells = mmap(NULL, SEGMENT_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (cells == MAP_FAILED)
		return -errno;
	/* From here on the map of maps and our mapping keep it. */
	r = bpf_map_update_elem(segments->outer_fd, &index, &fd, BPF_ANY);
	if (r < 0) {
		munmap(cells, SEGMENT_BYTES);
		return r;
	}
	segments->cells[segments->count++] = cells;
	return 0;
}

int table_segments_remove(struct table_segments *segments)
{
	uint32_t index = segments->count - 1;
	int r;

	assert(segments->count > 0);
	r = bpf_map_delete_elem(segments->outer_fd, &index);
	if (r < 0)
		return r;
	segments->count--;
	munmap(segments->cells[index], SEGMENT_BYTES);
	return 0;
}

uint32_t table_segments_count(const struct table_segments *segments)
{
	return segments->count;
}

uint32_t table_segments_cell(const struct table_segments *segments, uint32_t cell)
{
	assert(cell >> WICK_SEGMENT_SHIFT < segments->count);
	return segments->cells[cell >> WICK_SEGMENT_SHIFT][cell & (SEGMENT_CELLS - 1)];
}

void table_segments_write(struct table_segments *segments, uint32_t cell, const uint32_t *cells,
			  size_t count)
{
	while (count > 0) {
		uint32_t *to = segments->cells[cell >> WICK_SEGMENT_SHIFT];
		uint32_t first = cell & (SEGMENT_CELLS - 1);
		size_t part = count < SEGMENT_CELLS - first ? count : SEGMENT_CELLS - first;

		assert(cell >> WICK_SEGMENT_SHIFT < segments->count);
		memcpy(to + first, cells, part * sizeof(*cells));
		cell += part;
		cells += part;
		count -= part;
	}
}
