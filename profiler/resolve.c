/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/resolve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/locations.h"

/* Kernel and user frames and a mark for each. */
#define STACK_MAX (2 * UNWIND_FRAMES_MAX + 2)
#define LABELS_MAX 8

struct resolver {
	const struct resolve_options *options;
	struct profile_builder *builder;
	struct locations *locations;
	struct resolve_stats stats;
	uint32_t first_value[16];	/* of each source */
	size_t value_count;
	profile_string key_pid, key_tid, key_comm, key_thread;
};

const char *resolve_stop_text(unsigned int stop)
{
	static const char *const texts[] = {
#define STOP_TEXT(name, text) [UNWIND_STOP_##name] = text,
		UNWIND_STOPS(STOP_TEXT)
#undef STOP_TEXT
	};

	return stop < ARRAY_SIZE(texts) ? texts[stop] : "unknown";
}

/* ---- before the samples ---- */

static int add_value_types(struct resolver *r)
{
	for (size_t i = 0; i < r->options->source_count; i++) {
		const struct source *source = r->options->sources[i];

		r->first_value[i] = r->value_count;
		for (size_t v = 0; v < SOURCE_VALUES_MAX && source->values[v].type; v++) {
			const struct source_value *value = &source->values[v];
			struct profile_value_type type = { .is_main = value->is_main };
			uint32_t index;
			int error = profile_builder_string(r->builder, value->type, &type.type);

			error = error ?:
					profile_builder_string(r->builder, value->unit, &type.unit);
			error = error ?:
					profile_builder_string(r->builder, source->name,
							       &type.source);
			error = error ?: profile_builder_value_type(r->builder, &type, &index);
			if (error < 0)
				return error;
			r->value_count++;
		}
	}
	return 0;
}

static int add_label_keys(struct resolver *r)
{
	const struct {
		const char *text;
		profile_string *key;
	} keys[] = { { "pid", &r->key_pid }, { "tid", &r->key_tid }, { "comm", &r->key_comm },
		     { "thread", &r->key_thread } };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		int error = profile_builder_string(r->builder, keys[i].text, keys[i].key);

		if (error < 0)
			return error;
	}
	return 0;
}

/* ---- one sample ---- */

/*
 * Append the locations of stack @id. Returns how many there are then, or -ENOMEM. A stack that is
 * not known is one mark.
 */
static long add_stack(struct resolver *r, uint64_t id, uint64_t weight, uint32_t *list,
		      size_t count)
{
	const struct window_stack *stack = id < WICK_STACK_FIRST ?
						   NULL : window_stack(r->options->window, id);
	uint32_t stop = stack ? stack->stop : UNWIND_STOP_STACK_LOST;
	struct location_info info;
	char mark[64];
	int error;

	if (!stack && id >= WICK_STACK_FIRST)
		r->stats.stack_unresolved += weight;
	for (uint32_t i = 0; stack && i < stack->count; i++) {
		error = locations_find(r->locations, stack, i, &info);
		if (error < 0)
			return error;
		list[count++] = info.location;
		r->stats.frames += weight;
		r->stats.frames_named += info.named ? weight : 0;
		r->stats.frames_fde += info.by_fde ? weight : 0;
	}
	if (stop != UNWIND_STOP_END) {
		snprintf(mark, sizeof(mark),
			 unwind_stop_is_no_stack(stop) ? "[%s]" : "[incomplete:%s]",
			 resolve_stop_text(stop));
		error = locations_mark(r->locations, mark, &list[count]);
		if (error < 0)
			return error;
		count++;
	}
	return count;
}

static void note_user_stack(struct resolver *r, uint64_t id, uint64_t weight)
{
	const struct window_stack *stack = id < WICK_STACK_FIRST ?
						   NULL : window_stack(r->options->window, id);
	uint32_t stop = stack ? stack->stop : UNWIND_STOP_STACK_LOST;

	if (unwind_stop_is_no_stack(stop)) {
		r->stats.no_stack[stop] += weight;
		return;
	}
	r->stats.samples_user += weight;
	if (stop == UNWIND_STOP_END)
		r->stats.complete += weight;
	else if (stop < UNWIND_STOP_COUNT)
		r->stats.incomplete[stop] += weight;
}

static int add_text_label(struct resolver *r, struct profile_label *label, profile_string key,
			  const char *comm)
{
	char text[WICK_COMM_BYTES + 1] = { 0 };

	memcpy(text, comm, WICK_COMM_BYTES);
	*label = (struct profile_label){ .key = key };
	return profile_builder_string(r->builder, text, &label->text);
}

static int add_labels(struct resolver *r, const struct wick_task *task,
		      struct profile_label labels[LABELS_MAX], uint32_t *ret_count)
{
	int error;

	labels[0] = (struct profile_label){ .key = r->key_pid, .number = task->pid,
					    .unit = r->key_pid };
	labels[1] = (struct profile_label){ .key = r->key_tid, .number = task->tid,
					    .unit = r->key_tid };
	error = add_text_label(r, &labels[2], r->key_comm, task->process_comm);
	error = error ?: add_text_label(r, &labels[3], r->key_thread, task->comm);
	*ret_count = 4;
	return error;
}

static void fill_values(const struct resolver *r, const struct window_sample *sample,
			int64_t values[])
{
	const struct source *source = r->options->sources[sample->source];

	memset(values, 0, r->value_count * sizeof(*values));
	for (size_t v = 0; v < SOURCE_VALUES_MAX && source->values[v].type; v++)
		values[r->first_value[sample->source] + v] =
			source->values[v].is_sum ? sample->value.sum : sample->value.count;
}

static int add_sample(struct resolver *r, const struct window_sample *sample)
{
	static const struct wick_task unknown = { .comm = "[unknown]",
						  .process_comm = "[unknown]" };
	const struct wick_task *task = window_task(r->options->window, sample->key.task);
	uint64_t weight = sample->value.count;
	int64_t values[16 * SOURCE_VALUES_MAX];
	struct profile_label labels[LABELS_MAX];
	struct profile_sample added = { .labels = labels, .values = values };
	uint32_t list[STACK_MAX];
	long count = 0;
	int error;

	if (sample->source >= r->options->source_count)
		return 0;
	if (!task) {
		r->stats.task_unresolved += weight;
		task = &unknown;
	}
	r->stats.samples += weight;
	r->stats.samples_by_source[sample->source] += weight;
	if (sample->key.kernel_stack == WICK_STACK_LOST)
		r->stats.kernel_lost += weight;
	if (sample->key.kernel_stack != WICK_STACK_NONE)
		count = add_stack(r, sample->key.kernel_stack, weight, list, count);
	if (count >= 0 && sample->key.user_stack != WICK_STACK_NONE) {
		note_user_stack(r, sample->key.user_stack, weight);
		count = add_stack(r, sample->key.user_stack, weight, list, count);
	}
	if (count < 0)
		return count;
	error = add_labels(r, task, labels, &added.label_count);
	if (error < 0)
		return error;
	fill_values(r, sample, values);
	added.locations = list;
	added.location_count = count;
	return profile_builder_sample(r->builder, &added);
}

/* ---- all of them ---- */

static int resolve_samples(struct resolver *r)
{
	const struct window_event *events;
	struct window_sample sample;
	size_t position = 0, count;
	int error;

	while (window_next_sample(r->options->window, &position, &sample)) {
		error = add_sample(r, &sample);
		if (error < 0)
			return error;
	}
	events = window_events(r->options->window, &count);
	for (size_t i = 0; i < count; i++) {
		error = add_sample(r, &events[i].sample);
		if (error < 0)
			return error;
	}
	return 0;
}

int resolve_window(const struct resolve_options *options, struct profile_builder *builder,
		   struct resolve_stats *ret)
{
	_cleanup_(locations_freep) struct locations *locations = NULL;
	struct resolver r = { .options = options, .builder = builder };
	int error;

	if (options->source_count > ARRAY_SIZE(r.first_value))
		return -E2BIG;
	error = locations_new(options, builder, &locations);
	if (error < 0)
		return error;
	r.locations = locations;
	symbolizer_refresh_kernel(options->symbolizer);
	error = add_value_types(&r);
	error = error ?: add_label_keys(&r);
	error = error ?: locations_prepare(locations, options->window);
	error = error ?: resolve_samples(&r);
	if (error < 0)
		return error;
	*ret = r.stats;
	return 0;
}
