/* SPDX-License-Identifier: BSD-2-Clause */
/* wick list: what can be sampled, what tells samples apart, and the formats read and written. */
#include <stdio.h>

#include "formats/json.h"
#include "formats/reader.h"
#include "formats/writer.h"
#include "profiler/session.h"
#include "tools/list_probes.h"
#include "tools/message.h"
#include "tools/tool.h"

struct list_options {
	struct tool_common common;
	struct process_list pids;
	bool json;
};

static const struct option_row list_table[] = {
	{ 'p', "pid", "PID,...",
	  "files that these processes have mapped, for patterns of functions", "Patterns",
	  option_parse_processes, offsetof(struct list_options, pids), .completion = COMPLETE_PID },
	{ .name = "json",
	  .section = "Output",
	  .help = "as JSON",
	  .parse = option_parse_flag,
	  .offset = offsetof(struct list_options, json) },
	TOOL_HELP_OPTION,
	{ 0 },
};

struct list_entry {
	const char *name, *suffix, *help; /* suffix may be NULL */
};

static bool event_entry(size_t index, struct list_entry *ret)
{
	ret->name = session_source_name(index, &ret->help);
	return ret->name != NULL;
}

static bool label_entry(size_t index, struct list_entry *ret)
{
	ret->name = session_label_name(index, &ret->help);
	return ret->name != NULL;
}

static bool writer_entry(size_t index, struct list_entry *ret)
{
	const struct writer *writer = &writer_table[index];

	*ret = (struct list_entry){ writer->name, writer->suffix, writer->help };
	return writer->name != NULL;
}

static bool reader_entry(size_t index, struct list_entry *ret)
{
	const struct reader *reader = &reader_table[index];

	*ret = (struct list_entry){ reader->name, NULL, reader->help };
	return reader->name != NULL;
}

/* The events are looked for on this machine. */
static const struct list_part {
	const char *name, *title;
	bool (*entry)(size_t index, struct list_entry *ret);
	bool is_events;
} list_parts[] = {
	{ "events", "Events, for wick record -e", event_entry, true },
	{ "labels", "Labels, for --label and --by beside comm, thread, pid and tid", label_entry },
	{ "writes", "Formats that are written", writer_entry },
	{ "reads", "Formats that are read", reader_entry },
};

/* What may be asked of an event, and what its samples have. */
static void add_takes(struct strbuf *ret, size_t event)
{
	const char *name, *help;
	size_t i;

	for (i = 0; (name = session_event_option(event, i, &help)); i++) {
		strbuf_printf(ret, i ? ", " : "  %-12s options: ", "");
		strbuf_add_text(ret, name);
	}
	if (i)
		strbuf_add_char(ret, '\n');
	for (i = 0; (name = session_event_label(event, i)); i++) {
		strbuf_printf(ret, i ? ", " : "  %-12s labels: ", "");
		strbuf_add_text(ret, name);
	}
	if (i)
		strbuf_add_char(ret, '\n');
}

static void add_takes_json(struct strbuf *ret, size_t event)
{
	const char *name, *help;
	size_t i;

	strbuf_add_text(ret, ", \"options\": [");
	for (i = 0; (name = session_event_option(event, i, &help)); i++) {
		strbuf_add_text(ret, i ? ", {\"name\": " : "{\"name\": ");
		json_add_text(ret, name);
		strbuf_add_text(ret, ", \"help\": ");
		json_add_text(ret, help);
		strbuf_add_char(ret, '}');
	}
	strbuf_add_text(ret, "], \"labels\": [");
	for (i = 0; (name = session_event_label(event, i)); i++) {
		strbuf_add_text(ret, i ? ", " : "");
		json_add_text(ret, name);
	}
	strbuf_add_char(ret, ']');
}

static void add_lacks(struct strbuf *ret, struct session_needs *needs, size_t event)
{
	struct session_lack lack;
	size_t i;

	for (i = 0; session_source_lack(needs, event, i, &lack); i++)
		strbuf_printf(ret, "  %-12s %s%s: %s; instead: %s\n", "",
			      lack.part ? "without " : "not here", lack.part ?: "", lack.reason,
			      lack.substitute);
}

static void add_lacks_json(struct strbuf *ret, struct session_needs *needs, size_t event)
{
	struct session_lack lack;
	bool usable = true;
	size_t i;

	strbuf_add_text(ret, ", \"lacks\": [");
	for (i = 0; session_source_lack(needs, event, i, &lack); i++) {
		strbuf_add_text(ret, i ? ", {\"reason\": " : "{\"reason\": ");
		json_add_text(ret, lack.reason);
		strbuf_add_text(ret, ", \"part\": ");
		json_add_text(ret, lack.part);
		strbuf_add_text(ret, ", \"instead\": ");
		json_add_text(ret, lack.substitute);
		strbuf_add_char(ret, '}');
		usable = usable && lack.part;
	}
	strbuf_printf(ret, "], \"usable\": %s", usable ? "true" : "false");
}

static void add_text(struct strbuf *ret, const struct list_part *part,
		     struct session_needs *needs)
{
	struct list_entry entry = { 0 };
	size_t i;

	strbuf_printf(ret, "%s%s\n", ret->size ? "\n" : "", part->title);
	for (i = 0; part->entry(i, &entry); i++) {
		strbuf_printf(ret, "  %-12s ", entry.name);
		if (entry.suffix)
			strbuf_printf(ret, "%-10s ", entry.suffix);
		strbuf_printf(ret, "%s\n", entry.help);
		if (part->is_events) {
			add_takes(ret, i);
			add_lacks(ret, needs, i);
		}
	}
}

static void add_json(struct strbuf *ret, const struct list_part *part,
		     struct session_needs *needs)
{
	struct list_entry entry = { 0 };
	size_t i;

	strbuf_printf(ret, "%s\"%s\": [", part == list_parts ? "{" : ",\n ", part->name);
	for (i = 0; part->entry(i, &entry); i++) {
		strbuf_add_text(ret, i ? ",\n  {\"name\": " : "\n  {\"name\": ");
		json_add_text(ret, entry.name);
		if (entry.suffix) {
			strbuf_add_text(ret, ", \"suffix\": ");
			json_add_text(ret, entry.suffix);
		}
		strbuf_add_text(ret, ", \"help\": ");
		json_add_text(ret, entry.help);
		if (part->is_events) {
			add_takes_json(ret, i);
			add_lacks_json(ret, needs, i);
		}
		strbuf_add_char(ret, '}');
	}
	strbuf_add_char(ret, ']');
}

static int list_all(const struct list_options *options)
{
	_cleanup_(session_needs_freep) struct session_needs *needs = NULL;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct error err;
	size_t i;

	needs = session_needs_new();
	if (!needs) {
		message_no_memory(&err);
		return message_error(&err);
	}
	for (i = 0; i < ARRAY_SIZE(list_parts); i++)
		(options->json ? add_json : add_text)(&text, &list_parts[i], needs);
	if (options->json)
		strbuf_add_text(&text, "}\n");
	return message_print(&text);
}

static int list_run(int argc, char **argv)
{
	struct list_options options = { 0 };
	struct option_words words;
	int status;

	if (tool_parse(&list_tool, argc, argv, &options, &words, &status) < 0)
		return status;
	status = words.count ? list_probes(words.words[0], &options.pids, options.json) :
			       list_all(&options);
	process_list_done(&options.pids);
	return status;
}

static const struct tool_example list_examples[] = {
	{ "wick list", "events, labels and formats, and what is missing here" },
	{ "wick list 'tracepoint:sched:*'", "tracepoints of the scheduler, with their fields" },
	{ "wick list 'kprobe:tcp_*'", "functions of the kernel, with their arguments" },
	{ "wick list 'uprobe:libc:mem*'", "functions of a library" },
	{ "wick list 'usdt::*' -p 4242", "the probes that a process's files declare" },
	{ 0 },
};

const struct tool list_tool = {
	.name = "list",
	.summary = "list what can be sampled, and the formats",
	.usage = "[PATTERN]",
	.description =
		"Print the events and labels of wick record, and the formats that are read "
		"and written. Where this machine cannot record an event, or only a part of "
		"it, a line below it says why, and what to use or get instead. What "
		"recording as a whole needs says wick doctor.\n\n"
		"With a pattern print the probes that match, with their arguments, as they can "
		"be given to wick record -e and wick trace: SCHEME:PATTERN, of functions and "
		"USDT probes SCHEME:FILE:PATTERN, where * ? and [a-z] match any characters. "
		"Without a scheme it is all of the kernel's. Of one function of the kernel, "
		"kprobe:NAME, it is said whether it is probed by fentry, and if not, why it is a "
		"kprobe, which costs more.",
	.examples = list_examples,
	.words_max = 1,
	.options = list_table,
	.run = list_run,
};
