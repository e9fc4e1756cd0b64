/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source_table.c - one row per kind of profile. `wick list`, --help, completion and the
 * README's tables are printed from these rows.
 */
#include <string.h>

#include "profiler/session.h"
#include "profiler/source.h"

const struct source source_table[] = {
	{ .name = "cpu", .help = "where CPUs spend their time, on a clock",
	  .objects = { "cpu" },
	  .values = { { "samples", "count", false, true }, { "cpu", "nanoseconds", true, false } },
	  .attach = source_cpu_attach, .update_cpus = source_cpu_update },
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
