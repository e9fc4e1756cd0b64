/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * window.h - the samples of one stretch of time, merged, with frames as (module, ELF address).
 *
 * Self-contained: tasks, stacks, details and texts are in it by content id. One arena, freed
 * whole. Knows no maps and no names. Windows merge into longer ones.
 */
#ifndef WICK_WINDOW_H
#define WICK_WINDOW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "bpf/sample_abi.h"
#include "profiler/base/cleanup.h"

struct window;

struct window_stack {
	uint64_t id;
	uint32_t count;			/* frames, leaf first */
	uint16_t stop;			/* enum unwind_stop */
	uint16_t is_kernel;
	uint32_t flags;			/* enum unwind_flag */
	uint32_t pid;			/* of the instance its raw frames belong to, else 0 */
	uint64_t start_ns;
	const uint64_t *frames;		/* kernel: addresses; user: unwind_frame() */
};

/* A label's, as it was read: any bytes, without NUL at the end. */
struct window_text {
	uint32_t bytes;
	const char *text;
};

struct window_sample {
	struct wick_key key;
	uint32_t source;
	uint32_t reserved;
	struct wick_value value;
};

#define WINDOW_CPU_UNKNOWN UINT32_MAX

/* EVENTS delivery. */
struct window_event {
	struct window_sample sample;
	uint64_t time_ns;		/* CLOCK_MONOTONIC */
	uint32_t cpu;			/* or WINDOW_CPU_UNKNOWN */
	const struct probe_values *values;	/* of a probe: what it read; NULL: nothing */
};

/* As far as it is used. */
static inline size_t probe_values_size(const struct probe_values *values)
{
	return PROBE_VALUES_HEAD_BYTES + values->text_bytes;
}

/* @bytes_max: stacks over it are kept as lost ones, counted; 0: no limit. NULL: no memory. */
struct window *window_new(uint64_t bytes_max);
struct window *window_free(struct window *window);
DEFINE_CLEANUP(struct window *, window_free)

/* Contents are copied. Each returns 0 (also when it was there already) or -ENOMEM. */
int window_add_task(struct window *window, uint64_t id, const struct wick_task *task);
int window_add_stack(struct window *window, const struct window_stack *stack);
int window_add_detail(struct window *window, uint64_t id, const struct wick_detail *detail);
int window_add_text(struct window *window, uint64_t id, const struct window_text *text);
/* Adds to the value of an equal key of the same source. */
int window_add_sample(struct window *window, const struct window_sample *sample);
int window_add_event(struct window *window, const struct window_event *event);
/* Tasks, stacks, details and texts of @from into @window, no samples. */
int window_add_contents(struct window *window, const struct window *from);
/*
 * Everything of @from into @window; @from is unchanged. Returns 0 or -ENOMEM: then *@ret_lost of
 * the samples of @from are not in @window, and the others are.
 */
int window_merge(struct window *window, const struct window *from, uint64_t *ret_lost);

const struct wick_task *window_task(const struct window *window, uint64_t id);
const struct window_stack *window_stack(const struct window *window, uint64_t id);
const struct wick_detail *window_detail(const struct window *window, uint64_t id);
/* NULL for WICK_TEXT_LOST, too. */
const struct window_text *window_text(const struct window *window, uint64_t id);
/* Walk the samples: start with *@position 0; false at the end. Events are not among them. */
bool window_next_sample(const struct window *window, size_t *position, struct window_sample *ret);
/* The same for stacks, tasks and details; NULL at the end. */
const struct window_stack *window_next_stack(const struct window *window, size_t *position);
const struct wick_task *window_next_task(const struct window *window, size_t *position);
const struct wick_detail *window_next_detail(const struct window *window, size_t *position);
const struct window_event *window_events(const struct window *window, size_t *ret_count);

void window_set_time(struct window *window, uint64_t start_ns, uint64_t end_ns);
uint64_t window_start_ns(const struct window *window);
uint64_t window_end_ns(const struct window *window);
/* Count @samples as ones whose stack was not kept. */
void window_add_shed(struct window *window, uint64_t samples);
/* Samples (counts, not keys) in it, events included. */
uint64_t window_sample_count(const struct window *window);
/* Samples whose stack was not kept because of bytes_max. */
uint64_t window_shed_count(const struct window *window);
size_t window_bytes(const struct window *window);

#endif
