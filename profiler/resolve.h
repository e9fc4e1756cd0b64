/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * resolve.h - a window to a profile: frames get names, tasks become labels.
 *
 * Knows windows, modules, the symbolizer and the profile model. Reads the window and keeps
 * nothing of it.
 */
#ifndef WICK_RESOLVE_H
#define WICK_RESOLVE_H

#include <stddef.h>
#include <stdint.h>
#include "formats/profile.h"
#include "profiler/labels/label_notes.h"
#include "profiler/processes/jit_maps.h"
#include "profiler/session.h"
#include "profiler/sources/source.h"
#include "profiler/window.h"
#include "symbolizer/symbolizer.h"

struct resolve_options {
	const struct window *window;
	const struct source *const *sources;	/* by index */
	/* Whose values its samples are: itself, or a composite. NULL: it has none. */
	const struct source *const *shown;
	size_t source_count;
	uint64_t labels;			/* that were asked for: session_label_bit() */
	struct symbolizer *symbolizer;
	/* A new reference to the module of that number, or NULL. */
	struct module *(*module)(void *context, uint32_t id);
	void *module_context;
	struct jit_maps *jit_maps;		/* or NULL */
	struct label_notes *label_notes;	/* for what labels say of cgroups and programs */
	uint32_t target_pid;			/* whose program names the profile; 0: nobody's */
	/*
	 * NULL: samples are added to the profile. Else each goes here instead, with its labels and
	 * locations, which are @builder's; @event is where it comes from, with time 0 for a count.
	 * Returns 0 or -ENOMEM, which ends it.
	 */
	int (*take)(void *context, const struct window_event *event,
		    const struct profile_sample *sample);
	void *take_context;
};

/* What was seen on the way, for the summary. */
struct resolve_stats {
	uint64_t samples, samples_user, complete;
	uint64_t frames, frames_named, frames_fde;	/* weighed by samples */
	uint64_t incomplete[UNWIND_STOP_COUNT];
	uint64_t no_stack[UNWIND_STOP_COUNT];	/* not among samples_user */
	uint64_t kernel_lost;		/* kernel stacks lost */
	uint64_t task_unresolved, stack_unresolved;	/* ids without content: a bug of ours */
	uint64_t samples_by_source[16];
};

/*
 * Add the value types of all sources to @builder, then all samples. Comments, time and
 * period are the caller's. Returns 0 or -ENOMEM.
 */
int resolve_window(const struct resolve_options *options, struct profile_builder *builder,
		   struct resolve_stats *ret);

/* Add up what was seen in several windows. */
void resolve_stats_add(struct resolve_stats *stats, const struct resolve_stats *more);

/* The text of an enum unwind_stop: "stack-read". */
const char *resolve_stop_text(unsigned int stop);

#endif
