/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/options/help.h"

#include <stdio.h>
#include <string.h>

#include "tools/message.h"

#define LINE_COLUMNS 80
#define NAME_COLUMNS 28	/* where the meaning of an option begins */
#define VALUE_COLUMNS 20

static const struct {
	const char *status, *meaning;
} help_statuses[] = {
	{ "0", "success; a command that was run gives its own status, 128+N for signal N" },
	{ "1", "something failed; this wins over the command's status" },
	{ "2", "the command line is wrong" },
	{ "3", "not permitted or not supported here: the message says what is missing" },
	{ "126", "the command was found and cannot be run" },
	{ "127", "the command was not found" },
	{ "128+N", "a second signal N ended it at once; no file is half-written" },
};

const char *help_exit_status(size_t index, const char **ret_meaning)
{
	if (index >= ARRAY_SIZE(help_statuses))
		return NULL;
	*ret_meaning = help_statuses[index].meaning;
	return help_statuses[index].status;
}

/*
 * The words of @text up to @column LINE_COLUMNS; the line is at @column now,
 * the next ones begin at @indent. Ends with a newline.
 */
static void add_wrapped(struct strbuf *ret, const char *text, size_t size, size_t column,
			size_t indent)
{
	bool first = true;

	while (size) {
		const char *space = memchr(text, ' ', size);
		size_t word = space ? (size_t)(space - text) : size;

		if (!first && column + 1 + word > LINE_COLUMNS) {
			strbuf_printf(ret, "\n%*s", (int)indent, "");
			column = indent;
		} else if (!first) {
			strbuf_add_char(ret, ' ');
			column++;
		}
		strbuf_add(ret, text, word);
		column += word;
		first = false;
		text += word + (space ? 1 : 0);
		size -= word + (space ? 1 : 0);
	}
	strbuf_add_char(ret, '\n');
}

/* "  NAME      MEANING", the meaning from @columns on, and on its own line behind a long name. */
static void add_entry(struct strbuf *ret, const char *name, const char *meaning, size_t columns)
{
	size_t size = strlen(name);

	strbuf_printf(ret, "  %s", name);
	if (!meaning || !*meaning) {
		strbuf_add_char(ret, '\n');
		return;
	}
	if (size + 4 > columns) {
		strbuf_add_char(ret, '\n');
		size = 0;
		strbuf_printf(ret, "%*s", (int)columns, "");
	} else {
		strbuf_printf(ret, "%*s", (int)(columns - size - 2), "");
	}
	add_wrapped(ret, meaning, strlen(meaning), columns, columns);
}

static void add_paragraphs(struct strbuf *ret, const char *text)
{
	while (*text) {
		const char *end = strstr(text, "\n\n");
		size_t size = end ? (size_t)(end - text) : strlen(text);

		strbuf_add_char(ret, '\n');
		add_wrapped(ret, text, size, 0, 0);
		text += size + (end ? 2 : 0);
	}
}

void help_option_name(const struct option_row *row, struct strbuf *ret)
{
	if (row->letter)
		strbuf_printf(ret, "-%c", row->letter);
	if (row->letter && row->name)
		strbuf_add_text(ret, ", ");
	if (row->name)
		strbuf_printf(ret, "--%s", row->name);
	if (row->argument)
		strbuf_printf(ret, " %s", row->argument);
}

bool help_begins_section(const struct option_row *table, const struct option_row *row)
{
	const struct option_row *before = NULL;

	for (; table < row; table++)
		if (table->help)
			before = table;
	return !before || strcmp(before->section, row->section) != 0;
}

static void add_options(struct strbuf *ret, const struct option_row *table)
{
	const struct option_row *row;

	for (row = table; !option_row_is_end(row); row++) {
		_cleanup_strbuf_ struct strbuf name = STRBUF_INIT;

		if (!row->help)
			continue;
		if (help_begins_section(table, row))
			strbuf_printf(ret, "\n%s\n", row->section);
		if (!row->letter)
			strbuf_add_text(&name, "    ");
		help_option_name(row, &name);
		add_entry(ret, name.data, row->help, NAME_COLUMNS);
	}
}

static void add_choices(struct strbuf *ret, const struct option_row *table)
{
	const struct option_row *row;
	const char *name, *help;
	size_t i;

	for (row = table; !option_row_is_end(row); row++) {
		if (!row->help || !row->choice || !row->choice(0, &help))
			continue;
		strbuf_printf(ret, "\nValues of --%s\n", row->name);
		for (i = 0; (name = row->choice(i, &help)); i++)
			add_entry(ret, name, help, VALUE_COLUMNS);
	}
}

static void add_more(struct strbuf *ret, const struct option_row *table)
{
	const struct option_row *row;

	for (row = table; !option_row_is_end(row); row++) {
		if (!row->more)
			continue;
		strbuf_printf(ret, "\n%s\n", row->more_title);
		for (size_t i = 0;; i++) {
			_cleanup_strbuf_ struct strbuf name = STRBUF_INIT, help = STRBUF_INIT;

			if (!row->more(i, &name, &help))
				break;
			add_entry(ret, name.data, help.data, VALUE_COLUMNS);
		}
	}
}

void help_command(const struct tool *tool, struct strbuf *ret)
{
	const struct tool_example *example;

	strbuf_printf(ret, "usage: wick %s%s%s\n", tool->name, *tool->usage ? " " : "",
		      tool->usage);
	add_paragraphs(ret, tool->description);
	add_options(ret, tool->options);
	add_choices(ret, tool->options);
	add_more(ret, tool->options);
	if (!tool->examples)
		return;
	strbuf_add_text(ret, "\nExamples\n");
	for (example = tool->examples; example->command; example++)
		strbuf_printf(ret, "  %s\n      %s\n", example->command, example->meaning);
}

void help_overview(struct strbuf *ret)
{
	const char *status, *meaning;
	size_t i;

	strbuf_add_text(ret, "usage: wick COMMAND [OPTION]...\n\n"
			     "wick says what processes and the kernel spend time on.\n\n"
			     "Commands\n");
	for (i = 0; tool_table[i]; i++)
		add_entry(ret, tool_table[i]->name, tool_table[i]->summary, VALUE_COLUMNS);
	strbuf_add_text(ret, "\nExit status\n");
	for (i = 0; (status = help_exit_status(i, &meaning)); i++)
		add_entry(ret, status, meaning, VALUE_COLUMNS);
	strbuf_add_text(ret, "\nwick COMMAND --help says more of each.\n");
}

int help_print(const struct tool *tool)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	help_command(tool, &text);
	return message_print(&text);
}

int help_missing_command(void)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	help_overview(&text);
	fputs(text.data, stderr);
	return ERROR_USAGE;
}
