/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wick completion: what bash, zsh and fish offer, from the command table.
 *
 * Choices (events, formats) are written out, as they are the program's own.
 * Where an option takes a list, its last item is completed.
 */
#include <errno.h>
#include <string.h>

#include "profiler/base/suggest.h"
#include "tools/message.h"
#include "tools/tool.h"

static void add_names(struct strbuf *ret, const struct option_row *row)
{
	if (row->letter)
		strbuf_printf(ret, " -%c", row->letter);
	strbuf_printf(ret, " --%s", row->name);
}

/* Behind a blank, up to what stands for something else: [ or CAPITALS. */
static void add_choice(struct strbuf *ret, const char *name)
{
	strbuf_printf(ret, " %.*s", (int)strcspn(name, "[ABCDEFGHIJKLMNOPQRSTUVWXYZ"), name);
}

/* Every choice of @row, and what may follow them. */
static void add_choices(struct strbuf *ret, const struct option_row *row)
{
	const char *name, *help;
	size_t i;

	for (i = 0; (name = row->choice(i, &help)); i++)
		add_choice(ret, name);
	for (i = 0; row->more; i++) {
		_cleanup_strbuf_ struct strbuf more = STRBUF_INIT, unused = STRBUF_INIT;

		if (!row->more(i, &more, &unused))
			break;
		add_choice(ret, more.data);
	}
}

/* Files come before choices: those of -o are suffixes. */
static bool completes_choices(const struct option_row *row)
{
	return row->choice && row->completion == COMPLETE_NOTHING;
}

/* @text inside the single quotes of any of the three shells. */
static void add_quoted(struct strbuf *ret, const char *text)
{
	for (; *text; text++) {
		if (*text == '\'')
			strbuf_add_text(ret, "'\\''");
		else
			strbuf_add_char(ret, *text);
	}
}

/* What to offer behind the option of @row: a case of bash. */
static void bash_add_value(struct strbuf *ret, const struct tool *tool,
			   const struct option_row *row)
{
	static const char *const actions[] = {
		[COMPLETE_NOTHING] = "-W ''",
		[COMPLETE_FILE] = "-f",
		[COMPLETE_FOLDER] = "-d",
		[COMPLETE_PID] = "-W \"$(cd /proc && echo [0-9]*)\"",
		[COMPLETE_USER] = "-u",
	};

	strbuf_printf(ret, "\t%s:--%s", tool->name, row->name);
	if (row->letter)
		strbuf_printf(ret, "|%s:-%c", tool->name, row->letter);
	strbuf_printf(ret, ") %s ", row->is_list ? "_wick_list" : "_wick_value");
	if (completes_choices(row)) {
		strbuf_add_text(ret, "-W '");
		add_choices(ret, row);
		strbuf_add_char(ret, '\'');
	} else {
		strbuf_add_text(ret, actions[row->completion]);
	}
	strbuf_add_text(ret, "; return ;;\n");
}

static void bash_add_words(struct strbuf *ret, const struct tool *tool)
{
	const struct option_row *row;
	size_t i;

	strbuf_printf(ret, "\t%s) %swords='", tool->name, tool->takes_files ? "files=-f " : "");
	for (row = tool->options; !option_row_is_end(row); row++)
		if (row->help)
			add_names(ret, row);
	for (i = 0; tool->word_choice && tool->word_choice(i); i++)
		strbuf_printf(ret, " %s", tool->word_choice(i));
	strbuf_add_text(ret, "' ;;\n");
}

/* bash takes = for a word of its own, so that --opt=value comes as three. */
static const char bash_head[] =
	"# wick completion bash: source it, or put it where bash-completion looks.\n"
	"_wick_value() { COMPREPLY=($(compgen \"$@\" -- \"$current\")); }\n"
	"_wick_list() {\n"
	"\tlocal begin=\n"
	"\tcase $current in *,*) begin=${current%,*}, ;; esac\n"
	"\tCOMPREPLY=($(compgen -P \"$begin\" \"$@\" -- \"${current##*,}\"))\n"
	"}\n"
	"_wick() {\n"
	"\tlocal i words= files= command=${COMP_WORDS[1]} current=${COMP_WORDS[COMP_CWORD]}\n"
	"\tlocal before=${COMP_WORDS[COMP_CWORD-1]}\n"
	"\tif [ \"$current\" = = ]; then current=\n"
	"\telif [ \"$before\" = = ]; then before=${COMP_WORDS[COMP_CWORD-2]}; fi\n"
	"\tfor ((i = 2; i < COMP_CWORD; i++)); do\n"
	"\t\tif [ \"${COMP_WORDS[i]}\" = -- ]; then _wick_value -c; return; fi\n"
	"\tdone\n"
	"\tcase $command:$before in\n";

static void bash_print(struct strbuf *ret)
{
	const struct option_row *row;
	size_t i;

	strbuf_add_text(ret, bash_head);
	for (i = 0; tool_table[i]; i++)
		for (row = tool_table[i]->options; !option_row_is_end(row); row++)
			if (row->help && row->argument)
				bash_add_value(ret, tool_table[i], row);
	strbuf_add_text(ret, "\tesac\n\tcase $command in\n");
	for (i = 0; tool_table[i]; i++)
		bash_add_words(ret, tool_table[i]);
	strbuf_add_text(ret, "\tesac\n\tif [ \"$COMP_CWORD\" = 1 ]; then words='");
	for (i = 0; tool_table[i]; i++)
		strbuf_printf(ret, " %s", tool_table[i]->name);
	strbuf_add_text(ret,
			"'; fi\n\t_wick_value $files -W \"$words\"\n}\ncomplete -F _wick wick\n");
}

/* In _arguments, [ ] end a help text and : a field. */
static void zsh_add_text(struct strbuf *ret, const char *text)
{
	for (; *text; text++) {
		if (strchr("[]:\\", *text))
			strbuf_add_char(ret, '\\');
		if (*text == '\'')
			strbuf_add_text(ret, "'\\''");
		else
			strbuf_add_char(ret, *text);
	}
}

/* What follows the [help] of an option with a value. */
static void zsh_add_value(struct strbuf *ret, const struct option_row *row)
{
	static const char *const actions[] = {
		[COMPLETE_NOTHING] = NULL,
		[COMPLETE_FILE] = "_files",
		[COMPLETE_FOLDER] = "_files -/",
		[COMPLETE_PID] = "_pids",
		[COMPLETE_USER] = "_users",
	};

	const char *action = actions[row->completion];

	strbuf_printf(ret, ":%s:", row->argument);
	if (row->is_list && (action || completes_choices(row)))
		strbuf_add_text(ret, "_sequence ");
	if (completes_choices(row)) {
		strbuf_add_text(ret, "compadd -");
		add_choices(ret, row);
	} else {
		strbuf_add_text(ret, action ? action : " ");
	}
}

static void zsh_add_option(struct strbuf *ret, const struct option_row *row)
{
	const char *letter_end = row->argument ? "+" : "", *name_end = row->argument ? "=" : "";

	strbuf_add_text(ret, " \\\n\t\t'*'");
	if (row->letter)
		strbuf_printf(ret, "{-%c%s,--%s%s}'[", row->letter, letter_end, row->name,
			      name_end);
	else
		strbuf_printf(ret, "'--%s%s[", row->name, name_end);
	zsh_add_text(ret, row->help);
	strbuf_add_char(ret, ']');
	if (row->argument)
		zsh_add_value(ret, row);
	strbuf_add_char(ret, '\'');
}

static void zsh_add_tool(struct strbuf *ret, const struct tool *tool)
{
	const struct option_row *row;
	size_t i;

	strbuf_printf(ret, "\t%s) _arguments -s -S", tool->name);
	for (row = tool->options; !option_row_is_end(row); row++)
		if (row->help)
			zsh_add_option(ret, row);
	if (tool->word_choice) {
		strbuf_add_text(ret, " \\\n\t\t'1: :(");
		for (i = 0; tool->word_choice(i); i++)
			strbuf_printf(ret, "%s%s", i ? " " : "", tool->word_choice(i));
		strbuf_add_text(ret, ")'");
	}
	if (tool->takes_files)
		strbuf_add_text(ret, " \\\n\t\t'*:file:_files'");
	if (tool->takes_command)
		strbuf_add_text(ret, " \\\n\t\t'(-):command:_command_names -e'"
				     " '*::argument:_normal'");
	strbuf_add_text(ret, " ;;\n");
}

static void zsh_print(struct strbuf *ret)
{
	size_t i;

	strbuf_add_text(ret, "#compdef wick\n"
			     "# wick completion zsh: put it as _wick into a folder of fpath.\n"
			     "_wick() {\n"
			     "\tlocal -a names\n\tnames=(");
	for (i = 0; tool_table[i]; i++) {
		strbuf_printf(ret, "\n\t\t'%s:", tool_table[i]->name);
		add_quoted(ret, tool_table[i]->summary);
		strbuf_add_char(ret, '\'');
	}
	strbuf_add_text(ret, ")\n"
			     "\tif ((CURRENT == 2)); then _describe command names; return; fi\n"
			     "\tshift words\n\t((CURRENT--))\n"
			     "\tcase $words[1] in\n");
	for (i = 0; tool_table[i]; i++)
		zsh_add_tool(ret, tool_table[i]);
	strbuf_add_text(ret, "\tesac\n}\nif [ \"$funcstack[1]\" = _wick ]; then _wick; "
			     "else compdef _wick wick; fi\n");
}

static void fish_add_option(struct strbuf *ret, const struct tool *tool,
			    const struct option_row *row)
{
	static const char *const actions[] = {
		[COMPLETE_NOTHING] = " -x",
		[COMPLETE_FILE] = " -rF",
		[COMPLETE_FOLDER] = " -xa '(__fish_complete_directories)'",
		[COMPLETE_PID] = " -xa '(__fish_complete_pids)'",
		[COMPLETE_USER] = " -xa '(__fish_complete_users)'",
	};

	strbuf_printf(ret, "complete -c wick -n '__fish_seen_subcommand_from %s'", tool->name);
	if (row->letter)
		strbuf_printf(ret, " -s %c", row->letter);
	strbuf_printf(ret, " -l %s", row->name);
	if (row->argument && completes_choices(row)) {
		strbuf_add_text(ret, row->is_list ? " -xa '(__fish_append ," : " -xa '");
		add_choices(ret, row);
		strbuf_add_text(ret, row->is_list ? ")'" : "'");
	} else if (row->argument) {
		strbuf_add_text(ret, actions[row->completion]);
	}
	strbuf_add_text(ret, " -d '");
	add_quoted(ret, row->help);
	strbuf_add_text(ret, "'\n");
}

static void fish_add_tool(struct strbuf *ret, const struct tool *tool)
{
	const struct option_row *row;
	size_t i;

	strbuf_printf(ret, "complete -c wick -n __fish_use_subcommand -fa %s -d '", tool->name);
	add_quoted(ret, tool->summary);
	strbuf_add_text(ret, "'\n");
	for (row = tool->options; !option_row_is_end(row); row++)
		if (row->help)
			fish_add_option(ret, tool, row);
	for (i = 0; tool->word_choice && tool->word_choice(i); i++)
		strbuf_printf(ret, "complete -c wick -n '__fish_seen_subcommand_from %s' -fa %s\n",
			      tool->name, tool->word_choice(i));
	if (tool->takes_files)
		strbuf_printf(ret, "complete -c wick -n '__fish_seen_subcommand_from %s' -F\n",
			      tool->name);
}

static void fish_print(struct strbuf *ret)
{
	size_t i;

	strbuf_add_text(ret, "# wick completion fish: put it into fish's folder of completions.\n"
			     "complete -c wick -f\n");
	for (i = 0; tool_table[i]; i++)
		fish_add_tool(ret, tool_table[i]);
}

static const struct {
	const char *name;
	void (*print)(struct strbuf *ret);
} shells[] = {
	{ "bash", bash_print },
	{ "zsh", zsh_print },
	{ "fish", fish_print },
};

static const char *shell_choice(size_t index)
{
	return index < ARRAY_SIZE(shells) ? shells[index].name : NULL;
}

static int refuse_shell(const char *name)
{
	struct suggestion suggestion = { .wanted = name ? name : "" };
	const char *nearest;
	struct error err;
	size_t i;

	for (i = 0; name && i < ARRAY_SIZE(shells); i++)
		suggestion_offer(&suggestion, shells[i].name);
	nearest = suggestion_get(&suggestion);
	if (!name)
		error_set(&err, ERROR_USAGE, -EINVAL, "missing shell: bash, zsh or fish");
	else
		error_set(&err, ERROR_USAGE, -EINVAL, "unknown shell: %s: %s%s%s", name,
			  nearest ? "did you mean " : "known are bash, zsh, fish",
			  nearest ? nearest : "", nearest ? "?" : "");
	return message_error(&err);
}

static int completion_run(int argc, char **argv)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct tool_common options = { 0 };
	struct option_words words;
	int status;
	size_t i;

	if (tool_parse(&completion_tool, argc, argv, &options, &words, &status) < 0)
		return status;
	if (!words.count)
		return refuse_shell(NULL);
	for (i = 0; i < ARRAY_SIZE(shells); i++) {
		if (strcmp(shells[i].name, words.words[0]))
			continue;
		shells[i].print(&text);
		return message_print(&text);
	}
	return refuse_shell(words.words[0]);
}

static const struct option_row completion_options[] = {
	TOOL_HELP_OPTION,
	{ 0 },
};

static const struct tool_example completion_examples[] = {
	{ "source <(wick completion bash)", "for this shell only" },
	{ "wick completion fish > ~/.config/fish/completions/wick.fish", "for ever" },
	{ NULL, NULL },
};

const struct tool completion_tool = {
	.name = "completion",
	.summary = "print a script that completes wick's commands and options",
	.usage = "bash|zsh|fish",
	.description = "Print a completion script for a shell.",
	.examples = completion_examples,
	.options = completion_options,
	.words_max = 1,
	.word_choice = shell_choice,
	.run = completion_run,
};
