/* SPDX-License-Identifier: BSD-2-Clause */
/* wick report: top functions, the call tree, and who used how much. */
#include "tools/report/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "formats/reader.h"
#include "tools/message.h"
#include "tools/report/profile_value.h"
#include "tools/tool.h"

#define DEFAULT_FILE "wick.pb.gz"
#define DEFAULT_LIMIT 30
#define DEFAULT_TREE_SHARE 0.005
#define LIMIT_UNSET UINT32_MAX
#define SHARE_UNSET (-1.0)

struct report_options {
	struct tool_common common;
	bool tree, notes, json;
	int sort; /* enum tally_order */
	const char *by, *value, *output;
	uint32_t limit;
	double min_share;
};

static const struct {
	const char *name, *help;
} report_keys[] = {
	{ "function", "functions, inlined ones too (the default)" },
	{ "module", "programs, libraries and the kernel" },
	{ "comm", "names of processes" },
	{ "thread", "names of threads" },
	{ "pid", "processes" },
	{ "tid", "threads" },
};

static const char *by_choice(size_t index, const char **ret_help)
{
	if (index >= ARRAY_SIZE(report_keys))
		return NULL;
	*ret_help = report_keys[index].help;
	return report_keys[index].name;
}

/* In the order of enum tally_order. */
static const char *sort_choice(size_t index, const char **ret_help)
{
	static const char *const names[] = { "self", "total" };
	static const char *const helps[] = { "what it did itself", "and what it called" };

	if (index >= ARRAY_SIZE(names))
		return NULL;
	*ret_help = helps[index];
	return names[index];
}

static int parse_share(const struct option_row *row, const char *value, void *field,
		       struct error *err)
{
	char *end;
	double percent = strtod(value, &end);

	if (end == value || (*end && strcmp(end, "%")) || !(percent >= 0 && percent <= 100))
		return option_refuse(row, value, err, "must be a number from 0 to 100");
	*(double *)field = percent / 100;
	return 0;
}

static const struct option_row report_table[] = {
	{ .name = "tree", .section = "What to show",
	  .help = "the call tree, from the processes down to the leaves",
	  .parse = option_parse_flag, .offset = offsetof(struct report_options, tree) },
	{ .name = "by", .argument = "KEY", .section = "What to show",
	  .help = "rows are these, or any other label of the profile",
	  .parse = option_parse_text, .offset = offsetof(struct report_options, by),
	  .choice = by_choice },
	{ .name = "value", .argument = "NAME", .section = "What to show",
	  .help = "this value of the profile (default: its own default)",
	  .parse = option_parse_text, .offset = offsetof(struct report_options, value) },
	{ .name = "sort", .argument = "COLUMN", .section = "What to show",
	  .help = "the largest first of this column", .parse = option_parse_choice,
	  .offset = offsetof(struct report_options, sort), .choice = sort_choice },
	{ .letter = 'n', .name = "limit", .argument = "N", .section = "What to show",
	  .help = "at most N rows; 0: all (default: 30, and all of a tree)",
	  .parse = option_parse_u32, .offset = offsetof(struct report_options, limit),
	  .max = LIMIT_UNSET - 1 },
	{ .name = "min-share", .argument = "PERCENT", .section = "What to show",
	  .help = "nothing below this share of the total (default: 0, of a tree 0.5)",
	  .parse = parse_share, .offset = offsetof(struct report_options, min_share) },
	{ .name = "notes", .section = "What to show",
	  .help = "what the profile says of itself: losses, incomplete stacks, fallbacks",
	  .parse = option_parse_flag,
	  .offset = offsetof(struct report_options, notes) },
	{ .letter = 'o', .name = "output", .argument = "FILE", .section = "Output",
	  .help = "write to FILE instead of standard output", .parse = option_parse_text,
	  .offset = offsetof(struct report_options, output), .completion = COMPLETE_FILE },
	{ .name = "json", .section = "Output", .help = "as JSON, with plain numbers",
	  .parse = option_parse_flag, .offset = offsetof(struct report_options, json) },
	TOOL_HELP_OPTION,
	{ 0 },
};

static int make_table(const struct report *report, const struct report_options *options,
		      struct strbuf *text, struct error *err)
{
	_cleanup_(tally_done) struct tally tally = { 0 };
	const struct tally_options count = {
		.value_type = report->value_type, .by = options->by,
		.order = (enum tally_order)options->sort,
	};
	int r;

	r = tally_init(&tally, report->profile, &count);
	if (r == -ENOENT)
		return error_set(err, ERROR_FAILED, r,
				 "bad value: --by %s: no sample of this profile has such a label",
				 options->by);
	if (r >= 0)
		r = options->json ? report_add_table_json(report, &tally, text) :
				    report_add_table(report, &tally, text);
	return r < 0 ? message_no_memory(err) : 0;
}

static int make_tree(const struct report *report, const struct report_options *options,
		     struct strbuf *text, struct error *err)
{
	const struct writer_options write = { .value_type = report->value_type };
	struct flame_tree tree = { 0 };
	int r;

	r = flame_tree_init(&tree, report->profile, &write, report->min_share);
	if (r >= 0)
		r = options->json ? report_add_tree_json(report, &tree, text) :
				    report_add_tree(report, &tree, text);
	flame_tree_done(&tree);
	return r < 0 ? message_no_memory(err) : 0;
}

static int make_report(const struct report_options *options, const char *path,
		       struct strbuf *text, struct error *err)
{
	_cleanup_(profile_freep) struct profile *profile = NULL;
	struct report report = { .file = path, .by = options->by ? options->by : "function" };
	int r;

	r = reader_read_file(path, &profile, NULL, err);
	if (r < 0)
		return r;
	report.profile = profile;
	r = profile_value_find(profile, options->value, &report.value_type, err);
	if (r < 0)
		return r;
	report.notes = options->notes;
	report.limit = options->limit;
	if (options->limit == LIMIT_UNSET)
		report.limit = options->tree ? 0 : DEFAULT_LIMIT;
	report.min_share = options->min_share;
	if (options->min_share < 0)
		report.min_share = options->tree ? DEFAULT_TREE_SHARE : 0;
	return options->tree ? make_tree(&report, options, text, err) :
			       make_table(&report, options, text, err);
}

/* Columns of the terminal that standard output is; 0: it is none. */
static size_t terminal_columns(void)
{
	struct winsize size;

	return isatty(STDOUT_FILENO) && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) ? size.ws_col : 0;
}

static bool begins_character(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

/* A line of @size bytes; what is beyond the last column becomes a sign that there is more. */
static void add_line(struct strbuf *ret, const char *line, size_t size, size_t columns)
{
	size_t count = 0, last = size, i;

	for (i = 0; i < size && count <= columns; i++) {
		if (!begins_character(line[i]))
			continue;
		if (++count == columns)
			last = i;
	}
	strbuf_add(ret, line, count > columns ? last : size);
	strbuf_add_text(ret, count > columns ? "\u2026\n" : "\n");
}

/* Names may be long, and lines that are cut are easier to read than lines that are broken. */
static int cut_lines(struct strbuf *text, size_t columns)
{
	_cleanup_free_ char *whole = strbuf_take(text);
	const char *line, *end;

	if (!whole)
		return -ENOMEM;
	for (line = whole; *line; line = *end ? end + 1 : end) {
		end = strchrnul(line, '\n');
		add_line(text, line, (size_t)(end - line), columns);
	}
	return text->error;
}

static int write_report(const struct strbuf *text, const char *path, struct error *err)
{
	_cleanup_(sink_abortp) struct sink *sink = NULL;
	int r;

	r = sink_open_file(path, &sink);
	if (r >= 0)
		r = sink_write(sink, text->data, text->size);
	if (r >= 0)
		r = sink_close(take_ptr(sink));
	if (r < 0)
		return error_set(err, ERROR_FAILED, r, "cannot write: %s: %s", path, strerror(-r));
	return 0;
}

static int report_run(int argc, char **argv)
{
	struct report_options options = { .limit = LIMIT_UNSET, .min_share = SHARE_UNSET };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct option_words words;
	struct error err;
	size_t columns = terminal_columns();
	int status, r = 0;

	if (tool_parse(&report_tool, argc, argv, &options, &words, &status) < 0)
		return status;
	if (options.tree && options.by)
		r = error_set(&err, ERROR_USAGE, -EINVAL, "bad options: --tree with --by");
	if (r >= 0)
		r = make_report(&options, words.count ? words.words[0] : DEFAULT_FILE, &text, &err);
	if (r >= 0 && options.output)
		r = write_report(&text, options.output, &err);
	if (r >= 0 && columns && !options.output && !options.json && cut_lines(&text, columns) < 0)
		r = message_no_memory(&err);
	if (r < 0)
		return message_error(&err);
	return options.output ? 0 : message_print(&text);
}

static const struct tool_example report_examples[] = {
	{ "wick report wick.pb.gz", "the functions that used the most" },
	{ "wick report --sort total -n 10", "the ten that it passed through, of wick.pb.gz" },
	{ "wick report --tree p.folded | less", "who called them" },
	{ "wick report --by pid --json wick.pb.gz", "the processes, for a program" },
	{ NULL, NULL },
};

const struct tool report_tool = {
	.name = "report",
	.summary = "show the top functions, the call tree or the processes of a profile",
	.usage = "[FILE]",
	.description =
		"Read a profile, of wick or another tool, and show where its values went. FILE is "
		"pprof or folded stacks, plain or compressed; - is standard input, and wick.pb.gz "
		"is read without FILE.\n\n"
		"The self of a function is what was measured while it ran itself, its total what "
		"was measured while it or anything it called ran. Shares are of the profile's "
		"total. Code that has no name counts for its file, as [libc.so.6]. On a terminal "
		"lines are cut at its width.",
	.examples = report_examples,
	.options = report_table,
	.words_max = 1,
	.takes_files = true,
	.run = report_run,
};
