/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel_frames.h - which frames of kernel stacks are there only because somebody looks.
 *
 * Programs, what they are called through, and trampolines: those of our own probes lie between a function
 * and its caller, have no name once they are gone, and may be taken for what is before them in memory.
 */
#ifndef WICK_KERNEL_FRAMES_H
#define WICK_KERNEL_FRAMES_H

#include "profiler/locations.h"
#include "profiler/sources/source.h"

#define KERNEL_TRAMPOLINES_MAX 16

struct kernel_frames {
	struct locations *locations;
	struct profile_builder *builder;
	uint64_t trampolines[KERNEL_TRAMPOLINES_MAX];	/* functions that have one */
	size_t trampoline_count;
};

void kernel_frames_init(struct kernel_frames *frames, const struct resolve_options *options,
			struct locations *locations, struct profile_builder *builder);
/* Where @stack, of @source and taken at @place (or NULL), begins. */
uint32_t kernel_frames_first(const struct kernel_frames *frames, const struct source *source,
			     const struct window_stack *stack, const struct probe_place *place);
/* Whether frame @index of @stack, which begins at @first, is to be left out. */
bool kernel_frames_skip(const struct kernel_frames *frames, const struct window_stack *stack,
			uint32_t first, uint32_t index);
/* Code that a kretprobe has a function return to; the kernel knows no more of the stack before 5.15. */
bool kernel_frames_is_return(const char *function);

#endif
