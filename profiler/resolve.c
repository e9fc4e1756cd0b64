/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/resolve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/kernel_frames.h"
#include "profiler/labels/labels.h"
#include "profiler/probes/probe_set.h"

/*
 * Kernel and user frames and a mark for each, of the task and of its peer, a note between, and a
 * function that has returned.
 */
#define STACK_MAX (4 * UNWIND_FRAMES_MAX + 6)
#define SOURCES_MAX 16

struct resolver {
	const struct resolve_options *options;
	struct profile_builder *builder;
	struct locations *locations;
	struct kernel_frames kernel;
	struct labels *labels;
	struct resolve_stats stats;
	uint32_t first_value[SOURCES_MAX];	/* of each source */
	size_t value_count;
	bool has_default;		/* among the values */
};

/* A stack of a profile while it is put together, leaf first. */
struct stack_list {
	uint32_t locations[STACK_MAX];
	size_t count;
	/* Functions of the sample's own kernel stack. */
	const char *kernel_names[UNWIND_FRAMES_MAX];
	size_t kernel_count;
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

static int add_values(struct resolver *r, const struct source *source)
{
	for (size_t v = 0; v < SOURCE_VALUES_MAX && source->values[v].type; v++) {
		const struct source_value *value = &source->values[v];
		struct profile_value_type type = { .is_main = value->is_main };
		uint32_t index;
		int error = profile_builder_string(r->builder, value->type, &type.type);

		error = error ?: profile_builder_string(r->builder, value->unit, &type.unit);
		error = error ?: profile_builder_string(r->builder, source->name, &type.source);
		error = error ?: profile_builder_value_type(r->builder, &type, &index);
		if (error < 0)
			return error;
		/* What viewers show first: of the first source. */
		if (value->is_main && !r->has_default) {
			profile_builder_default(r->builder, index);
			r->has_default = true;
		}
		r->value_count++;
	}
	return 0;
}

/* Parts of a composite share its values. */
static int add_value_types(struct resolver *r)
{
	for (size_t i = 0; i < r->options->source_count; i++) {
		size_t same = 0;
		int error;

		if (!r->options->shown[i])
			continue;
		while (r->options->shown[same] != r->options->shown[i])
			same++;
		if (same < i) {
			r->first_value[i] = r->first_value[same];
			continue;
		}
		r->first_value[i] = r->value_count;
		error = add_values(r, r->options->shown[i]);
		if (error < 0)
			return error;
	}
	return 0;
}

/* ---- one sample ---- */

static void list_add(struct resolver *r, struct stack_list *list, const struct location_info *info,
		     bool is_kernel)
{
	list->locations[list->count++] = info->location;
	if (is_kernel && list->kernel_count < UNWIND_FRAMES_MAX)
		list->kernel_names[list->kernel_count++] =
			profile_builder_text(r->builder, info->name);
}

/* The function at @place, when @stack lacks it: it has returned to where that begins, or there is no stack. */
static int add_function(struct resolver *r, const struct probe_place *place,
			const struct window_stack *stack, struct stack_list *list)
{
	bool has_frames = stack && stack->count;
	struct location_info info;
	int error;

	if (!place || (!place->is_left && (!place->module || has_frames)))
		return 0;
	error = locations_function(r->locations, place, &info);
	if (error >= 0)
		list_add(r, list, &info, !place->module);
	return error;
}

/*
 * Append the locations of stack @id. One that is not known is a mark. @place: the one of a probe whose
 * function it is about; NULL: there is none.
 */
static int add_stack(struct resolver *r, const struct source *source, uint64_t id,
		     const struct probe_place *place, uint64_t weight, struct stack_list *list)
{
	const struct window_stack *stack = id < WICK_STACK_FIRST ?
						   NULL : window_stack(r->options->window, id);
	uint32_t stop = stack ? stack->stop : UNWIND_STOP_STACK_LOST, first = 0;
	struct location_info info;
	bool is_left = place && place->is_left;
	char mark[64];
	int error = add_function(r, place, stack, list);

	if (error < 0)
		return error;
	if (!stack && id >= WICK_STACK_FIRST)
		r->stats.stack_unresolved += weight;
	if (stack && stack->is_kernel)
		first = kernel_frames_first(&r->kernel, source, stack, place);
	for (uint32_t i = first; stack && i < stack->count; i++) {
		if (stack->is_kernel && kernel_frames_skip(&r->kernel, stack, first, i))
			continue;
		error = locations_find(r->locations, stack, i, is_left && !stack->is_kernel, &info);
		if (error < 0)
			return error;
		if (is_left && !i &&
		    kernel_frames_is_return(profile_builder_text(r->builder, info.name)))
			continue;
		list_add(r, list, &info, stack->is_kernel);
		r->stats.frames += weight;
		r->stats.frames_named += info.named ? weight : 0;
		r->stats.frames_fde += info.by_fde ? weight : 0;
	}
	if (stop == UNWIND_STOP_END)
		return 0;
	snprintf(mark, sizeof(mark), unwind_stop_is_no_stack(stop) ? "[%s]" : "[incomplete:%s]",
		 resolve_stop_text(stop));
	return locations_mark(r->locations, mark, &list->locations[list->count++]);
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

static void fill_values(const struct resolver *r, const struct window_sample *sample,
			int64_t values[])
{
	const struct source *shown = r->options->shown[sample->source];

	memset(values, 0, r->value_count * sizeof(*values));
	for (size_t v = 0; v < SOURCE_VALUES_MAX && shown->values[v].type; v++)
		values[r->first_value[sample->source] + v] =
			shown->values[v].is_sum ? sample->value.sum : sample->value.count;
}

/* Where the kernel is entered by an interrupt: what is further out was only interrupted. */
static bool is_interrupt_entry(const char *function)
{
	static const char *const prefixes[] = { "asm_sysvec_", "sysvec_", "asm_common_interrupt",
						"common_interrupt", "__irq_exit_rcu",
						"irq_exit_rcu", "handle_softirqs", "__do_softirq",
						"el0_irq", "el1_irq", "el1h_64_irq" };

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++)
		if (!strncmp(function, prefixes[i], strlen(prefixes[i])))
			return true;
	return false;
}

/*
 * A stack without what an interrupt found. @list ends with the kernel frames. Returns whether there
 * was one.
 */
static bool cut_at_interrupt(struct stack_list *list)
{
	for (size_t i = 0; i < list->kernel_count; i++)
		if (is_interrupt_entry(list->kernel_names[i])) {
			list->count -= list->kernel_count - i - 1;
			list->kernel_count = i + 1;
			return true;
		}
	return false;
}

/*
 * Who ended the wait, on top of who waited: its stack from the root at the very leaf down to the call
 * that woke the other, as in a chain graph. @ret_peer, a comm: who it is.
 */
static int add_peer(struct resolver *r, const struct source *source,
		    const struct wick_detail *detail, struct stack_list *list, char *ret_peer)
{
	const struct wick_task *peer = window_task(r->options->window,
						   detail->value[WICK_DETAIL_PEER_TASK]);
	uint64_t kernel = detail->value[WICK_DETAIL_PEER_KERNEL],
		 user = detail->value[WICK_DETAIL_PEER_USER];
	struct stack_list own = { .count = 0 };
	char note[64];
	int error = 0;

	if (!peer)
		return 0;
	memcpy(ret_peer, peer->comm, WICK_COMM_BYTES);
	if (kernel != WICK_STACK_NONE)
		error = add_stack(r, source, kernel, NULL, 0, &own);
	if (!error && cut_at_interrupt(&own))
		strcpy(ret_peer, "interrupt");
	else if (!error && user != WICK_STACK_NONE)
		error = add_stack(r, source, user, NULL, 0, &own);
	if (!(detail->present & WICK_DETAIL_BIT(PEER_KERNEL)))
		return error;
	while (!error && own.count)
		list->locations[list->count++] = own.locations[--own.count];
	snprintf(note, sizeof(note), "[%s: %s]", source->peer_label, ret_peer);
	return error ?: locations_mark(r->locations, note, &list->locations[list->count++]);
}

/* *@ret_interrupt becomes true when it was an interrupt, of which the task was only hit. */
static int add_stacks(struct resolver *r, const struct window_event *event,
		      const struct wick_detail *detail, struct stack_list *list, char *ret_peer,
		      bool *ret_interrupt)
{
	const struct window_sample *sample = &event->sample;
	const struct source *source = r->options->sources[sample->source];
	const struct probe_place *place = locations_place(r->options, sample, event->values);
	uint64_t weight = sample->value.count;
	int error = 0;

	list->count = list->kernel_count = 0;
	if (detail && source->peer_label)
		error = add_peer(r, source, detail, list, ret_peer);
	if (sample->key.kernel_stack == WICK_STACK_LOST)
		r->stats.kernel_lost += weight;
	if (!error && sample->key.kernel_stack != WICK_STACK_NONE)
		error = add_stack(r, source, sample->key.kernel_stack,
				  place && !place->module ? place : NULL, weight, list);
	if (!error && source->in_interrupts && cut_at_interrupt(list)) {
		*ret_interrupt = true;
		return 0;
	}
	if (!error && sample->key.user_stack != WICK_STACK_NONE) {
		note_user_stack(r, sample->key.user_stack, weight);
		error = add_stack(r, source, sample->key.user_stack,
				  place && place->module ? place : NULL, weight, list);
	}
	return error;
}

static int add_sample(struct resolver *r, const struct window_event *event)
{
	static const struct wick_task unknown = { .comm = "[unknown]",
						  .process_comm = "[unknown]" },
				      interrupt = { .comm = "[interrupt]",
						    .process_comm = "[interrupt]" };
	const struct window *window = r->options->window;
	const struct window_sample *sample = &event->sample;
	char peer[WICK_COMM_BYTES + 1] = "";
	struct label_input input = { .peer = peer,
				     .window = window,
				     .notes = r->options->label_notes,
				     .task = window_task(window, sample->key.task),
				     .detail = window_detail(window, sample->key.detail) };
	uint64_t weight = sample->value.count;
	int64_t values[SOURCES_MAX * SOURCE_VALUES_MAX];
	struct profile_label labels[LABELS_MAX];
	struct profile_sample added = { .labels = labels, .values = values };
	struct stack_list list;
	bool in_interrupt = false;
	int count, error;

	if (sample->source >= r->options->source_count)
		return 0;
	if (!input.task) {
		r->stats.task_unresolved += weight;
		input.task = &unknown;
	}
	r->stats.samples += weight;
	r->stats.samples_by_source[sample->source] += weight;
	error = add_stacks(r, event, input.detail, &list, peer, &in_interrupt);
	if (error < 0)
		return error;
	if (in_interrupt)
		input.task = &interrupt;
	input.source = r->options->sources[sample->source];
	input.shown = r->options->shown[sample->source];
	input.kernel_names = list.kernel_names;
	input.kernel_count = list.kernel_count;
	count = labels_fill(r->labels, &input, labels);
	if (count < 0)
		return count;
	added.label_count = count;
	fill_values(r, sample, values);
	added.locations = list.locations;
	added.location_count = list.count;
	return r->options->take ? r->options->take(r->options->take_context, event, &added) :
				  profile_builder_sample(r->builder, &added);
}

/* ---- all of them ---- */

static int resolve_samples(struct resolver *r)
{
	const struct window_event *events;
	struct window_event counted = { .time_ns = 0 };
	size_t position = 0, count;
	int error;

	while (window_next_sample(r->options->window, &position, &counted.sample)) {
		error = add_sample(r, &counted);
		if (error < 0)
			return error;
	}
	events = window_events(r->options->window, &count);
	for (size_t i = 0; i < count; i++) {
		error = add_sample(r, &events[i]);
		if (error < 0)
			return error;
	}
	return 0;
}

void resolve_stats_add(struct resolve_stats *stats, const struct resolve_stats *more)
{
	uint64_t *sum = (uint64_t *)stats;
	const uint64_t *added = (const uint64_t *)more;

	/* They are counts, all of them. */
	for (size_t i = 0; i < sizeof(*stats) / sizeof(*sum); i++)
		sum[i] += added[i];
}

int resolve_window(const struct resolve_options *options, struct profile_builder *builder,
		   struct resolve_stats *ret)
{
	_cleanup_(locations_freep) struct locations *locations = NULL;
	_cleanup_(labels_freep) struct labels *labels = NULL;
	struct resolver r = { .options = options, .builder = builder };
	int error;

	if (options->source_count > ARRAY_SIZE(r.first_value))
		return -E2BIG;
	error = locations_new(options, builder, &locations);
	if (error < 0)
		return error;
	error = labels_new(options->labels, builder, &labels);
	if (error < 0)
		return error;
	r.locations = locations;
	kernel_frames_init(&r.kernel, options, locations, builder);
	r.labels = labels;
	symbolizer_refresh_kernel(options->symbolizer);
	error = add_value_types(&r);
	error = error ?: locations_prepare(locations, options->window);
	error = error ?: label_notes_learn(options->label_notes, options);
	error = error ?: resolve_samples(&r);
	if (error < 0)
		return error;
	*ret = r.stats;
	return 0;
}
