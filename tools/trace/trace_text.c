/* SPDX-License-Identifier: BSD-2-Clause */
/* trace_text.c - events as lines for people: columns, then the event as strace would say it. */
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "profiler/base/plain_text.h"
#include "tools/trace/trace_format.h"

#define NS_PER_SECOND UINT64_C(1000000000)
#define COLOR_END "\033[0m"

enum color { COLOR_DIM, COLOR_NAME, COLOR_FAILED };

static void add_color(const struct trace_view *view, enum color color, const char *text,
		      struct strbuf *ret)
{
	static const char *const begins[] = { [COLOR_DIM] = "\033[2m", [COLOR_NAME] = "\033[36m",
					      [COLOR_FAILED] = "\033[31m" };

	if (!view->has_colors)
		strbuf_add_text(ret, text);
	else
		strbuf_printf(ret, "%s%s" COLOR_END, begins[color], text);
}

/* ---- columns ---- */

static void begin_text(struct trace_view *view, struct strbuf *ret)
{
	if (view->has_header)
		strbuf_printf(ret, "%-18s %3s %-15s %-13s %s\n", "TIME", "CPU", "COMM", "PID/TID",
			      "EVENT");
}

static void add_time(const struct trace_view *view, uint64_t time_ns, struct strbuf *ret)
{
	uint64_t ns = trace_time_ns(view, time_ns);
	time_t seconds = (time_t)(ns / NS_PER_SECOND);
	char text[64];
	struct tm tm;
	size_t size;

	if (view->clock == TRACE_WALL && localtime_r(&seconds, &tm)) {
		size = strftime(text, sizeof(text), "%H:%M:%S", &tm);
		snprintf(text + size, sizeof(text) - size, ".%09" PRIu64, ns % NS_PER_SECOND);
	} else {
		snprintf(text, sizeof(text), "%8" PRIu64 ".%09" PRIu64, ns / NS_PER_SECOND,
			 ns % NS_PER_SECOND);
	}
	add_color(view, COLOR_DIM, text, ret);
}

/* A task may call itself anything. */
static void add_comm(const char *comm, struct strbuf *ret)
{
	size_t size = strlen(comm);

	strbuf_add_plain(ret, comm);
	strbuf_printf(ret, "%*s ", size < 15 ? (int)(15 - size) : 0, "");
}

static void add_columns(const struct trace_view *view, const struct traced_event *event,
			struct strbuf *ret)
{
	char text[64];

	add_time(view, event->time_ns, ret);
	if (event->cpu == EVENT_CPU_UNKNOWN)
		strbuf_add_text(ret, "   - ");
	else
		strbuf_printf(ret, " %3" PRIu32 " ", event->cpu);
	add_comm(event->comm, ret);
	if (event->pid == event->tid)
		snprintf(text, sizeof(text), "%" PRIu32, event->pid);
	else
		snprintf(text, sizeof(text), "%" PRIu32 "/%" PRIu32, event->pid, event->tid);
	strbuf_printf(ret, "%-13s ", text);
}

/* ---- the event ---- */

static bool is_plain(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text <= ' ' || strchr("\"\\\x7f", *text))
			return false;
	return true;
}

static void add_label(const struct event_label *label, struct strbuf *ret)
{
	strbuf_printf(ret, " %s=", label->key);
	if (!label->text)
		strbuf_printf(ret, "%" PRId64 "%s%s", label->number, label->unit[0] ? " " : "",
			      label->unit);
	else if (is_plain(label->text))
		strbuf_add_text(ret, label->text);
	else
		event_text_add_quoted(label->text, strlen(label->text), ret);
}

/* Arguments have no names in a call: their order says which they are. */
static void add_arguments(const struct traced_event *event, struct strbuf *ret)
{
	const char *comma = "";

	strbuf_add_char(ret, '(');
	for (size_t i = 0; i < event->value_count; i++) {
		if (&event->values[i] == trace_result(event))
			continue;
		strbuf_add_text(ret, comma);
		event_value_add_text(&event->values[i], ret);
		comma = ", ";
	}
	strbuf_add_char(ret, ')');
}

static void add_values(const struct traced_event *event, struct strbuf *ret)
{
	for (size_t i = 0; i < event->value_count; i++) {
		if (&event->values[i] == trace_result(event))
			continue;
		strbuf_printf(ret, " %s=", event->values[i].name);
		event_value_add_text(&event->values[i], ret);
	}
}

static void add_result(const struct trace_view *view, const struct traced_event *event,
		       struct strbuf *ret)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	const struct event_value *result = trace_result(event);

	if (event->is_open) {
		strbuf_add_text(ret, " <unfinished ...>");
		return;
	}
	if (!event->error && !result)
		return;
	strbuf_add_text(&text, " = ");
	if (event->error)
		event_error_add_text(event->error, &text);
	else
		event_value_add_text(result, &text);
	if (event->error)
		add_color(view, COLOR_FAILED, text.data, ret);
	else
		strbuf_add_text(ret, text.data);
}

/* How long, as strace says it; or what else was counted. */
static void add_sum(const struct traced_event *event, struct strbuf *ret)
{
	uint64_t us = event->sum / 1000;

	if (event->count != 1)
		strbuf_printf(ret, " count=%" PRIu64, event->count);
	if (!event->sum_name)
		return;
	if (event->took_time)
		strbuf_printf(ret, " <%" PRIu64 ".%06" PRIu64 ">", us / 1000000, us % 1000000);
	else if (!strcmp(event->sum_unit, "nanoseconds"))
		strbuf_printf(ret, " %s=%" PRIu64 "ns", event->sum_name, event->sum);
	else
		strbuf_printf(ret, " %s=%" PRIu64, event->sum_name, event->sum);
}

static void add_stack(const struct traced_event *event, struct strbuf *ret)
{
	struct trace_frame frame;

	for (size_t i = 0; trace_frame_at(event, i, &frame); i++) {
		strbuf_printf(ret, "        %s", frame.function);
		if (frame.file)
			strbuf_printf(ret, " %s:%" PRId64, frame.file, frame.line);
		if (frame.module)
			strbuf_printf(ret, frame.is_kernel ? " %s" : " (%s)", frame.module);
		strbuf_add_text(ret, frame.is_inlined ? " [inlined]\n" : "\n");
	}
}

static void add_text(struct trace_view *view, const struct traced_event *event,
		     struct strbuf *ret)
{
	add_columns(view, event, ret);
	add_color(view, COLOR_NAME, event->name, ret);
	if (event->is_call)
		add_arguments(event, ret);
	else
		add_values(event, ret);
	for (size_t i = 0; i < event->label_count; i++)
		add_label(&event->labels[i], ret);
	add_result(view, event, ret);
	add_sum(event, ret);
	strbuf_add_char(ret, '\n');
	if (view->stack)
		add_stack(event, ret);
}

const struct trace_format trace_text = {
	.name = "text",
	.clock = TRACE_WALL,
	.begin = begin_text,
	.add = add_text,
};
