/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace_format.h - events as text, JSON or a Chrome trace: a row for each format.
 *
 * Formats append to a text, which is written after every batch.
 */
#ifndef WICK_TRACE_FORMAT_H
#define WICK_TRACE_FORMAT_H

#include "profiler/base/hashmap.h"
#include "profiler/base/strbuf.h"
#include "profiler/events.h"

enum trace_clock { TRACE_WALL, TRACE_MONOTONIC, TRACE_RELATIVE };

/* How events are shown, and what a format remembers of those before. */
struct trace_view {
	enum trace_clock clock;
	int64_t offset_ns;		/* of the wall clock, to the monotonic one */
	uint64_t begin_ns;		/* when the run began */
	bool stack;
	bool has_header;		/* text: a line that says what the columns are */
	bool has_colors;
	struct hashmap *threads;	/* Chrome: those that have got a name */
	bool has_elements;		/* Chrome: a comma comes before the next */
};

struct trace_format {
	const char *name;
	enum trace_clock clock;		/* what times are of, unless it is said */
	/* Each may be NULL, but for @add. */
	void (*begin)(struct trace_view *view, struct strbuf *ret);
	void (*add)(struct trace_view *view, const struct traced_event *event,
		    struct strbuf *ret);
	void (*end)(struct trace_view *view, struct strbuf *ret);
};

extern const struct trace_format trace_text, trace_json, trace_chrome;

/* @time_ns of an event by the clock of @view. */
uint64_t trace_time_ns(const struct trace_view *view, uint64_t time_ns);
/* What a call came to: the value that is its result, or NULL. */
const struct event_value *trace_result(const struct traced_event *event);
/* The name and place of line @line of a location, leaf first. */
struct trace_frame {
	const char *function, *file, *module;	/* file and module: NULL when not known */
	int64_t line;
	bool is_inlined, is_kernel;
};
/* Frame number @index of the event's stack, inlined calls being frames; false after the last. */
bool trace_frame_at(const struct traced_event *event, size_t index, struct trace_frame *ret);

#endif
