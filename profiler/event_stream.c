/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/event_stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "profiler/base/alloc.h"
#include "profiler/base/arena.h"
#include "profiler/base/queue.h"
#include "profiler/event_fill.h"

#define NS_PER_SECOND 1000000000ull
/* How often the last batches try to get into the queue. */
#define ROOM_PAUSE_NS 10000000
/* Of memory for events: most windows have few. */
#define STORE_CHUNK_BYTES 8192

/* What the events of a window point to; as many references as there are of these. */
struct event_store {
	unsigned int references;
	struct arena *arena;
	struct profile *names;
	uint64_t event_bytes;		/* of all this, for each of its events */
};

struct event_stream {
	struct event_stream_options options;
	struct event_batch held;	/* events that later ones may have to go before */
	struct event_stream_stats stats;
	uint64_t waiting_bytes;		/* of batches in the queue */
	uint64_t passed;		/* events that went on */
	uint64_t second_ns, second_count;	/* since when, and how many since then */
	bool stopping;
};

/* What a window's events are made with. */
struct filling {
	struct event_stream *stream;
	struct event_store *store;
	struct profile_builder *builder;
	struct event_fill fill;
	uint64_t count;			/* samples that are in */
};

/* ---- memory ---- */

static struct event_store *store_put(struct event_store *store)
{
	if (!store || __atomic_sub_fetch(&store->references, 1, __ATOMIC_ACQ_REL))
		return NULL;
	arena_free(store->arena);
	profile_free(store->names);
	free(store);
	return NULL;
}
DEFINE_CLEANUP(struct event_store *, store_put)

static struct event_store *store_new(void)
{
	_cleanup_(store_putp) struct event_store *store = calloc(1, sizeof(*store));

	if (!store)
		return NULL;
	store->references = 1;
	store->arena = arena_new(STORE_CHUNK_BYTES);
	return store->arena ? take_ptr(store) : NULL;
}

static void batch_done(struct event_batch *batch)
{
	for (size_t i = 0; i < batch->count; i++)
		store_put(batch->events[i]->store);
	free(batch->events);
	*batch = (struct event_batch){ 0 };
}

struct event_batch *event_batch_free(struct event_batch *batch)
{
	if (batch)
		batch_done(batch);
	free(batch);
	return NULL;
}

int event_stream_new(const struct event_stream_options *options, struct event_stream **ret)
{
	struct event_stream *s = calloc(1, sizeof(*s));

	if (!s)
		symbolizer_free(options->resolve.symbolizer);
	if (!s)
		return -ENOMEM;
	s->options = *options;
	*ret = s;
	return 0;
}

struct event_stream *event_stream_free(struct event_stream *s)
{
	void *item;

	if (!s)
		return NULL;
	queue_close(s->options.out);
	while (!queue_take(s->options.out, 0, &item))
		event_batch_free(item);
	batch_done(&s->held);
	symbolizer_free(s->options.resolve.symbolizer);
	free(s);
	return NULL;
}

static void count_add(uint64_t *counter, uint64_t more)
{
	__atomic_add_fetch(counter, more, __ATOMIC_RELAXED);
}

/* ---- a window to events ---- */

static int take_event(void *context, const struct window_event *event,
		      const struct profile_sample *sample)
{
	struct filling *f = context;
	struct event_batch *held = &f->stream->held;
	struct traced_event *added;
	int r = alloc_grow(&held->events, &held->capacity, held->count + 1);

	r = r ?: event_fill(&f->fill, event, sample, &added);
	if (r < 0)
		return r;
	added->store = f->store;
	__atomic_add_fetch(&f->store->references, 1, __ATOMIC_RELAXED);
	held->events[held->count++] = added;
	f->count += event->sample.value.count;
	return 0;
}

/* Events of @from on have the names that were made for them. */
static int finish_names(struct filling *f, size_t from)
{
	struct event_batch *held = &f->stream->held;
	bool with_stacks = f->fill.with_stacks;
	uint64_t bytes = arena_bytes(f->store->arena) +
			 (with_stacks ? profile_builder_bytes(f->builder) : 0);
	int r = with_stacks ? profile_builder_finish(f->builder, &f->store->names) : 0;

	for (size_t i = from; i < held->count && !r; i++)
		held->events[i]->names = f->store->names;
	if (held->count > from)
		f->store->event_bytes = bytes / (held->count - from);
	/* They would say less than they should; it is counted. */
	for (; held->count > from && r < 0; held->count--)
		store_put(held->events[held->count - 1]->store);
	f->count = r < 0 ? 0 : f->count;
	return r;
}

static int fill_window(struct filling *f, const struct window *window,
		       struct jit_maps *jit_maps)
{
	struct resolve_options options = f->stream->options.resolve;
	size_t before = f->stream->held.count;
	struct resolve_stats seen;
	int r;

	f->fill = (struct event_fill){ .resolve = &options, .builder = f->builder,
				       .arena = f->store->arena,
				       .with_stacks = f->stream->options.with_stacks };
	options.window = window;
	options.jit_maps = jit_maps;
	options.take = take_event;
	options.take_context = f;
	r = resolve_window(&options, f->builder, &seen);
	if (!r)
		resolve_stats_add(&f->stream->stats.resolved, &seen);
	/* What came before a failure is good. */
	return finish_names(f, before) ?: r;
}

static int compare_times(const void *a, const void *b)
{
	const struct traced_event *x = *(struct traced_event *const *)a,
				  *y = *(struct traced_event *const *)b;

	return x->time_ns < y->time_ns ? -1 : x->time_ns > y->time_ns;
}

/* ---- limits ---- */

/* A second begins with the first event after the one before it. */
static bool is_over_rate(struct event_stream *s, const struct traced_event *event)
{
	if (!s->options.events_per_second)
		return false;
	if (event->time_ns - s->second_ns >= NS_PER_SECOND) {
		s->second_ns = event->time_ns;
		s->second_count = 0;
	}
	return s->second_count++ >= s->options.events_per_second;
}

/* Returns whether one of @batch was the last that is wanted. */
static bool apply_limits(struct event_stream *s, struct event_batch *batch)
{
	uint64_t most = s->options.events_max;
	size_t kept = 0;

	for (size_t i = 0; i < batch->count; i++) {
		struct traced_event *event = batch->events[i];

		if ((most && s->passed == most) || is_over_rate(s, event)) {
			count_add(&s->stats.limited, event->count);
			store_put(event->store);
			continue;
		}
		s->passed++;
		batch->events[kept++] = event;
	}
	batch->count = kept;
	return most && s->passed == most;
}

/* ---- going on ---- */

static bool has_room(struct event_stream *s, const struct event_batch *batch)
{
	uint64_t waiting = __atomic_load_n(&s->waiting_bytes, __ATOMIC_RELAXED);

	return !waiting || waiting + batch->bytes <= s->options.bytes_max;
}

static int try_send(struct event_stream *s, struct event_batch *batch)
{
	int r;

	if (!has_room(s, batch))
		return -EAGAIN;
	/* Before: whoever takes it subtracts. */
	count_add(&s->waiting_bytes, batch->bytes);
	r = queue_add(s->options.out, batch);
	if (r < 0)
		__atomic_sub_fetch(&s->waiting_bytes, batch->bytes, __ATOMIC_RELAXED);
	return r;
}

static void batch_send(struct event_stream *s, struct event_batch *batch)
{
	const struct timespec pause = { .tv_nsec = ROOM_PAUSE_NS };
	uint64_t count = 0;
	int r;

	for (size_t i = 0; i < batch->count; i++) {
		batch->bytes += batch->events[i]->store->event_bytes;
		count += batch->events[i]->count;
	}
	r = try_send(s, batch);

	while (r == -EAGAIN && __atomic_load_n(&s->stopping, __ATOMIC_ACQUIRE)) {
		nanosleep(&pause, NULL);
		r = try_send(s, batch);
	}
	count_add(r ? &s->stats.lost_late : &s->stats.reported, count);
	if (r)
		event_batch_free(batch);
}

/* The first @count of those that are held. */
static struct event_batch *batch_take(struct event_stream *s, size_t count)
{
	struct event_batch *batch = calloc(1, sizeof(*batch));

	if (!batch || alloc_grow(&batch->events, &batch->capacity, count) < 0)
		return event_batch_free(batch);
	memcpy(batch->events, s->held.events, count * sizeof(*batch->events));
	batch->count = count;
	s->held.count -= count;
	memmove(s->held.events, s->held.events + count,
		s->held.count * sizeof(*batch->events));
	return batch;
}

static void held_drop(struct event_stream *s)
{
	for (size_t i = 0; i < s->held.count; i++)
		count_add(&s->stats.lost_memory, s->held.events[i]->count);
	batch_done(&s->held);
}

/* What is earlier than @end_ns. */
static void held_send(struct event_stream *s, uint64_t end_ns)
{
	struct event_batch *batch;
	size_t count = 0;
	bool was_last;

	if (s->held.count)
		qsort(s->held.events, s->held.count, sizeof(*s->held.events), compare_times);
	while (count < s->held.count && s->held.events[count]->time_ns < end_ns)
		count++;
	if (!count)
		return;
	batch = batch_take(s, count);
	if (!batch) {
		held_drop(s);
		return;
	}
	was_last = apply_limits(s, batch);
	if (batch->count)
		batch_send(s, batch);
	else
		event_batch_free(batch);
	if (was_last)
		queue_close(s->options.out);
}

void event_stream_add(struct event_stream *s, const struct window *window,
		      struct jit_maps *jit_maps)
{
	_cleanup_(profile_builder_freep) struct profile_builder *builder = profile_builder_new();
	_cleanup_(store_putp) struct event_store *store = store_new();
	struct filling f = { .stream = s, .store = store, .builder = builder };

	if (!builder || !store || fill_window(&f, window, jit_maps) < 0)
		count_add(&s->stats.lost_memory, window_sample_count(window) - f.count);
	held_send(s, window_end_ns(window));
}

void event_stream_end(struct event_stream *s)
{
	held_send(s, UINT64_MAX);
	queue_close(s->options.out);
}

void event_stream_set_stopping(struct event_stream *s)
{
	__atomic_store_n(&s->stopping, true, __ATOMIC_RELEASE);
}

void event_stream_note_taken(struct event_stream *s, const struct event_batch *batch)
{
	__atomic_sub_fetch(&s->waiting_bytes, batch->bytes, __ATOMIC_RELAXED);
}

const struct symbolizer *event_stream_symbolizer(const struct event_stream *s)
{
	return s->options.resolve.symbolizer;
}

void event_stream_stats(const struct event_stream *s, struct event_stream_stats *ret)
{
	*ret = s->stats;
}
