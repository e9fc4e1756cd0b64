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
};

/* A new event in the arena; its names are missing. Returns 0 or -ENOMEM. */
int event_fill(const struct event_fill *fill, const struct window_event *event,
	       const struct profile_sample *sample, struct traced_event **ret);
/* How much memory it takes, about. */
size_t event_bytes(const struct traced_event *event);

#endif
