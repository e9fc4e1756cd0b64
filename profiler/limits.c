/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/limits.h"

#include "bpf/sample_abi.h"

/* Bytes of kernel memory an entry costs, hash overhead included (measured by map fdinfo). */
#define COUNT_BYTES 128
#define PROCESS_BYTES 112
#define WAIT_BYTES 208
#define SEGMENT_BYTES ((uint64_t)WICK_SEGMENT_BLOCKS * sizeof(struct wick_block))

static uint32_t clamp(uint64_t value, uint32_t least, uint32_t most)
{
	return value < least ? least : value > most ? most : value;
}

static uint32_t power_of_two_below(uint64_t value)
{
	return 1u << (63 - __builtin_clzll(value | 1));
}

static void fill(uint32_t *limit, uint32_t value)
{
	if (!*limit)
		*limit = value;
}

void limits_fill(uint64_t memory, unsigned int cpus, unsigned int sources,
		 struct session_limits *l, uint64_t *ret_window_bytes)
{
	/* A ring must hold what a busy machine sends between two wake-ups of the drain. */
	uint64_t ring = (512ull << 10) * cpus + (1ull << 20);
	uint64_t share = memory / 16;

	fill(&l->ring_bytes,
	     clamp(power_of_two_below(ring < share ? ring : share), 1 << 18, 1 << 26));
	fill(&l->wakeup_bytes, l->ring_bytes / 4);
	fill(&l->counts, clamp(share / COUNT_BYTES / 2 / sources, 1024, 65536) / 2);
	fill(&l->sent, clamp(power_of_two_below(share / 8 / 8), 4096, 1 << 20));
	fill(&l->mappings, clamp(share / 4 / sizeof(struct wick_mapping), 4096, 1 << 20));
	fill(&l->waits, clamp(share / 4 / WAIT_BYTES, 1024, 65536));
	fill(&l->processes, clamp(share / 4 / PROCESS_BYTES, 1024, 65536));
	fill(&l->modules, clamp(share / 16 / sizeof(struct wick_module), 1024, 65536));
	fill(&l->rules, 16384);
	fill(&l->segments, clamp(memory / 2 / SEGMENT_BYTES, 1, WICK_SEGMENTS_MAX));
	fill(&l->copies_per_second, 4000);
	fill(&l->queue_items, 256);
	fill(&l->window_ms, 1000);
	*ret_window_bytes = memory / 4;
}
