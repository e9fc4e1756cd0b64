/* SPDX-License-Identifier: BSD-2-Clause */
#include "formats/writer.h"

#include <errno.h>
#include <string.h>

#include "formats/writers.h"

const struct writer writer_table[] = {
	{ .name = "pprof",
	  .suffix = ".pb.gz",
	  .write = pprof_write_gzip,
	  .help = "pprof profile, for go tool pprof, Pyroscope, Parca, speedscope" },
	{ .name = "pprof-raw",
	  .suffix = ".pb",
	  .write = pprof_write,
	  .help = "pprof profile, not compressed" },
	{ .name = "folded",
	  .suffix = ".folded",
	  .one_value = true,
	  .write = folded_write,
	  .help = "a line of text per stack, for flame graph scripts, grep and diff" },
	{ .name = "svg",
	  .suffix = ".svg",
	  .one_value = true,
	  .write = svg_write,
	  .help = "flame graph, to look at in a browser or put on a page" },
	{ .name = NULL },
};

const struct writer *writer_find_name(const char *name)
{
	const struct writer *writer;

	for (writer = writer_table; writer->name; writer++) {
		if (!strcmp(writer->name, name))
			return writer;
	}
	return NULL;
}

const struct writer *writer_find_suffix(const char *path)
{
	const struct writer *writer, *found = NULL;
	size_t path_size = strlen(path);
	size_t size, found_size = 0;

	for (writer = writer_table; writer->name; writer++) {
		size = strlen(writer->suffix);
		if (size > found_size && size <= path_size &&
		    !strcmp(path + path_size - size, writer->suffix)) {
			found = writer;
			found_size = size;
		}
	}
	return found;
}

int writer_main_value(const struct profile *profile, const char *source)
{
	const struct profile_value_type *type;
	int found = -ENOENT;
	uint32_t i;

	if (!source && profile->default_value_type < profile->value_type_count)
		return (int)profile->default_value_type;
	for (i = 0; i < profile->value_type_count && source; i++) {
		type = &profile->value_types[i];
		if (strcmp(profile->strings[type->source], source))
			continue;
		if (type->is_main)
			return (int)i;
		/* Where none is marked, the last one: a count comes before what it counts. */
		found = (int)i;
	}
	return found;
}

uint64_t writer_negative_count(const struct profile *profile, uint32_t value_type)
{
	uint64_t count = 0;
	uint32_t i;

	for (i = 0; i < profile->sample_count; i++)
		count += profile->samples[i].values[value_type] < 0;
	return count;
}
