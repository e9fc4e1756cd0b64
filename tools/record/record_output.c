/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/record/record_output.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "profiler/base/strbuf.h"
#include "tools/message.h"

#define DEFAULT_FORMAT "pprof"
#define TERMINAL_FORMAT "folded"

static bool is_standard_output(const char *path)
{
	return !strcmp(path, "-") || !strcmp(path, "/dev/stdout");
}

const char *record_output_shown(const char *path)
{
	return is_standard_output(path) ? "standard output" : path;
}

int record_output_refuse(const char *path, int code, struct error *err)
{
	return error_set(err, ERROR_FAILED, code, "cannot write: %s: %s", record_output_shown(path),
			 strerror(-code));
}

/* Formats that are no text; a terminal would only be upset by them. */
static bool is_binary(const struct writer *writer)
{
	static const char *const names[] = { "pprof", "pprof-raw", "otlp" };
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(writer->name, names[i]))
			return true;
	return false;
}

static int refuse_suffix(const char *path, struct error *err)
{
	_cleanup_strbuf_ struct strbuf known = STRBUF_INIT;
	const struct writer *writer;

	for (writer = writer_table; writer->name; writer++)
		strbuf_printf(&known, "%s%s", writer == writer_table ? "" : ", ", writer->suffix);
	return error_set(err, ERROR_USAGE, -EINVAL,
			 "unknown format: %s: its suffix is none of %s, and there is no --format",
			 path, known.data);
}

static int choose_writer(struct record_output *output, const struct writer *format,
			 struct error *err)
{
	bool to_terminal = is_standard_output(output->path) && isatty(STDOUT_FILENO);

	output->writer = writer_find_suffix(output->path);
	if (!output->writer)
		output->writer = format;
	if (!output->writer && output->in_place)
		output->writer = writer_find_name(to_terminal ? TERMINAL_FORMAT : DEFAULT_FORMAT);
	if (!output->writer)
		return refuse_suffix(output->path, err);
	if (to_terminal && is_binary(output->writer))
		return error_set(err, ERROR_USAGE, -EINVAL,
				 "cannot write: standard output: %s is not for a terminal; use "
				 "--format %s, or -o FILE", output->writer->name, TERMINAL_FORMAT);
	return 0;
}

/*
 * Sees whether @output can be written without writing to it. What is in place
 * is not opened: the reader of a pipe would take our closing it for the end.
 */
static int try_output(const struct record_output *output)
{
	struct sink *sink;
	int flags, r;

	if (is_standard_output(output->path)) {
		flags = fcntl(STDOUT_FILENO, F_GETFL);
		if (flags < 0)
			return -errno;
		return (flags & O_ACCMODE) == O_RDONLY ? -EBADF : 0;
	}
	if (output->in_place)
		return access(output->path, W_OK) < 0 ? -errno : 0;
	r = sink_open_file(output->path, &sink);
	if (r >= 0)
		sink_abort(sink);
	return r;
}

static int open_output(struct record_output *output, const char *path,
		       const struct writer *format, struct error *err)
{
	struct stat st;
	int r;

	output->path = path;
	output->in_place = is_standard_output(path);
	if (!output->in_place && !stat(path, &st)) {
		if (S_ISDIR(st.st_mode))
			return record_output_refuse(path, -EISDIR, err);
		output->in_place = !S_ISREG(st.st_mode);
	}
	r = choose_writer(output, format, err);
	if (r < 0)
		return r;
	r = try_output(output);
	return r < 0 ? record_output_refuse(path, r, err) : 0;
}

/* Two -o for one file: the second would replace, or follow, what the first wrote. */
static int check_twice(const struct record_outputs *outputs, struct error *err)
{
	size_t i, j;

	for (i = 0; i < outputs->count; i++)
		for (j = 0; j < i; j++)
			if (!strcmp(record_output_shown(outputs->items[i].path),
				    record_output_shown(outputs->items[j].path)))
				return error_set(err, ERROR_USAGE, -EINVAL,
						 "bad options: --output %s: given twice",
						 outputs->items[i].path);
	return 0;
}

/* What cannot have a file per source can show only one of several. */
static int check_sources(const struct record_outputs *outputs,
			 const struct record_options *options, struct error *err)
{
	size_t i;

	for (i = 0; i < outputs->count && options->events.count > 1 && !options->value; i++)
		if (outputs->items[i].in_place && outputs->items[i].writer->one_value)
			return error_set(err, ERROR_USAGE, -EINVAL,
					 "cannot write: %s: %s shows one value, and there are "
					 "several events; pick one with --value, or use -o FILE",
					 record_output_shown(outputs->items[i].path),
					 outputs->items[i].writer->name);
	return 0;
}

static const char *default_path(struct record_outputs *outputs,
				const struct record_options *options)
{
	const struct writer *writer = options->format;

	if (!writer)
		writer = writer_find_name(DEFAULT_FORMAT);
	if (asprintf(&outputs->default_path, "wick%s", writer->suffix) < 0)
		outputs->default_path = NULL;
	return outputs->default_path;
}

int record_outputs_open(struct record_outputs *outputs, const struct record_options *options,
			struct error *err)
{
	size_t count = options->outputs.count, i;
	int r;

	*outputs = (struct record_outputs){ 0 };
	if (!count && record_options_is_shown(options))
		return 0;
	outputs->items = calloc(count ? count : 1, sizeof(*outputs->items));
	if (!outputs->items || (!count && !default_path(outputs, options)))
		return message_no_memory(err);
	outputs->count = count ? count : 1;
	for (i = 0; i < outputs->count; i++) {
		const char *path = count ? options->outputs.texts[i] : outputs->default_path;

		r = open_output(&outputs->items[i], path, options->format, err);
		if (r < 0)
			return r;
	}
	r = check_twice(outputs, err);
	return r < 0 ? r : check_sources(outputs, options, err);
}

void record_outputs_done(struct record_outputs *outputs)
{
	free(outputs->items);
	free(outputs->default_path);
	*outputs = (struct record_outputs){ 0 };
}
