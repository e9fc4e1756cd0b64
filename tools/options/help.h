/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * help.h - texts printed from the command table and its option tables.
 *
 * Each appends to @ret; what is hidden in a table appears in none.
 */
#ifndef WICK_HELP_H
#define WICK_HELP_H

#include "profiler/base/strbuf.h"
#include "tools/tool.h"

void help_overview(struct strbuf *ret);			/* the commands of wick */
void help_command(const struct tool *tool, struct strbuf *ret);	/* wick COMMAND --help */
void help_man_page(struct strbuf *ret);			/* wick(1), in man macros */

/* help_command() on standard output. Returns the exit status. */
int help_print(const struct tool *tool);
/* wick without a command: the overview is where errors go. Returns the exit status. */
int help_missing_command(void);

/* What an exit status means, line by line; NULL after the last. */
const char *help_exit_status(size_t index, const char **ret_meaning);

/*
 * Headings: the rows of a section are together, so it begins where a visible
 * row has another section than the visible row before it.
 */
bool help_begins_section(const struct option_row *table, const struct option_row *row);
/* "-F, --frequency HZ" */
void help_option_name(const struct option_row *row, struct strbuf *ret);

#endif
