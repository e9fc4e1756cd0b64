/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/tool.h"

#include <errno.h>
#include <string.h>

#include "profiler/base/suggest.h"
#include "tools/message.h"
#include "tools/options/help.h"

const struct tool *const tool_table[] = {
	&record_tool,
	&trace_tool,
	&report_tool,
	&convert_tool,
	&symbolize_tool,
	&list_tool,
	&doctor_tool,
	&help_tool,
	&completion_tool,
	&version_tool,
	NULL,
};

const struct tool *tool_find(const char *name)
{
	size_t i;

	for (i = 0; tool_table[i]; i++)
		if (!strcmp(tool_table[i]->name, name))
			return tool_table[i];
	return NULL;
}

int tool_refuse(const char *name)
{
	struct suggestion suggestion = { .wanted = name };
	const char *nearest;
	struct error err;
	size_t i;

	for (i = 0; tool_table[i]; i++)
		suggestion_offer(&suggestion, tool_table[i]->name);
	nearest = suggestion_get(&suggestion);
	error_set(&err, ERROR_USAGE, -EINVAL, "unknown command: %s: %s%s%s", name,
		  nearest ? "did you mean " : "see wick help", nearest ? nearest : "",
		  nearest ? "?" : "");
	return message_error(&err);
}

static int refuse_word(const struct tool *tool, const char *word, struct error *err)
{
	if (tool->words_hint)
		return error_set(err, ERROR_USAGE, -EINVAL, "unexpected argument: %s: %s", word,
				 tool->words_hint);
	return error_set(err, ERROR_USAGE, -EINVAL, "unexpected argument: %s: see wick %s --help",
			 word, tool->name);
}

int tool_parse(const struct tool *tool, int argc, char **argv, void *values,
	       struct option_words *ret, int *ret_status)
{
	struct tool_common *common = values;
	struct option_words words;
	struct error err;
	int r;

	r = options_parse(tool->options, argc, argv, values, &words, &err);
	if (r >= 0 && common->help) {
		*ret_status = help_print(tool);
		return -ECANCELED;
	}
	if (r >= 0 && words.count > tool->words_max)
		r = refuse_word(tool, words.words[tool->words_max], &err);
	if (r < 0) {
		*ret_status = message_error(&err);
		return r;
	}
	*ret = words;
	return 0;
}
