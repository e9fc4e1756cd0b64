/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session_profile.c - a session's samples with their names, as a profile.
 */
#include <errno.h>

#include "profiler/base/strbuf.h"
#include "profiler/session_private.h"

static struct module *module_by_id(void *context, uint32_t id)
{
	return tables_module(context, id);
}

/* Files whose readers died are named; of more of them only how many there were. */
#define FAILURES_SHOWN 4

static void note_failure(struct session *s, const struct symbolizer_failure *failure)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	symbolizer_failure_write(failure, &text);
	session_add_note(s, true, "%s", text.data);
}

void session_note_naming(struct session *s, const struct symbolizer *symbolizer)
{
	const struct symbolizer_failure *failures;
	struct symbolizer_stats stats;
	size_t count, shown = 0;

	symbolizer_stats(symbolizer, &stats);
	s->naming_cpu_ns = stats.worker_cpu_ns;
	failures = symbolizer_failures(symbolizer, &count);
	for (size_t i = 0; i < count; i++) {
		/* Of one that killed a second reader, too, only that is said. */
		if (i + 1 < count && failures[i + 1].path == failures[i].path)
			continue;
		if (shown++ < FAILURES_SHOWN)
			note_failure(s, &failures[i]);
	}
	if (shown > FAILURES_SHOWN)
		session_add_note(s, true, "%zu more files could not be read for names",
				 shown - FAILURES_SHOWN);
}

/* Of the clock; without one each event is counted. */
static int add_period(const struct session *s, struct profile_builder *builder)
{
	const char *type = NULL, *unit = NULL;
	struct profile_value_type period = { 0 };
	int64_t every = 1;
	int r;

	for (size_t i = 0; i < s->source_count; i++) {
		if (!type && s->shown[i]) {
			type = s->shown[i]->values[0].type;
			unit = s->shown[i]->values[0].unit;
		}
		if (!s->sources[i] || !source_clock(s->sources[i]))
			continue;
		type = "cpu";
		unit = "nanoseconds";
		every = 1000000000 / s->options.frequency_hz;
	}
	r = profile_builder_string(builder, type, &period.type);
	r = r ?: profile_builder_string(builder, unit, &period.unit);
	if (!r)
		profile_builder_period(builder, &period, every);
	return r;
}

int session_build_profile(struct session *s, struct profile **ret)
{
	_cleanup_(profile_builder_freep) struct profile_builder *builder = profile_builder_new();
	/* Modules are named one after the other: a small cache serves as well as a large one. */
	struct symbolizer_options limits = { .cache_bytes = s->options.memory_bytes / 8,
					     .isolated = true };
	_cleanup_(symbolizer_freep) struct symbolizer *symbolizer = symbolizer_new(&limits);
	struct resolve_options options = {
		.window = processing_window(s->processing),
		.sources = s->rows,
		.shown = s->shown,
		.labels = s->options.labels,
		.source_count = s->source_count,
		.symbolizer = symbolizer,
		.module = module_by_id,
		.module_context = s->tables,
		.jit_maps = processing_jit_maps(s->processing),
		.label_notes = s->label_notes,
		.target_pid = s->options.pid_count ? (uint32_t)s->options.pids[0] : 0,
	};
	int r;

	if (!builder || !symbolizer)
		return -ENOMEM;
	r = resolve_window(&options, builder, &s->resolved);
	s->finished = true;
	session_note_naming(s, symbolizer);
	r = r ?: add_period(s, builder);
	r = r ?: session_add_comments(s, builder);
	if (r < 0)
		return r;
	profile_builder_time(builder, s->start_realtime_ns, s->end_ns - s->start_ns);
	return profile_builder_finish(builder, ret);
}
