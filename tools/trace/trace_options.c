/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/trace/trace_options.h"

#include <errno.h>
#include <string.h>

#include "profiler/base/number.h"
#include "tools/message.h"
#include "tools/options/event_list.h"
#include "tools/record/record_rows.h"
#include "tools/tool.h"

/* In the order of enum trace_clock. */
static const char *clock_choice(size_t index, const char **ret_help)
{
	static const struct {
		const char *name, *help;
	} clocks[] = {
		{ "wall", "the time of day" },
		{ "monotonic", "since the machine was started" },
		{ "relative", "since the trace began" },
	};

	if (index >= ARRAY_SIZE(clocks))
		return NULL;
	*ret_help = clocks[index].help;
	return clocks[index].name;
}

static int parse_rate(const struct option_row *row, const char *value, void *field,
		      struct error *err)
{
	size_t size = strlen(value);
	_cleanup_free_ char *number = strdup(value);
	uint64_t rate;

	if (!number)
		return message_no_memory(err);
	if (size > 2 && !strcmp(value + size - 2, "/s"))
		number[size - 2] = '\0';
	if (number_parse_u64(number, UINT32_MAX, &rate) < 0 || !rate)
		return option_refuse(row, value, err, "not a number of events a second, as 100/s");
	*(uint32_t *)field = (uint32_t)rate;
	return 0;
}

#define TRACE_FIELD(member) .offset = offsetof(struct trace_options, member)
#define EVENTS "Events: which, and how many"
#define OUTPUTS "Outputs"
_Static_assert(!offsetof(struct trace_options, record), "rows of wick record are for that");

const struct option_row trace_option_table[] = {
	RECORD_TARGET_ROWS,

	{ 'e', "event", "EVENT,...", "an event, as those that are no options; commas in (), <> and "
	  "quotes do not split", .section = EVENTS,
	  record_parse_events, RECORD_FIELD(events), .choice = session_source_name,
	  .more = record_event_option, .more_title = "Behind an event, at a comma",
	  .is_list = true },
	RECORD_TIME_ROWS(EVENTS),
	{ 0, "count", "N", "end after N events", .section = EVENTS,
	  option_parse_u32, TRACE_FIELD(events_max), .min = 1 },
	{ 0, "limit", "N/s", "show no more than N events a second; others are counted",
	  .section = EVENTS, parse_rate, TRACE_FIELD(events_per_second) },
	RECORD_LABEL_ROW(EVENTS),
	{ 0, "stack", NULL, "the stack that led there, below each event", .section = EVENTS,
	  option_parse_flag, TRACE_FIELD(stack) },
	RECORD_DEPTH_ROWS(EVENTS),

	{ 'o', "output", "FILE", "write to FILE instead of standard output", .section = OUTPUTS,
	  option_parse_text, TRACE_FIELD(output), .completion = COMPLETE_FILE },
	{ 0, "time", "CLOCK", "what times are: wall, monotonic or relative (wall; --chrome: "
	  "monotonic)", .section = OUTPUTS,
	  option_parse_choice, TRACE_FIELD(clock), .choice = clock_choice },
	{ 0, "json", NULL, "an object a line, instead of text", .section = OUTPUTS,
	  option_parse_flag, TRACE_FIELD(json) },
	{ 0, "chrome", NULL, "a trace for chrome://tracing, Perfetto and speedscope",
	  .section = OUTPUTS, option_parse_flag, TRACE_FIELD(chrome) },
	{ 0, "histogram", NULL,
	  "no lines: have the kernel count how long each took, by powers of "
	  "two, and print that at the end",
	  .section = OUTPUTS, option_parse_flag, RECORD_FIELD(histogram) },
	{ 0, "by", "KEY,...",
	  "no lines: count in the kernel, for each comm, pid or other label, and "
	  "print a table; or, with --histogram, one for each",
	  .section = OUTPUTS, option_parse_texts, RECORD_FIELD(by), .choice = record_by_choice,
	  .is_list = true },
	RECORD_TOP_ROW(OUTPUTS),

	RECORD_MESSAGE_ROWS,
	TOOL_HELP_OPTION,

	/* Shown nowhere. */
	{ 0, "capacity", "NAME=N", NULL, NULL, record_parse_limit, RECORD_FIELD(limits),
	  .choice = record_limit_choice },
	{ 0 },
};

const char *trace_event_choice(size_t index)
{
	const char *help;

	return session_source_name(index, &help);
}

void trace_options_init(struct trace_options *options)
{
	*options = (struct trace_options){ .clock = -1 };
	record_options_init(&options->record);
	options->record.stacks = 0;
}

void trace_options_done(struct trace_options *options)
{
	record_options_done(&options->record);
}

bool trace_options_is_counted(const struct trace_options *options)
{
	return options->record.histogram || options->record.by.count;
}

static int refuse(struct error *err, const char *what)
{
	return error_set(err, ERROR_USAGE, -EINVAL, "bad options: %s", what);
}

static int check_counted(const struct trace_options *options, struct error *err)
{
	if (options->chrome)
		return refuse(err,
			      "--chrome with --histogram or --by: there are no events to show");
	if (options->stack)
		return refuse(err, "--stack with --histogram or --by: wick record has stacks");
	if (options->output)
		return refuse(err,
			      "--output with --histogram or --by: they are for standard output");
	if (options->events_max || options->events_per_second)
		return refuse(err, "--count or --limit with --histogram or --by: all are counted");
	return 0;
}

static int add_events(struct trace_options *options, const struct option_words *words,
		      struct error *err)
{
	const char *reason;

	for (int i = 0; i < words->count; i++) {
		int r = event_list_add(&options->record.events, words->words[i], &reason);

		if (r == -ENOMEM)
			return message_no_memory(err);
		if (r < 0)
			return error_set(err, ERROR_USAGE, r, "bad event: %s: %s", words->words[i],
					 reason);
	}
	if (!options->record.events.count)
		return error_set(err, ERROR_USAGE, -EINVAL, "missing event: wick trace EVENT, as "
				 "wick trace exit; see wick list");
	return 0;
}

int trace_options_check(struct trace_options *options, const struct option_words *words,
			struct error *err)
{
	int r;

	options->record.command = words->command;
	r = add_events(options, words, err);
	if (r < 0)
		return r;
	if (options->json && options->chrome)
		return refuse(err, "--json with --chrome: one or the other");
	r = trace_options_is_counted(options) ? check_counted(options, err) : 0;
	if (r < 0)
		return r;
	/* What it would say about it is of tables. */
	options->record.json = options->json && trace_options_is_counted(options);
	return record_options_check(&options->record, err);
}

void trace_options_session(const struct trace_options *options, struct session_options *ret)
{
	record_options_session(&options->record, ret);
	if (trace_options_is_counted(options))
		return;
	ret->delivery = SESSION_EVENTS;
	ret->stream = true;
	ret->events_max = options->events_max;
	ret->events_per_second = options->events_per_second;
	if (options->stack)
		ret->stacks = SESSION_STACKS_USER | SESSION_STACKS_KERNEL;
}

const struct trace_format *trace_options_format(const struct trace_options *options)
{
	return options->chrome ? &trace_chrome : options->json ? &trace_json : &trace_text;
}
