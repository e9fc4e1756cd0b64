/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/record/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* To the first column, and everything behind it gone. */
#define LINE_CLEAR "\r\033[K"

void progress_init(struct progress *progress, bool wanted)
{
	const char *terminal = getenv("TERM");
	bool is_dumb = terminal && !strcmp(terminal, "dumb");

	*progress = (struct progress){ .enabled = wanted && !is_dumb && isatty(STDERR_FILENO) };
}

void progress_show_text(struct progress *progress, const char *text)
{
	if (!progress->enabled)
		return;
	fprintf(stderr, LINE_CLEAR "%s", text);
	fflush(stderr);
	progress->shown = true;
}

void progress_show_waiting(struct progress *progress, uint64_t left_ns)
{
	char text[80];

	snprintf(text, sizeof(text), "begins in %" PRIu64 " s", (left_ns + 999999999) / 1000000000);
	progress_show_text(progress, text);
}

void progress_show_samples(struct progress *progress, uint64_t elapsed_ns,
			   const struct session_stats *stats)
{
	char text[80];

	snprintf(text, sizeof(text), "%" PRIu64 " s  %" PRIu64 " samples  %" PRIu64 " lost",
		 elapsed_ns / 1000000000, stats->taken, stats->lost);
	progress_show_text(progress, text);
}

void progress_clear(struct progress *progress)
{
	if (!progress->shown)
		return;
	fputs(LINE_CLEAR, stderr);
	fflush(stderr);
	progress->shown = false;
}
