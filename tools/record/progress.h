/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * progress.h - the one line a terminal shows while we sample.
 *
 * Without a terminal on standard error, every function does nothing. Clear it
 * before anything else is written there.
 */
#ifndef WICK_PROGRESS_H
#define WICK_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>
#include "profiler/session.h"

#define PROGRESS_INTERVAL_NS (500 * 1000000ULL)

struct progress {
	bool enabled;
	bool shown;
};

void progress_init(struct progress *progress, bool wanted);
void progress_show_waiting(struct progress *progress, uint64_t left_ns);
void progress_show_samples(struct progress *progress, uint64_t elapsed_ns,
			   const struct session_stats *stats);
void progress_show_text(struct progress *progress, const char *text);
void progress_clear(struct progress *progress);

#endif
