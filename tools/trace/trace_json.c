/* SPDX-License-Identifier: BSD-2-Clause */
/* trace_json.c - events as JSON, an object a line. */
#include <inttypes.h>
#include <string.h>

#include "formats/json.h"
#include "tools/trace/trace_members.h"

static void add_frame(const struct trace_frame *frame, struct strbuf *ret)
{
	strbuf_add_text(ret, "{\"function\":");
	json_add_text(ret, frame->function);
	if (frame->file) {
		strbuf_add_text(ret, ",\"file\":");
		json_add_text(ret, frame->file);
		strbuf_printf(ret, ",\"line\":%" PRId64, frame->line);
	}
	if (frame->module) {
		strbuf_add_text(ret, ",\"module\":");
		json_add_text(ret, frame->module);
	}
	strbuf_add_text(ret, frame->is_inlined ? ",\"inlined\":true}" : "}");
}

static void add_stack(const struct traced_event *event, struct strbuf *ret)
{
	struct trace_frame frame;

	strbuf_add_text(ret, ",\"stack\":[");
	for (size_t i = 0; trace_frame_at(event, i, &frame); i++) {
		strbuf_add_text(ret, i ? "," : "");
		add_frame(&frame, ret);
	}
	strbuf_add_char(ret, ']');
}

static void add_json(struct trace_view *view, const struct traced_event *event,
		     struct strbuf *ret)
{
	strbuf_printf(ret, "{\"time_ns\":%" PRIu64, trace_time_ns(view, event->time_ns));
	if (event->cpu != EVENT_CPU_UNKNOWN)
		strbuf_printf(ret, ",\"cpu\":%" PRIu32, event->cpu);
	strbuf_printf(ret, ",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32 ",\"comm\":", event->pid,
		      event->tid);
	json_add_text(ret, event->process_comm);
	strbuf_add_text(ret, ",\"thread\":");
	json_add_text(ret, event->comm);
	strbuf_add_text(ret, ",\"source\":");
	json_add_text(ret, event->source);
	strbuf_add_text(ret, ",\"event\":");
	json_add_text(ret, event->name);
	strbuf_add_text(ret, ",\"args\":{");
	trace_members_add(event, ret);
	strbuf_add_char(ret, '}');
	if (event->is_open)
		strbuf_add_text(ret, ",\"unfinished\":true");
	if (event->count != 1)
		strbuf_printf(ret, ",\"count\":%" PRIu64, event->count);
	if (event->took_time)
		strbuf_printf(ret, ",\"latency_ns\":%" PRIu64, event->sum);
	else if (event->sum_name)
		strbuf_printf(ret, ",\"value\":%" PRIu64 ",\"value_name\":\"%s\",\"unit\":\"%s\"",
			      event->sum, event->sum_name, event->sum_unit);
	if (view->stack)
		add_stack(event, ret);
	strbuf_add_text(ret, "}\n");
}

const struct trace_format trace_json = {
	.name = "json",
	.clock = TRACE_WALL,
	.add = add_json,
};
