/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/window.h"

#include <errno.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "profiler/base/arena.h"
#include "profiler/base/hashmap.h"

struct sample_id {
	struct wick_key key;
	uint64_t source;
};

struct window {
	struct arena *arena;		/* frames and texts */
	struct hashmap *tasks;		/* id to struct wick_task */
	struct hashmap *stacks;		/* id to struct window_stack */
	struct hashmap *details;	/* id to struct wick_detail */
	struct hashmap *texts;		/* id to struct window_text */
	struct hashmap *samples;	/* struct sample_id to struct wick_value */
	struct window_event *events;
	size_t event_count, event_capacity;
	uint64_t bytes_max, start_ns, end_ns;
	uint64_t sample_count, shed_count;
};

struct window *window_new(uint64_t bytes_max)
{
	struct window *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	w->bytes_max = bytes_max;
	w->arena = arena_new(0);
	w->tasks = hashmap_new(sizeof(uint64_t), sizeof(struct wick_task));
	w->stacks = hashmap_new(sizeof(uint64_t), sizeof(struct window_stack));
	w->details = hashmap_new(sizeof(uint64_t), sizeof(struct wick_detail));
	w->texts = hashmap_new(sizeof(uint64_t), sizeof(struct window_text));
	w->samples = hashmap_new(sizeof(struct sample_id), sizeof(struct wick_value));
	if (!w->arena || !w->tasks || !w->stacks || !w->details || !w->texts || !w->samples)
		return window_free(w);
	return w;
}

struct window *window_free(struct window *w)
{
	if (!w)
		return NULL;
	arena_free(w->arena);
	hashmap_free(w->tasks);
	hashmap_free(w->stacks);
	hashmap_free(w->details);
	hashmap_free(w->texts);
	hashmap_free(w->samples);
	free(w->events);
	free(w);
	return NULL;
}

static int content_add(struct hashmap *map, uint64_t id, const void *content, size_t size)
{
	void *value;
	int r = hashmap_add(map, &id, &value);

	if (r > 0)
		memcpy(value, content, size);
	return r < 0 ? r : 0;
}

int window_add_task(struct window *w, uint64_t id, const struct wick_task *task)
{
	return content_add(w->tasks, id, task, sizeof(*task));
}

int window_add_detail(struct window *w, uint64_t id, const struct wick_detail *detail)
{
	return content_add(w->details, id, detail, sizeof(*detail));
}

int window_add_text(struct window *w, uint64_t id, const struct window_text *text)
{
	struct window_text added = { .bytes = text->bytes, .text = "" };

	if (hashmap_find(w->texts, &id))
		return 0;
	if (text->bytes) {
		added.text = arena_copy(w->arena, text->text, text->bytes);
		if (!added.text)
			return -ENOMEM;
	}
	return content_add(w->texts, id, &added, sizeof(added));
}

static bool window_is_full(const struct window *w)
{
	return w->bytes_max && window_bytes(w) >= w->bytes_max;
}

int window_add_stack(struct window *w, const struct window_stack *stack)
{
	const uint64_t *frames = NULL;
	struct window_stack *added;
	void *value;
	int r;

	if (window_is_full(w) || hashmap_find(w->stacks, &stack->id))
		return 0;
	if (stack->count) {
		frames = arena_copy(w->arena, stack->frames, stack->count * sizeof(*frames));
		if (!frames)
			return -ENOMEM;
	}
	r = hashmap_add(w->stacks, &stack->id, &value);
	if (r < 0)
		return r;
	added = value;
	*added = *stack;
	added->frames = frames;
	return 0;
}

/* A stack that was shed: the sample stays, under a stack that says it is lost. */
static uint64_t shed_stack(const struct window *w, uint64_t id)
{
	if (id < WICK_STACK_FIRST || hashmap_find(w->stacks, &id))
		return id;
	return WICK_STACK_LOST;
}

static void window_shed(struct window *w, struct wick_key *key, uint64_t count)
{
	uint64_t user = shed_stack(w, key->user_stack), kernel = shed_stack(w, key->kernel_stack);

	if (user == key->user_stack && kernel == key->kernel_stack)
		return;
	key->user_stack = user;
	key->kernel_stack = kernel;
	w->shed_count += count;
}

int window_add_sample(struct window *w, const struct window_sample *sample)
{
	struct sample_id id = { .key = sample->key, .source = sample->source };
	struct wick_value *value;
	void *found;
	int r;

	if (window_is_full(w))
		window_shed(w, &id.key, sample->value.count);
	r = hashmap_add(w->samples, &id, &found);
	if (r < 0)
		return r;
	value = found;
	value->count += sample->value.count;
	value->sum += sample->value.sum;
	w->sample_count += sample->value.count;
	return 0;
}

int window_add_event(struct window *w, const struct window_event *event)
{
	const struct probe_values *values = NULL;
	int r = alloc_grow(&w->events, &w->event_capacity, w->event_count + 1);

	if (r < 0)
		return r;
	if (event->values) {
		values = arena_copy(w->arena, event->values, probe_values_size(event->values));
		if (!values)
			return -ENOMEM;
	}
	w->events[w->event_count] = *event;
	w->events[w->event_count++].values = values;
	w->sample_count += event->sample.value.count;
	return 0;
}

int window_add_contents(struct window *w, const struct window *from)
{
	size_t position = 0;
	const void *key;
	void *value;
	int r;

	while (hashmap_next(from->tasks, &position, &key, &value)) {
		r = window_add_task(w, *(const uint64_t *)key, value);
		if (r < 0)
			return r;
	}
	position = 0;
	while (hashmap_next(from->details, &position, &key, &value)) {
		r = window_add_detail(w, *(const uint64_t *)key, value);
		if (r < 0)
			return r;
	}
	position = 0;
	while (hashmap_next(from->texts, &position, &key, &value)) {
		r = window_add_text(w, *(const uint64_t *)key, value);
		if (r < 0)
			return r;
	}
	position = 0;
	while (hashmap_next(from->stacks, &position, &key, &value)) {
		r = window_add_stack(w, value);
		if (r < 0)
			return r;
	}
	return 0;
}

/* As many as there is memory for: what fails for one may pass for the next. */
static int window_add_samples(struct window *w, const struct window *from)
{
	struct window_sample sample;
	size_t position = 0;
	int failed = 0, r;

	while (window_next_sample(from, &position, &sample)) {
		r = window_add_sample(w, &sample);
		failed = r < 0 ? r : failed;
	}
	for (size_t i = 0; i < from->event_count; i++) {
		r = window_add_event(w, &from->events[i]);
		failed = r < 0 ? r : failed;
	}
	return failed;
}

int window_merge(struct window *w, const struct window *from, uint64_t *ret_lost)
{
	uint64_t before = w->sample_count;
	int r = window_add_contents(w, from);

	/* Without their stacks they would say nothing. */
	if (!r)
		r = window_add_samples(w, from);
	if (r < 0)
		*ret_lost = from->sample_count - (w->sample_count - before);
	if (from->start_ns && (!w->start_ns || from->start_ns < w->start_ns))
		w->start_ns = from->start_ns;
	if (from->end_ns > w->end_ns)
		w->end_ns = from->end_ns;
	w->shed_count += from->shed_count;
	return r;
}

const struct wick_task *window_task(const struct window *w, uint64_t id)
{
	return hashmap_find(w->tasks, &id);
}

const struct wick_detail *window_detail(const struct window *w, uint64_t id)
{
	return hashmap_find(w->details, &id);
}

const struct window_text *window_text(const struct window *w, uint64_t id)
{
	return hashmap_find(w->texts, &id);
}

const struct window_stack *window_stack(const struct window *w, uint64_t id)
{
	return hashmap_find(w->stacks, &id);
}

bool window_next_sample(const struct window *w, size_t *position, struct window_sample *ret)
{
	const struct sample_id *id;
	const void *key;
	void *value;

	if (!hashmap_next(w->samples, position, &key, &value))
		return false;
	id = key;
	*ret = (struct window_sample){ .key = id->key, .source = id->source };
	memcpy(&ret->value, value, sizeof(ret->value));
	return true;
}

const struct window_stack *window_next_stack(const struct window *w, size_t *position)
{
	void *value;

	return hashmap_next(w->stacks, position, NULL, &value) ? value : NULL;
}

const struct wick_task *window_next_task(const struct window *w, size_t *position)
{
	void *value;

	return hashmap_next(w->tasks, position, NULL, &value) ? value : NULL;
}

const struct wick_detail *window_next_detail(const struct window *w, size_t *position)
{
	void *value;

	return hashmap_next(w->details, position, NULL, &value) ? value : NULL;
}

const struct window_event *window_events(const struct window *w, size_t *ret_count)
{
	*ret_count = w->event_count;
	return w->events;
}

void window_set_time(struct window *w, uint64_t start_ns, uint64_t end_ns)
{
	w->start_ns = start_ns;
	w->end_ns = end_ns;
}

void window_add_shed(struct window *w, uint64_t samples)
{
	w->shed_count += samples;
}

uint64_t window_start_ns(const struct window *w)
{
	return w->start_ns;
}

uint64_t window_end_ns(const struct window *w)
{
	return w->end_ns;
}

uint64_t window_sample_count(const struct window *w)
{
	return w->sample_count;
}

uint64_t window_shed_count(const struct window *w)
{
	return w->shed_count;
}

size_t window_bytes(const struct window *w)
{
	return sizeof(*w) + arena_bytes(w->arena) + hashmap_bytes(w->tasks) +
	       hashmap_bytes(w->stacks) + hashmap_bytes(w->details) +
	       hashmap_bytes(w->texts) + hashmap_bytes(w->samples) +
	       w->event_capacity * sizeof(*w->events);
}
