/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/trace/trace_format.h"

#include <string.h>

#include "formats/profile.h"

uint64_t trace_time_ns(const struct trace_view *view, uint64_t time_ns)
{
	switch (view->clock) {
	case TRACE_WALL:
		return time_ns + (uint64_t)view->offset_ns;
	case TRACE_RELATIVE:
		/* What ended before may have been under way when the run began. */
		return time_ns > view->begin_ns ? time_ns - view->begin_ns : 0;
	case TRACE_MONOTONIC:
		break;
	}
	return time_ns;
}

const struct event_value *trace_result(const struct traced_event *event)
{
	for (size_t i = 0; i < event->value_count; i++)
		if (!strcmp(event->values[i].name, "ret"))
			return &event->values[i];
	return NULL;
}

static const char *text_or_null(const struct profile *names, profile_string text)
{
	return text ? names->strings[text] : NULL;
}

static void frame_fill(const struct profile *names, const struct profile_location *location,
		       uint32_t line, struct trace_frame *ret)
{
	const struct profile_function *function = &names->functions[location->lines[line].function];

	*ret = (struct trace_frame){
		.function = names->strings[function->name],
		.line = location->lines[line].line,
		.is_inlined = line + 1 < location->line_count,
		.is_kernel = location->kind == FRAME_KIND_KERNEL,
	};
	/* A file alone says less than the module. */
	if (ret->line)
		ret->file = text_or_null(names, function->file);
	if (location->mapping != PROFILE_NONE)
		ret->module = text_or_null(names, names->mappings[location->mapping].file);
}

bool trace_frame_at(const struct traced_event *event, size_t index, struct trace_frame *ret)
{
	for (size_t i = 0; i < event->location_count; i++) {
		const struct profile_location *location =
			&event->names->locations[event->locations[i]];

		if (index < location->line_count) {
			frame_fill(event->names, location, (uint32_t)index, ret);
			return true;
		}
		index -= location->line_count;
	}
	return false;
}
