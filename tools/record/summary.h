/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * summary.h - what a run says at its end: what was taken and lost, how far to
 * trust it, what it cost, the files, and the command that looks at them.
 *
 * Appends text to @ret; prints nothing.
 */
#ifndef WICK_SUMMARY_H
#define WICK_SUMMARY_H

#include "profiler/base/strbuf.h"
#include "profiler/session.h"
#include "tools/record/record_write.h"

struct summary {
	const struct session_stats *stats;
	const struct record_files *files;
	const char *what;		/* "samples", "events" */
	size_t fallback_count;
};

void summary_add(const struct summary *summary, struct strbuf *ret);
/* --stats: every counter there is, a line each. */
void summary_add_counters(const struct session_stats *stats, struct strbuf *ret);

#endif
