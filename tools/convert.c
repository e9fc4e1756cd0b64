/* SPDX-License-Identifier: BSD-2-Clause */
/* wick convert: any readable format → any writable format. */
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "formats/reader.h"
#include "formats/writer.h"
#include "tools/message.h"
#include "tools/options/writer_option.h"
#include "tools/report/profile_value.h"
#include "tools/tool.h"

#define BY_KEYS_MAX 15

struct convert_options {
	struct tool_common common;
	struct text_list outputs;
	struct text_list by;
	const struct writer *format;
	const char *value;
	bool icicle;
};

static const struct option_row convert_table[] = {
	{ .letter = 'o', .name = "output", .argument = "FILE", .section = "Output",
	  .help = "write to FILE, whose suffix says the format; - is standard output; may be repeated",
	  .parse = option_parse_texts, .offset = offsetof(struct convert_options, outputs),
	  .completion = COMPLETE_FILE },
	{ .name = "format", .argument = "NAME", .section = "Output",
	  .help = "the format where no suffix says it", .parse = option_parse_writer,
	  .offset = offsetof(struct convert_options, format), .choice = option_writer_choice },
	{ .name = "value", .argument = "NAME", .section = "Output",
	  .help = "the value that formats with one value show (default: the main one)",
	  .parse = option_parse_text, .offset = offsetof(struct convert_options, value) },
	{ .name = "by", .argument = "LABEL", .section = "Output", .is_list = true,
	  .help = "add frames for these labels after the process: pid, tid, thread",
	  .parse = option_parse_texts, .offset = offsetof(struct convert_options, by) },
	{ .name = "icicle", .section = "Output",
	  .help = "draw flame graphs upside down: the root on top, leaves below",
	  .parse = option_parse_flag, .offset = offsetof(struct convert_options, icicle) },
	TOOL_HELP_OPTION,
	{ 0 },
};

static void convert_options_done(struct convert_options *options)
{
	text_list_done(&options->outputs);
	text_list_done(&options->by);
}

static bool is_standard_output(const char *path)
{
	return !strcmp(path, "-");
}

static int choose_writer(const struct convert_options *options, const char *path,
			 const struct writer **ret, struct error *err)
{
	const struct writer *writer = writer_find_suffix(path);

	if (!writer)
		writer = options->format;
	if (!writer)
		return error_set(err, ERROR_USAGE, -EINVAL,
				 "unknown format: %s: give --format, or a suffix of wick list",
				 path);
	/* What shows all values is no text. */
	if (is_standard_output(path) && !writer->one_value && isatty(STDOUT_FILENO))
		return error_set(err, ERROR_USAGE, -EINVAL,
				 "cannot write: standard output: %s is not for a terminal",
				 writer->name);
	*ret = writer;
	return 0;
}

/* All that the command line can be wrong in, before anything is read. */
static int check_options(const struct convert_options *options, const struct option_words *words,
			 struct error *err)
{
	const struct writer *writer;
	size_t i;
	int r;

	if (!words->count)
		return error_set(err, ERROR_USAGE, -EINVAL,
				 "missing file: what to convert; - is standard input");
	if (!options->outputs.count)
		return error_set(err, ERROR_USAGE, -EINVAL, "missing option: -o FILE");
	if (options->by.count > BY_KEYS_MAX)
		return error_set(err, ERROR_USAGE, -EINVAL, "bad option: --by: at most %d labels",
				 BY_KEYS_MAX);
	for (i = 0; i < options->outputs.count; i++) {
		r = choose_writer(options, options->outputs.texts[i], &writer, err);
		if (r < 0)
			return r;
	}
	return 0;
}

/*
 * Without --value the main one of the default's source, which is what wick
 * record would have written.
 */
static int choose_value(const struct convert_options *options, const struct profile *profile,
			uint32_t *ret, struct error *err)
{
	const struct profile_value_type *type;
	uint32_t index;
	int r;

	r = profile_value_find(profile, options->value, &index, err);
	if (r < 0)
		return r;
	type = &profile->value_types[index];
	r = options->value ? -ENOENT : writer_main_value(profile, profile->strings[type->source]);
	*ret = r < 0 ? index : (uint32_t)r;
	return 0;
}

/* What a format with one value does not show. */
static void note_left_out(const struct profile *profile, const struct writer *writer,
			  const struct writer_options *options)
{
	uint64_t negative;

	if (!writer->one_value)
		return;
	negative = writer_negative_count(profile, options->value_type);
	if (negative)
		message_warn("%s leaves out %" PRIu64 " samples whose %s is negative", writer->name,
			     negative,
			     profile->strings[profile->value_types[options->value_type].type]);
}

static int write_output(const struct profile *profile, const struct writer *writer,
			const struct writer_options *options, const char *path, struct error *err)
{
	_cleanup_(sink_abortp) struct sink *sink = NULL;
	int r;

	r = sink_open_file(path, &sink);
	if (r >= 0)
		r = writer->write(profile, options, sink);
	if (r >= 0)
		r = sink_close(take_ptr(sink));
	if (r < 0)
		return error_set(err, ERROR_FAILED, r, "cannot write: %s: %s",
				 is_standard_output(path) ? "standard output" : path, strerror(-r));
	note_left_out(profile, writer, options);
	return 0;
}

static int convert_file(const struct convert_options *options, const char *path,
			struct error *err)
{
	_cleanup_(profile_freep) struct profile *profile = NULL;
	const char *by[BY_KEYS_MAX + 1] = { NULL };
	struct writer_options write = { .by = options->by.count ? by : NULL,
					.icicle = options->icicle };
	const struct writer *writer;
	size_t i;
	int r;

	r = reader_read_file(path, &profile, NULL, err);
	if (r < 0)
		return r;
	for (i = 0; i < options->by.count; i++) {
		by[i] = options->by.texts[i];
		profile_warn_key(profile, by[i]);
	}
	/* A pprof may be without any value, and become another pprof. */
	r = choose_value(options, profile, &write.value_type, err);
	for (i = 0; i < options->outputs.count && r >= 0; i++) {
		r = choose_writer(options, options->outputs.texts[i], &writer, err);
		if (r >= 0)
			r = write_output(profile, writer, &write, options->outputs.texts[i], err);
	}
	return r;
}

static int convert_run(int argc, char **argv)
{
	_cleanup_(convert_options_done) struct convert_options options = { 0 };
	struct option_words words;
	struct error err;
	int status;

	if (tool_parse(&convert_tool, argc, argv, &options, &words, &status) < 0)
		return status;
	if (check_options(&options, &words, &err) < 0 ||
	    convert_file(&options, words.words[0], &err) < 0)
		return message_error(&err);
	return 0;
}

static const struct tool_example convert_examples[] = {
	{ "wick convert wick.pb.gz -o wick.svg", "a flame graph of a profile" },
	{ "wick convert cpu.pprof -o - --format folded | grep malloc",
	  "the stacks of a Go program's own profile as text" },
	{ "perf script | stackcollapse-perf.pl | wick convert - -o perf.pb.gz",
	  "what perf has recorded, for go tool pprof" },
	{ NULL, NULL },
};

const struct tool convert_tool = {
	.name = "convert",
	.summary = "turn a profile into another format",
	.usage = "FILE -o FILE [-o FILE]...",
	.description =
		"Read a profile, of wick or another tool, and write it in other formats. What "
		"FILE is is seen by its content: pprof or folded stacks, plain or compressed; - is "
		"standard input.\n\n"
		"In folded stacks the first frame is the process. A format that shows one value "
		"gets the main one of the profile's default event.",
	.examples = convert_examples,
	.options = convert_table,
	.words_max = 1,
	.takes_files = true,
	.run = convert_run,
};
