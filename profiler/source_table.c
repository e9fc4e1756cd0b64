/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source_table.c - one row per kind of profile. `wick list`, --help, completion and the
 * README's tables are printed from these rows.
 */
#include <string.h>

#include "profiler/session.h"
#include "profiler/source.h"
#include "profiler/source_rows.h"

#define OPTION_MIN                                                                       \
	{ "min", "leave shorter ones out, as min=1ms", source_parse_duration,            \
	  offsetof(struct wick_settings, value_min) }
#define OPTION_MAX                                                                       \
	{ "max", "leave longer ones out, as max=10s", source_parse_duration,             \
	  offsetof(struct wick_settings, value_max) }
#define OPTION_FLAG(name, help, index)                                                   \
	{ name, help, NULL, offsetof(struct wick_settings, option[index]) }

static const struct source_option offcpu_options[] = {
	OPTION_MIN,
	OPTION_MAX,
	OPTION_FLAG("preempted", "also the time a task could run and another did", 0),
	OPTION_FLAG("waker", "who ended the wait, on top of the stack", 1),
	{ 0 },
};

const struct source source_table[] = {
	{ .name = "cpu", .help = "where CPUs spend their time, on a clock",
	  .objects = { "cpu" }, .reason = "on-cpu",
	  .values = { { "samples", "count", false, true }, { "cpu", "nanoseconds", true, false } },
	  .attach = source_cpu_attach,
	  .update_cpus = source_cpu_update },
	{ .name = "offcpu",
	  .help = "where tasks wait, from switch-out to switch-in",
	  .objects = { "offcpu" },
	  .options = offcpu_options,
	  .in_tracepoint = true,
	  .values = { { "waits", "count", false, false },
		      { "off_cpu", "nanoseconds", true, true } },
	  .labels = WICK_DETAIL_BIT(REASON) | WICK_DETAIL_BIT(SYSCALL),
	  .peer_label = "waker", .prepare = source_offcpu_prepare,
	  .attach = source_attach_programs },
	{ .name = "wall", .help = "where tasks spend their time, on a CPU and waiting",
	  .parts = { "cpu", "offcpu" }, .options = offcpu_options,
	  .values = { { "wall", "nanoseconds", true, true } } },
	{ 0 },
};

const struct source *source_find(const char *name)
{
	for (const struct source *s = source_table; s->name; s++)
		if (!strcmp(s->name, name))
			return s;
	return NULL;
}

const char *session_event_value(const char *text, size_t index)
{
	const struct source *source = source_find(text);

	return source && index < SOURCE_VALUES_MAX ? source->values[index].type : NULL;
}

const char *session_source_name(size_t index, const char **ret_help)
{
	if (index >= ARRAY_SIZE(source_table) - 1)
		return NULL;
	*ret_help = source_table[index].help;
	return source_table[index].name;
}
