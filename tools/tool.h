/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tool.h - one row per command of wick.
 *
 * `wick NAME` runs a row; `wick help`, --help, the man page and completion are
 * printed from the same rows.
 */
#ifndef WICK_TOOL_H
#define WICK_TOOL_H

#include "profiler/base/strbuf.h"
#include "tools/options/options.h"

#ifndef WICK_VERSION
#define WICK_VERSION "0.1"
#endif

/* The first member of every command's options. */
struct tool_common {
	bool help;
};

/* The section that every command has. */
#define TOOL_OTHER "Other"
#define TOOL_HELP_OPTION                                                       \
	{ .letter = 'h', .name = "help", .help = "print this help", .section = TOOL_OTHER, \
	  .parse = option_parse_flag }

struct tool_example {
	const char *command;
	const char *meaning;
};

#define TOOL_AT_ONCE 0x100

struct tool {
	const char *name;
	const char *summary;		/* one line, for the list of commands */
	const char *usage;		/* what follows "wick NAME" */
	const char *description;	/* paragraphs, with an empty line between them */
	const struct tool_example *examples;	/* the last has no .command; may be NULL */
	const struct option_row *options;
	int words_max;			/* how many arguments it takes that are no options */
	const char *words_hint;		/* what to do about one too many; NULL: see its --help */
	const char *(*word_choice)(size_t index);	/* what they can be; may be NULL */
	bool takes_files;		/* for completion */
	bool takes_command;		/* behind -- */
	/*
	 * argv[0] is the name. Returns the exit status: 0, what enum error_kind
	 * says, or that of a command that was run; with TOOL_AT_ONCE when there is a
	 * thread that an orderly end would meet.
	 */
	int (*run)(int argc, char **argv);
};

extern const struct tool *const tool_table[];	/* ends with NULL */

/* NULL when there is none. */
const struct tool *tool_find(const char *name);
/* Says that there is no command @name, with the nearest one. Returns the exit status. */
int tool_refuse(const char *name);

/*
 * options_parse() for @tool; --help and what is wrong are dealt with here.
 * @values begins with struct tool_common. Returns 0 to go on, or negative to
 * end with *@ret_status.
 */
int tool_parse(const struct tool *tool, int argc, char **argv, void *values,
	       struct option_words *ret, int *ret_status);

/* Rows of tool_table, each in its own file. */
extern const struct tool record_tool, trace_tool, report_tool, convert_tool, symbolize_tool,
	list_tool, doctor_tool, help_tool, completion_tool, version_tool;

#endif
