/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/record/record_write.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "profiler/base/strbuf.h"
#include "tools/message.h"
#include "tools/report/profile_value.h"

/* As record_options_check() allows, and the NULL behind them. */
#define BY_KEYS_MAX 16

struct record_writing {
	const struct record_options *options;
	const struct profile *profile;
	struct signals *signals;
	const char *by[BY_KEYS_MAX];
	uint32_t *values;	/* value types that one-value formats show, each of another source */
	uint32_t value_count;
	struct record_files *files;
};

char *record_source_path(const char *path, const char *suffix, const char *source)
{
	size_t path_size = strlen(path), suffix_size = strlen(suffix);
	char *result, *c;

	if (path_size < suffix_size || strcmp(path + path_size - suffix_size, suffix))
		suffix_size = 0;
	path_size -= suffix_size;
	if (asprintf(&result, "%.*s.%s%s", (int)path_size, path, source, path + path_size) < 0)
		return NULL;
	/* A probe's name may hold a path. */
	for (c = result + path_size + 1; c < result + path_size + 1 + strlen(source); c++)
		if (*c == '/')
			*c = '_';
	return result;
}

static bool is_first_of_source(const struct profile *profile, uint32_t value)
{
	uint32_t i;

	for (i = 0; i < value; i++)
		if (profile->value_types[i].source == profile->value_types[value].source)
			return false;
	return true;
}

/* The main value of each source. */
static void choose_main_values(struct record_writing *writing)
{
	const struct profile *profile = writing->profile;
	const char *source;
	uint32_t i;
	int value;

	for (i = 0; i < profile->value_type_count; i++) {
		if (!is_first_of_source(profile, i))
			continue;
		source = profile->strings[profile->value_types[i].source];
		value = writer_main_value(profile, source);
		if (value >= 0)
			writing->values[writing->value_count++] = (uint32_t)value;
	}
}

/* Every value called @name. */
static void choose_named_values(struct record_writing *writing, const char *name)
{
	const struct profile *profile = writing->profile;
	uint32_t i;

	for (i = 0; i < profile->value_type_count; i++)
		if (!strcmp(profile->strings[profile->value_types[i].type], name))
			writing->values[writing->value_count++] = i;
}

static int fail_memory(void)
{
	struct error err;

	message_no_memory(&err);
	message_error(&err);
	return -ENOMEM;
}

static int choose_values(struct record_writing *writing)
{
	const char *name = writing->options->value;

	writing->values = calloc(writing->profile->value_type_count + 1, sizeof(uint32_t));
	if (!writing->values)
		return fail_memory();
	if (name)
		choose_named_values(writing, name);
	else
		choose_main_values(writing);
	return 0;
}

static void choose_keys(struct record_writing *writing)
{
	const struct text_list *by = &writing->options->by;
	size_t i;

	for (i = 0; i < by->count && i < BY_KEYS_MAX - 1; i++)
		writing->by[i] = by->texts[i];
}

static void warn_negative(const struct record_writing *writing, const char *path, uint32_t value)
{
	uint64_t count = writer_negative_count(writing->profile, value);

	if (count)
		message_warn("%s: left out %" PRIu64 " stacks with a negative value",
			     record_output_shown(path), count);
}

static int write_sink(const struct record_writing *writing, const struct record_output *output,
		      const char *path, const struct writer_options *options, uint64_t *ret_bytes)
{
	_cleanup_(sink_abortp) struct sink *sink = NULL;
	uint64_t bytes;
	int r;

	r = sink_open_file(path, &sink);
	if (r < 0)
		return r;
	r = output->writer->write(writing->profile, options, sink);
	if (r < 0)
		return r;
	bytes = sink_written_bytes(sink);
	r = sink_close(take_ptr(sink));
	if (r < 0)
		return r;
	*ret_bytes = bytes;
	return 0;
}

static int add_file(struct record_files *files, const struct record_output *output,
		    const char *path, uint64_t bytes)
{
	_cleanup_free_ char *copy = strdup(path);

	if (!copy || alloc_grow(&files->files, &files->capacity, files->count + 1) < 0)
		return -ENOMEM;
	files->files[files->count++] = (struct record_file){
		.path = take_ptr(copy),
		.writer = output->writer,
		.bytes = bytes,
		.in_place = output->in_place,
	};
	return 0;
}

static int write_value(const struct record_writing *writing, const struct record_output *output,
		       const char *path, uint32_t value)
{
	struct writer_options options = { .value_type = value,
					  .by = writing->by[0] ? writing->by : NULL,
					  .icicle = writing->options->icicle };
	uint64_t bytes = 0;
	struct error err;
	int r;

	/* A pipe whose reader has stopped reading must not make the second signal wait. */
	if (writing->signals && !output->in_place)
		signals_hold(writing->signals);
	r = write_sink(writing, output, path, &options, &bytes);
	if (writing->signals && !output->in_place)
		signals_release(writing->signals);
	if (r >= 0)
		r = add_file(writing->files, output, path, bytes);
	if (r >= 0 && output->writer->one_value)
		warn_negative(writing, path, value);
	if (r < 0) {
		record_output_refuse(path, r, &err);
		message_error(&err);
	}
	return r;
}

static int write_source(const struct record_writing *writing, const struct record_output *output,
			uint32_t value)
{
	const struct profile *profile = writing->profile;
	const char *source = profile->strings[profile->value_types[value].source];
	_cleanup_free_ char *path = NULL;

	path = record_source_path(output->path, output->writer->suffix, source);
	if (!path)
		return fail_memory();
	return write_value(writing, output, path, value);
}

static int write_output(const struct record_writing *writing, const struct record_output *output)
{
	uint32_t i;
	int r, result = 0;

	if (!output->writer->one_value || !writing->value_count)
		return write_value(writing, output, output->path,
				   writing->profile->default_value_type);
	/* One after the other in a pipe would add up what must not be added. */
	if (writing->value_count > 1 && output->in_place)
		message_warn("%s: continuing without all but one of %" PRIu32 " values",
			     record_output_shown(output->path), writing->value_count);
	if (writing->value_count == 1 || output->in_place)
		return write_value(writing, output, output->path, writing->values[0]);
	for (i = 0; i < writing->value_count; i++) {
		r = write_source(writing, output, writing->values[i]);
		if (r < 0)
			result = r;
	}
	return result;
}

int record_write(const struct record_outputs *outputs, const struct record_options *options,
		 const struct profile *profile, struct signals *signals, struct record_files *ret)
{
	struct record_writing writing = { .options = options, .profile = profile,
					  .signals = signals, .files = ret };
	int r, result;
	size_t i;

	result = choose_values(&writing);
	choose_keys(&writing);
	for (i = 0; i < outputs->count && result != -ENOMEM; i++) {
		r = write_output(&writing, &outputs->items[i]);
		if (r < 0)
			result = r;
	}
	free(writing.values);
	return result;
}

void record_files_done(struct record_files *files)
{
	size_t i;

	for (i = 0; i < files->count; i++)
		free(files->files[i].path);
	free(files->files);
	*files = (struct record_files){ 0 };
}
