/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session_run.h - a session from the first check to the end of its command, as tools run it.
 *
 * Signals, the command behind --, the delay, and when it is over: by time, by a signal, with the command
 * or with the last target.
 */
#ifndef WICK_SESSION_RUN_H
#define WICK_SESSION_RUN_H

#include "profiler/session.h"
#include "tools/options/command.h"
#include "tools/record/progress.h"
#include "tools/record/record_options.h"
#include "tools/signals.h"

/* Why sampling, or the delay before it, ended. */
enum session_run_end { END_TIME, END_SIGNAL, END_COMMAND, END_TARGETS, END_ENOUGH };

struct session_run {
	const struct record_options *options;
	/* What to do for @timeout_ns (0: for ever) instead of sleeping. Returns whether it is enough. */
	bool (*work)(void *context, uint64_t timeout_ns);
	void *context;
	struct progress progress;
	/* Its own. */
	struct signals *signals;
	struct command *command;
	pid_t command_pid;		/* a session keeps pointers into its options */
	struct session *session;
	size_t note_count, fallback_count;	/* said so far, and those of them that are fallbacks */
	int exec_status;		/* 126 or 127 when the command could not be run */
};

/*
 * Watch signals, fork the command and open a session as @wanted, whose targets may become the command.
 * Returns 0 or a negative errno with @err; session_run_done() is due in any case.
 */
int session_run_open(struct session_run *run, const struct session_options *wanted,
		     struct error *err);
/* Sample, after the delay, and let the command go. */
int session_run_start(struct session_run *run, struct error *err);
enum session_run_end session_run_wait(struct session_run *run);
/* It is over: ask the command to end, unless it was told already. */
void session_run_stop_command(struct session_run *run, enum session_run_end end);
/* The exit status of the command, when it has ended; 0 without one. */
int session_run_wait_command(struct session_run *run);
/* Say those notes that were not said yet. */
void session_run_say_notes(struct session_run *run);
/*
 * What to exit with: @status, or, when @code is a negative errno, after @err has been said, which may be
 * empty: then it is @code to @what.
 */
int session_run_status(struct session_run *run, const char *what, int code, struct error *err,
		       int status);
void session_run_done(struct session_run *run);

#endif
