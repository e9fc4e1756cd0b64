/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace_chrome.c - events in the Trace Event Format of Chrome, as an array.
 *
 * What took time is a complete event ("X") that began so long before, everything else an instant ("i").
 * Names of threads and processes come before their first event, and again when they change.
 */
#include <inttypes.h>
#include <string.h>

#include "formats/json.h"
#include "profiler/base/hash.h"
#include "tools/trace/trace_members.h"

static void begin_chrome(struct trace_view *view, struct strbuf *ret)
{
	view->threads = hashmap_new(sizeof(uint32_t), sizeof(uint64_t));
	strbuf_add_char(ret, '[');
}

static void begin_element(struct trace_view *view, struct strbuf *ret)
{
	strbuf_add_text(ret, view->has_elements ? ",\n" : "\n");
	view->has_elements = true;
}

static void add_name(struct trace_view *view, const struct traced_event *event,
		     const char *what, const char *name, struct strbuf *ret)
{
	begin_element(view, ret);
	strbuf_printf(ret,
		      "{\"ph\":\"M\",\"name\":\"%s\",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32
		      ",\"ts\":0,\"args\":{\"name\":",
		      what, event->pid, event->tid);
	json_add_text(ret, name);
	strbuf_add_text(ret, "}}");
}

/* Without memory to remember it, it is said again. */
static void add_names(struct trace_view *view, const struct traced_event *event,
		      struct strbuf *ret)
{
	uint64_t hash = hash_bytes(event->comm, strlen(event->comm)) ^
			hash_bytes(event->process_comm, strlen(event->process_comm)) << 1;
	void *known;

	if (view->threads && hashmap_add(view->threads, &event->tid, &known) >= 0) {
		if (*(uint64_t *)known == (hash | 1))
			return;
		*(uint64_t *)known = hash | 1;
	}
	add_name(view, event, "process_name", event->process_comm, ret);
	add_name(view, event, "thread_name", event->comm, ret);
}

/* In microseconds. */
static void add_time(const char *key, uint64_t ns, struct strbuf *ret)
{
	strbuf_printf(ret, ",\"%s\":%" PRIu64 ".%03" PRIu64, key, ns / 1000, ns % 1000);
}

static void add_stack(const struct traced_event *event, const char *comma, struct strbuf *ret)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct trace_frame frame;

	for (size_t i = 0; trace_frame_at(event, i, &frame); i++)
		strbuf_printf(&text, "%s%s", i ? "\n" : "", frame.function);
	strbuf_printf(ret, "%s\"stack\":", comma);
	json_add_text(ret, text.data);
}

static void add_chrome(struct trace_view *view, const struct traced_event *event,
		       struct strbuf *ret)
{
	uint64_t begin_ns = event->time_ns - (event->took_time ? event->sum : 0);
	size_t before;

	add_names(view, event, ret);
	begin_element(view, ret);
	strbuf_add_text(ret, event->took_time ? "{\"ph\":\"X\",\"name\":" :
						"{\"ph\":\"i\",\"s\":\"t\",\"name\":");
	json_add_text(ret, event->name);
	strbuf_add_text(ret, ",\"cat\":");
	json_add_text(ret, event->source);
	strbuf_printf(ret, ",\"pid\":%" PRIu32 ",\"tid\":%" PRIu32, event->pid, event->tid);
	add_time("ts", trace_time_ns(view, begin_ns), ret);
	if (event->took_time)
		add_time("dur", event->sum, ret);
	strbuf_add_text(ret, ",\"args\":{");
	before = ret->size;
	trace_members_add(event, ret);
	if (view->stack)
		add_stack(event, ret->size > before ? "," : "", ret);
	strbuf_add_text(ret, "}}");
}

static void end_chrome(struct trace_view *view, struct strbuf *ret)
{
	strbuf_add_text(ret, "\n]\n");
}

const struct trace_format trace_chrome = {
	.name = "chrome",
	.clock = TRACE_MONOTONIC,
	.begin = begin_chrome,
	.add = add_chrome,
	.end = end_chrome,
};
