/* SPDX-License-Identifier: BSD-2-Clause */
/* session_events.c - events of a session, one by one. */
#include <errno.h>

#include "profiler/events.h"
#include "profiler/session_private.h"

/* Batches that nobody has taken: some minutes of them, if they are small. */
#define BATCHES_MAX 4096

static struct module *module_by_id(void *context, uint32_t id)
{
	return tables_module(context, id);
}

int session_open_stream(struct session *s)
{
	struct symbolizer_options limits = { .cache_bytes = s->options.memory_bytes / 8,
					     .isolated = true };
	struct event_stream_options options = {
		.resolve = {
			.sources = s->rows,
			.shown = s->shown,
			.labels = s->options.labels,
			.source_count = s->source_count,
			.module = module_by_id,
			.module_context = s->tables,
			.label_notes = s->label_notes,
		},
		.with_stacks = s->options.stacks,
		.bytes_max = s->window_bytes,
		.events_max = s->options.events_max,
		.events_per_second = s->options.events_per_second,
	};

	if (!s->options.stream)
		return 0;
	s->events = queue_new(BATCHES_MAX);
	if (!s->events)
		return -ENOMEM;
	options.out = s->events;
	options.resolve.symbolizer = symbolizer_new(&limits);
	if (!options.resolve.symbolizer)
		return -ENOMEM;
	return event_stream_new(&options, &s->stream);
}

int session_next_events(struct session *s, int timeout_ms, struct event_batch **ret)
{
	void *item;
	int r = queue_take(s->events, timeout_ms, &item);

	if (r < 0)
		return r;
	event_stream_note_taken(s->stream, item);
	*ret = item;
	return 0;
}

bool session_events_are_spent(const struct session *s)
{
	const struct wick_control *control = bpf_maps_control(s->maps);

	return s->options.events_max &&
	       __atomic_load_n(&control->events_allowed, __ATOMIC_RELAXED) >= s->options.events_max;
}

int64_t session_clock_offset_ns(const struct session *s)
{
	return (int64_t)(s->start_realtime_ns - s->start_ns);
}

uint64_t session_begin_ns(const struct session *s)
{
	return s->start_ns;
}
