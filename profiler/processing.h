/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * processing.h - the processing thread: merges the windows of a run into one, or passes each on.
 */
#ifndef WICK_PROCESSING_H
#define WICK_PROCESSING_H

#include <stdint.h>
#include "profiler/base/cleanup.h"
#include "profiler/base/queue.h"
#include "profiler/labels/label_notes.h"
#include "profiler/processes/jit_maps.h"
#include "profiler/window.h"

struct event_stream;
struct processing;

struct processing_options {
	struct queue *in;		/* of struct window, until it is closed and empty */
	uint64_t window_bytes;		/* the most that the run's window may take */
	/* Borrowed, and the thread's until it is joined. */
	struct label_notes *notes;
	struct event_stream *stream;	/* where windows go instead; NULL: into the run's */
};

int processing_new(const struct processing_options *options, struct processing **ret);
int processing_start(struct processing *processing);
void processing_join(struct processing *processing);
struct processing *processing_free(struct processing *processing);
DEFINE_CLEANUP(struct processing *, processing_free)

/* After processing_join(): all of the run that went nowhere else. */
const struct window *processing_window(const struct processing *processing);
/* The perf maps of the processes in it. */
struct jit_maps *processing_jit_maps(struct processing *processing);
/* Samples dropped because there was no memory to merge them. */
uint64_t processing_lost(const struct processing *processing);

#endif
