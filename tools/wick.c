/* SPDX-License-Identifier: BSD-2-Clause */
/* wick.c - arguments → command table → exit status. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "profiler/base/alloc.h"
#include "tools/options/help.h"
#include "tools/tool.h"

/* What people type who do not know our commands yet. */
static const struct {
	const char *option, *command;
} main_aliases[] = {
	{ "-h", "help" },
	{ "--help", "help" },
	{ "-V", "version" },
	{ "--version", "version" },
};

/*
 * A caller may have closed the standard files. Then the next file opened, a
 * BPF map perhaps, would become standard output, and be written to. Taken the
 * wrong way round, so that using them still fails.
 */
static void open_standard_files(void)
{
	int fd;

	for (fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)!open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

static char *command_name(char *word)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(main_aliases); i++)
		if (!strcmp(word, main_aliases[i].option))
			return (char *)main_aliases[i].command;
	return word;
}

int main(int argc, char **argv)
{
	const struct tool *tool;
	int status;

	open_standard_files();
	alloc_give_back();
	signal(SIGPIPE, SIG_IGN);	/* writing to a closed pipe is an error like any other */
	if (argc < 2)
		return help_missing_command();
	argv[1] = command_name(argv[1]);
	tool = tool_find(argv[1]);
	status = tool ? tool->run(argc - 1, argv + 1) : tool_refuse(argv[1]);
	if (!(status & TOOL_AT_ONCE))
		return status;
	fflush(stdout);
	_exit(status & ~TOOL_AT_ONCE);
}
