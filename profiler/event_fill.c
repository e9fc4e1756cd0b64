/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/event_fill.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "profiler/base/arena.h"
#include "profiler/event_value.h"
#include "profiler/labels/labels.h"
#include "profiler/probes/probe_set.h"
#include "profiler/probes/probe_show.h"

/* Whose events are calls of the system. */
static bool is_syscall(const struct source *source)
{
	return !strncmp(source->name, "syscall", 7) && (!source->name[7] || source->name[7] == ':');
}

static void fill_sum(const struct source *shown, struct traced_event *e)
{
	for (size_t v = 0; v < SOURCE_VALUES_MAX && shown->values[v].type; v++) {
		const struct source_value *value = &shown->values[v];

		if (!value->is_sum)
			continue;
		e->sum_name = value->type;
		e->sum_unit = value->unit;
		e->took_time = value->is_main && !strcmp(value->unit, "nanoseconds");
	}
}

static void fill_task(const struct event_fill *f, const struct profile_sample *sample,
		      struct traced_event *e)
{
	const struct profile_label *own = sample->labels;

	e->pid = own[0].number;
	e->tid = own[1].number;
	snprintf(e->process_comm, sizeof(e->process_comm), "%s",
		 profile_builder_text(f->builder, own[2].text));
	snprintf(e->comm, sizeof(e->comm), "%s", profile_builder_text(f->builder, own[3].text));
}

/* What a call says by its name and its result. Returns whether @label is that. */
static bool fill_call(const struct event_fill *f, const struct wick_detail *detail,
		      const struct event_label *label, struct traced_event *e)
{
	if (!e->is_call)
		return false;
	if (!strcmp(label->key, "syscall") && label->text) {
		e->name = label->text;
		return true;
	}
	if (strcmp(label->key, "errno") || !detail)
		return false;
	e->error = (int)detail->value[WICK_DETAIL_ERRNO];
	e->error_name = label->text;
	return true;
}

/* Who is at the other end has a name among the labels; here it has a number, too. */
static int fill_peer(const struct event_fill *f, const struct source *source,
		     const struct wick_detail *detail, struct event_label *label)
{
	const struct wick_task *peer;
	char key[64];

	if (!detail || !source->peer_label ||
	    !(detail->present & WICK_DETAIL_BIT(PEER_TASK)))
		return 0;
	peer = window_task(f->resolve->window, detail->value[WICK_DETAIL_PEER_TASK]);
	if (!peer)
		return 0;
	snprintf(key, sizeof(key), "%s_pid", source->peer_label);
	*label = (struct event_label){ .key = arena_strdup(f->arena, key), .number = peer->pid,
				       .unit = "" };
	return label->key ? 1 : -ENOMEM;
}

/* The builder is gone before the event is. */
static int fill_label(const struct event_fill *f, const struct profile_label *label,
		      struct event_label *ret)
{
	const char *unit = profile_builder_text(f->builder, label->unit);
	const char *text = profile_builder_text(f->builder, label->text);

	*ret = (struct event_label){ .number = label->number, .unit = "" };
	ret->key = arena_strdup(f->arena, profile_builder_text(f->builder, label->key));
	/* A number of nothing but itself has no unit. */
	if (label->unit && label->unit != label->key)
		ret->unit = arena_strdup(f->arena, unit);
	if (label->text)
		ret->text = arena_strdup(f->arena, text);
	return !ret->key || !ret->unit || (label->text && !ret->text) ? -ENOMEM : 0;
}

static int fill_labels(const struct event_fill *f, const struct window_event *event,
		       const struct profile_sample *sample, struct traced_event *e)
{
	const struct wick_detail *detail = window_detail(f->resolve->window,
							 event->sample.key.detail);
	struct event_label *labels = arena_alloc(f->arena, (sample->label_count + 1) *
								  sizeof(*labels));
	size_t count = 0;
	int r;

	if (!labels)
		return -ENOMEM;
	for (size_t i = LABELS_OF_TASK; i < sample->label_count; i++) {
		r = fill_label(f, &sample->labels[i], &labels[count]);
		if (r < 0)
			return r;
		count += !fill_call(f, detail, &labels[count], e);
	}
	r = fill_peer(f, f->resolve->sources[event->sample.source], detail, &labels[count]);
	e->labels = labels;
	e->label_count = count + (r > 0);
	return r < 0 ? r : 0;
}

/* How a call failed, by what it returned. */
static void fill_error(struct traced_event *e)
{
	for (size_t i = 0; i < e->value_count; i++) {
		if (!event_value_is_failure(&e->values[i]))
			continue;
		e->error = (int)-(int64_t)e->values[i].number;
		e->error_name = probe_error_name(e->error);
	}
}

static int fill_values(const struct event_fill *f, const struct window_event *event,
		       const struct source *source, struct traced_event *e)
{
	const struct probe_values *read = event->values;
	const struct probe_layout *layout;
	struct probe_values *kept;
	struct event_value *values;

	/* What does not belong to a place that is known says nothing. */
	if (!read || !source->probes || read->site >= source->probes->count)
		return 0;
	layout = &source->probes->places[read->site].layout;
	e->name = source->probes->places[read->site].name;
	kept = arena_copy(f->arena, read, probe_values_size(read));
	values = arena_alloc(f->arena, PROBE_VALUES_MAX * sizeof(*values));
	if (!kept || !values)
		return -ENOMEM;
	e->values = values;
	for (size_t i = 0; i < layout->site.value_count && i < PROBE_VALUES_MAX; i++)
		e->value_count += event_value_fill(layout, kept, i, e->is_call ? e->name : NULL,
						   &values[e->value_count]);
	e->value_count = event_values_drop_unused(values, e->value_count);
	if (e->is_call)
		fill_error(e);
	return 0;
}

int event_fill(const struct event_fill *f, const struct window_event *event,
	       const struct profile_sample *sample, struct traced_event **ret)
{
	const struct source *source = f->resolve->sources[event->sample.source],
			    *shown = f->resolve->shown[event->sample.source];
	size_t bytes = f->with_stacks ? sample->location_count * sizeof(*sample->locations) : 0;
	struct traced_event *e = arena_alloc(f->arena, sizeof(*e));
	int r;

	if (!e)
		return -ENOMEM;
	e->source = e->name = shown->name;
	e->is_call = is_syscall(source);
	/* What was counted, and not sent when it happened, are waits that have not ended. */
	e->is_open = !event->time_ns;
	e->time_ns = event->time_ns ?: window_end_ns(f->resolve->window);
	e->cpu = e->is_open ? EVENT_CPU_UNKNOWN : event->cpu;
	e->count = event->sample.value.count;
	e->sum = event->sample.value.sum;
	fill_sum(shown, e);
	fill_task(f, sample, e);
	r = fill_labels(f, event, sample, e);
	r = r ?: fill_values(f, event, source, e);
	if (r < 0)
		return r;
	e->location_count = bytes / sizeof(*sample->locations);
	e->locations = arena_copy(f->arena, sample->locations, bytes);
	if (!e->locations)
		return -ENOMEM;
	*ret = e;
	return 0;
}
