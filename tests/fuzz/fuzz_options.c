/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_options.c - any lines as the words of a command line, of the command named first. */
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"
#include "tools/record/record_options.h"
#include "tools/tool.h"
#include "tools/trace/trace_options.h"

#define WORDS_MAX 64
/* More than the options of any command take. */
#define VALUES_BYTES 8192

/* Lists are the only fields that own memory. */
static void free_lists(const struct option_row *table, void *values)
{
	for (; !option_row_is_end(table); table++) {
		if (table->parse == option_parse_texts)
			text_list_done((void *)((char *)values + table->offset));
		if (table->parse == option_parse_processes)
			process_list_done((void *)((char *)values + table->offset));
	}
}

static void check_words(const struct option_words *words, int argc)
{
	int i;

	fuzz_check(words->count >= 0 && words->count < argc,
		   "there are more words than were given");
	for (i = 0; i < words->count; i++)
		fuzz_touch_text(words->words[i]);
	for (i = 0; words->command && words->command[i]; i++)
		fuzz_touch_text(words->command[i]);
}

static void parse_record(int argc, char **argv)
{
	struct record_options options;
	struct session_options session;
	struct option_words words = { 0 };
	struct error err = { 0 };

	record_options_init(&options);
	if (options_parse(record_option_table, argc, argv, &options, &words, &err) == 0) {
		check_words(&words, argc);
		options.command = words.command;
		if (record_options_check(&options, &err) == 0)
			record_options_session(&options, &session);
	}
	fuzz_touch_text(err.text);
	record_options_done(&options);
}

static void parse_trace(int argc, char **argv)
{
	struct trace_options options;
	struct session_options session;
	struct option_words words = { 0 };
	struct error err = { 0 };

	trace_options_init(&options);
	if (options_parse(trace_option_table, argc, argv, &options, &words, &err) == 0) {
		check_words(&words, argc);
		if (trace_options_check(&options, &words, &err) == 0)
			trace_options_session(&options, &session);
	}
	fuzz_touch_text(err.text);
	trace_options_done(&options);
}

static void parse_other(const struct tool *tool, int argc, char **argv)
{
	_cleanup_free_ void *values = calloc(1, VALUES_BYTES);
	struct option_words words = { 0 };
	struct error err = { 0 };

	fuzz_check(values != NULL, "no memory");
	if (options_parse(tool->options, argc, argv, values, &words, &err) == 0)
		check_words(&words, argc);
	fuzz_touch_text(err.text);
	free_lists(tool->options, values);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	_cleanup_free_ char *text = fuzz_text(bytes, size);
	char *argv[WORDS_MAX + 1] = { text }, *rest = text;
	const struct tool *tool;
	int argc = 0;

	while (rest && argc < WORDS_MAX)
		argv[argc++] = strsep(&rest, "\n");
	argv[argc] = NULL;
	tool = tool_find(argv[0]);
	if (!tool || tool == &record_tool)
		parse_record(argc, argv);
	else if (tool == &trace_tool)
		parse_trace(argc, argv);
	else
		parse_other(tool, argc, argv);
	return 0;
}
