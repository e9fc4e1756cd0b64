/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * event_stream.h - windows of events to batches of them, with names, in order of time.
 *
 * Used by the processing thread, which never waits for who takes the batches: what does not fit is
 * dropped and counted. Once there is nothing left to capture it may wait.
 *
 * An event of a window that is still to come is later than the end of this one: its program read the
 * new generation before it read the clock, and the end was taken before the generation changed.
 * So what is earlier than the end goes on, sorted, and what is later waits for the next window.
 */
#ifndef WICK_EVENT_STREAM_H
#define WICK_EVENT_STREAM_H

#include <stdint.h>
#include "profiler/base/cleanup.h"
#include "profiler/events.h"
#include "profiler/resolve.h"

struct event_stream;
struct queue;

struct event_stream_options {
	struct resolve_options resolve;	/* window and what takes samples are its own */
	bool with_stacks;
	struct queue *out;		/* of struct event_batch; closed when all is in it */
	uint64_t bytes_max;		/* of batches that nobody has taken */
	/* The kernel has the same limits, but lets some more through. */
	uint64_t events_max;		/* 0: as many as there are */
	uint32_t events_per_second;	/* 0: no limit */
};

struct event_stream_stats {
	struct resolve_stats resolved;	/* also of what is lost or left out after that */
	uint64_t reported;		/* events that are in batches, taken or not yet */
	uint64_t lost_late;		/* events nobody took in time */
	uint64_t lost_memory;
	uint64_t limited;		/* events beyond what was asked for */
};

/* The symbolizer becomes the stream's own, also when this fails. */
int event_stream_new(const struct event_stream_options *options, struct event_stream **ret);
/* The queue must not be taken from any more. */
struct event_stream *event_stream_free(struct event_stream *stream);
DEFINE_CLEANUP(struct event_stream *, event_stream_free)

/* The events of @window, which is unchanged. @jit_maps: of the processes in it. */
void event_stream_add(struct event_stream *stream, const struct window *window,
		      struct jit_maps *jit_maps);
/* There will be no more: what is left goes on, and the queue is closed. */
void event_stream_end(struct event_stream *stream);

/* Any thread: nothing is captured any more. */
void event_stream_set_stopping(struct event_stream *stream);
/* Any thread: a batch was taken from the queue. */
void event_stream_note_taken(struct event_stream *stream, const struct event_batch *batch);
/* When the thread has ended. */
const struct symbolizer *event_stream_symbolizer(const struct event_stream *stream);
/* Any thread, but for .resolved, which is for when the thread has ended. */
void event_stream_stats(const struct event_stream *stream, struct event_stream_stats *ret);

#endif
