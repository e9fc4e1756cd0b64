/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * event_fill.h - an event of a window, with the labels and locations it was resolved to, for people.
 */
#ifndef WICK_EVENT_FILL_H
#define WICK_EVENT_FILL_H

#include "profiler/events.h"
#include "profiler/resolve.h"

struct arena;

struct event_fill {
	const struct resolve_options *resolve;
	struct profile_builder *builder;	/* whose labels and locations they are */
	struct arena *arena;			/* for all that is made */
	bool with_stacks;
};

/* A new event in the arena; the names of its locations are missing. Returns 0 or -ENOMEM. */
int event_fill(const struct event_fill *fill, const struct window_event *event,
	       const struct profile_sample *sample, struct traced_event **ret);
#endif
