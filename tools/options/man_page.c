/* SPDX-License-Identifier: BSD-2-Clause */
/* wick(1) from the command table: it cannot say other than --help does. */
#include "tools/options/help.h"

#include <string.h>

/* In roff a line that begins with . or ' is a request, and a plain - may become a hyphen. */
static void add_roff(struct strbuf *ret, const char *text, size_t size)
{
	const char *end = text + size;
	bool begins_line = true;

	for (; text < end; text++) {
		if (begins_line && (*text == '.' || *text == '\''))
			strbuf_add_text(ret, "\\&");
		if (*text == '\\')
			strbuf_add_text(ret, "\\e");
		else if (*text == '-')
			strbuf_add_text(ret, "\\-");
		else if (*text == '\'')
			strbuf_add_text(ret, "\\(aq");
		else
			strbuf_add_char(ret, *text);
		begins_line = *text == '\n';
	}
}

static void add_roff_text(struct strbuf *ret, const char *text)
{
	add_roff(ret, text, strlen(text));
}

/* A heading or another macro with one argument. */
static void add_macro(struct strbuf *ret, const char *macro, const char *argument)
{
	strbuf_printf(ret, ".%s \"", macro);
	for (; *argument; argument++)
		strbuf_add_char(ret, *argument == '"' ? '\'' : *argument);
	strbuf_add_text(ret, "\"\n");
}

static void add_paragraphs(struct strbuf *ret, const char *text)
{
	while (*text) {
		const char *end = strstr(text, "\n\n");
		size_t size = end ? (size_t)(end - text) : strlen(text);

		strbuf_add_text(ret, ".PP\n");
		add_roff(ret, text, size);
		strbuf_add_char(ret, '\n');
		text += size + (end ? 2 : 0);
	}
}

/* A name in bold, its meaning behind or below it. */
static void add_entry(struct strbuf *ret, const char *name, const char *meaning)
{
	strbuf_add_text(ret, ".TP\n\\fB");
	add_roff_text(ret, name);
	strbuf_add_text(ret, "\\fR\n");
	add_roff_text(ret, meaning && *meaning ? meaning : " ");
	strbuf_add_char(ret, '\n');
}

static void add_options(struct strbuf *ret, const struct option_row *table)
{
	const struct option_row *row;

	for (row = table; !option_row_is_end(row); row++) {
		_cleanup_strbuf_ struct strbuf name = STRBUF_INIT;

		if (!row->help)
			continue;
		if (help_begins_section(table, row))
			strbuf_printf(ret, ".PP\n\\fI%s\\fR\n", row->section);
		help_option_name(row, &name);
		add_entry(ret, name.data, row->help);
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
		strbuf_printf(ret, ".PP\n\\fIValues of \\-\\-%s\\fR\n", row->name);
		for (i = 0; (name = row->choice(i, &help)); i++)
			add_entry(ret, name, help);
	}
}

static void add_more(struct strbuf *ret, const struct option_row *table)
{
	const struct option_row *row;

	for (row = table; !option_row_is_end(row); row++) {
		if (!row->more)
			continue;
		strbuf_printf(ret, ".PP\n\\fI%s\\fR\n", row->more_title);
		for (size_t i = 0;; i++) {
			_cleanup_strbuf_ struct strbuf name = STRBUF_INIT, help = STRBUF_INIT;

			if (!row->more(i, &name, &help))
				break;
			add_entry(ret, name.data, help.data);
		}
	}
}

static void add_examples(struct strbuf *ret, const struct tool_example *example)
{
	if (!example)
		return;
	strbuf_add_text(ret, ".PP\n\\fIExamples\\fR\n");
	for (; example->command; example++)
		add_entry(ret, example->command, example->meaning);
}

static void add_tool(struct strbuf *ret, const struct tool *tool)
{
	_cleanup_strbuf_ struct strbuf name = STRBUF_INIT;

	strbuf_printf(&name, "wick %s", tool->name);
	add_macro(ret, "SS", name.data);
	strbuf_add_text(ret, ".PP\n");
	strbuf_printf(&name, "%s%s", *tool->usage ? " " : "", tool->usage);
	strbuf_add_text(ret, "\\fB");
	add_roff_text(ret, name.data);
	strbuf_add_text(ret, "\\fR\n");
	add_paragraphs(ret, tool->description);
	add_options(ret, tool->options);
	add_choices(ret, tool->options);
	add_more(ret, tool->options);
	add_examples(ret, tool->examples);
}

void help_man_page(struct strbuf *ret)
{
	const char *status, *meaning;
	size_t i;

	strbuf_add_text(ret, ".TH WICK 1 \"\" \"wick " WICK_VERSION "\"\n"
			     ".SH NAME\nwick \\- a profiler for everything that runs\n"
			     ".SH SYNOPSIS\n\\fBwick\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR]...\n"
			     ".SH COMMANDS\n");
	for (i = 0; tool_table[i]; i++)
		add_tool(ret, tool_table[i]);
	add_macro(ret, "SH", "EXIT STATUS");
	for (i = 0; (status = help_exit_status(i, &meaning)); i++)
		add_entry(ret, status, meaning);
}
