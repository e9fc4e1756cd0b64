/* SPDX-License-Identifier: BSD-2-Clause */
/* wick help and wick version. */
#include <stdio.h>

#include "tools/message.h"
#include "tools/options/help.h"
#include "tools/tool.h"

struct help_options {
	struct tool_common common;
	bool man;
};

static const struct option_row help_options[] = {
	{ .name = "man", .help = "print the man page wick(1), of all commands", .section = "Other",
	  .parse = option_parse_flag, .offset = offsetof(struct help_options, man) },
	TOOL_HELP_OPTION,
	{ 0 },
};

static const char *command_choice(size_t index)
{
	return tool_table[index] ? tool_table[index]->name : NULL;
}

static int help_run(int argc, char **argv)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	const struct tool *tool = NULL;
	struct help_options options = { 0 };
	struct option_words words;
	int status;

	if (tool_parse(&help_tool, argc, argv, &options, &words, &status) < 0)
		return status;
	if (words.count) {
		tool = tool_find(words.words[0]);
		if (!tool)
			return tool_refuse(words.words[0]);
	}
	if (options.man)
		help_man_page(&text);
	else if (tool)
		help_command(tool, &text);
	else
		help_overview(&text);
	return message_print(&text);
}

const struct tool help_tool = {
	.name = "help",
	.summary = "say what a command does and which options it has",
	.usage = "[COMMAND]",
	.description = "Print the list of commands, or the help of one of them.",
	.options = help_options,
	.words_max = 1,
	.word_choice = command_choice,
	.run = help_run,
};

static const struct option_row version_options[] = {
	TOOL_HELP_OPTION,
	{ 0 },
};

static int version_run(int argc, char **argv)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct tool_common options = { 0 };
	struct option_words words;
	int status;

	if (tool_parse(&version_tool, argc, argv, &options, &words, &status) < 0)
		return status;
	strbuf_add_text(&text, "wick " WICK_VERSION "\n");
	return message_print(&text);
}

const struct tool version_tool = {
	.name = "version",
	.summary = "print the version",
	.usage = "",
	.description = "Print the version of wick; the same as wick --version.",
	.options = version_options,
	.run = version_run,
};
