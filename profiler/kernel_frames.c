/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/kernel_frames.h"

#include <string.h>

#include "formats/profile.h"
#include "profiler/probes/probe_set.h"
#include "profiler/resolve.h"

/* From a function's begin to behind its call of a trampoline. */
#define FUNCTION_ENTRY_BYTES 16
#define TRACING_FRAMES_MAX 12
/* Where modules and code that is made at run time begin, on x86-64, where the kernel may be anywhere. */
#define MODULES_BEGIN 0xffffffffc0000000

void kernel_frames_init(struct kernel_frames *frames, const struct resolve_options *options,
			struct locations *locations, struct profile_builder *builder)
{
	*frames = (struct kernel_frames){ .locations = locations, .builder = builder };
	for (size_t i = 0; i < options->source_count && i < KERNEL_TRAMPOLINES_MAX; i++) {
		const struct source *source = options->sources[i];
		const struct probe_set *set = source->in_tracepoint ? source->probes : NULL;

		if (set && set->count && set->places[0].address)
			frames->trampolines[frames->trampoline_count++] = set->places[0].address;
	}
}

/* ---- names ---- */

/* Code of the kernel that a program on a tracepoint is called through. */
static bool is_tracing_code(const char *function)
{
	static const char *const prefixes[] = { "bpf_prog_", "bpf_trace_run", "__bpf_trace_",
						"__traceiter_", "bpf_get_stack", "trace_call_bpf",
						"perf_trace_", "bpf_overflow_handler" };

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (!strncmp(function, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

/* What every wait ends in; the kernel leaves it out of stacks of tasks that sleep, too. */
static bool is_scheduler_code(const char *function)
{
	static const char *const names[] = { "__schedule", "schedule", "schedule_timeout",
					     "schedule_hrtimeout_range",
					     "schedule_hrtimeout_range_clock",
					     "schedule_preempt_disabled", "io_schedule",
					     "io_schedule_timeout" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(function, names[i]))
			return true;
	return false;
}

bool kernel_frames_is_return(const char *function)
{
	return !strcmp(function, "kretprobe_trampoline") ||
	       !strcmp(function, "__kretprobe_trampoline");
}

static const char *name_of(const struct kernel_frames *frames, const struct window_stack *stack,
			   uint32_t index)
{
	struct location_info info;

	if (locations_find(frames->locations, stack, index, false, &info) < 0)
		return "";
	return profile_builder_text(frames->builder, info.name);
}

/* ---- trampolines ---- */

static bool is_at_begin(const struct window_stack *stack, uint32_t index, uint64_t function)
{
	return stack->frames[index] - function < FUNCTION_ENTRY_BYTES;
}

/*
 * Whether a function calls its trampoline at frame @index, the first thing it does. An interrupt may hit
 * it there, too: that is the kernel's own code.
 */
static bool calls_trampoline(const struct kernel_frames *frames, const struct window_stack *stack,
			     uint32_t index)
{
	for (size_t i = 0; i < frames->trampoline_count && index && index < stack->count; i++)
		if (is_at_begin(stack, index, frames->trampolines[i]) &&
		    stack->frames[index - 1] >= MODULES_BEGIN)
			return true;
	return false;
}

bool kernel_frames_skip(const struct kernel_frames *frames, const struct window_stack *stack,
			uint32_t first, uint32_t index)
{
	if (calls_trampoline(frames, stack, index + 1))
		return true;
	/* By fexit the trampoline calls the function, which has its frame already. */
	return index >= first + 2 && calls_trampoline(frames, stack, index) &&
	       !strcmp(name_of(frames, stack, index), name_of(frames, stack, index - 2));
}

/* ---- the leaf ---- */

/* How many frames say only how the sample came about, by their names. */
static uint32_t tracing_frames(const struct kernel_frames *frames, const struct source *source,
			       const struct window_stack *stack)
{
	uint32_t skip = 0;

	for (uint32_t i = 0; i < stack->count && i < TRACING_FRAMES_MAX; i++) {
		const char *name = name_of(frames, stack, i);

		/* Further out it is a probe's, and not that of the sample. */
		if (calls_trampoline(frames, stack, i + 1))
			break;
		if (is_tracing_code(name) || (source->in_scheduler && is_scheduler_code(name)))
			skip = i + 1;
	}
	return skip;
}

uint32_t kernel_frames_first(const struct kernel_frames *frames, const struct source *source,
			     const struct window_stack *stack, const struct probe_place *place)
{
	if (!source->in_tracepoint)
		return 0;
	for (uint32_t i = 0; place && place->address && i < stack->count; i++)
		if (i < TRACING_FRAMES_MAX && is_at_begin(stack, i, place->address))
			return i;
	return tracing_frames(frames, source, stack);
}
