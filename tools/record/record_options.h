/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record_options.h - the command line of wick record.
 *
 * Texts are parts of argv, which must live as long.
 */
#ifndef WICK_RECORD_OPTIONS_H
#define WICK_RECORD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>
#include "formats/writer.h"
#include "profiler/session.h"
#include "tools/options/options.h"
#include "tools/tool.h"

struct record_user {
	bool wanted;
	uid_t uid;
};

struct record_options {
	struct tool_common common;
	/* Targets. */
	bool all, no_inherit;
	struct process_list pids, tids;
	const char *comm_glob, *cgroup, *cpus;
	struct record_user user;
	/* Events. */
	struct text_list events;
	struct session_event *session_events;	/* the same, as a session wants them */
	uint32_t frequency_hz, period, depth_max;
	unsigned int stacks;
	uint64_t labels;			/* bits of session_label_bit() */
	uint64_t duration_ns, delay_ns;		/* 0: none */
	/* Outputs. */
	struct text_list outputs, by;
	const struct writer *format;		/* NULL: none was named */
	const char *value;
	bool icicle;
	bool histogram, json;
	uint32_t top;				/* rows of a table, or histograms; 0: all */
	/* What we say. */
	bool quiet, verbose, stats, dry_run;
	/* For ourselves. */
	uint64_t memory_bytes;
	int delivery;				/* enum session_delivery */
	struct session_limits limits;

	char **command;				/* NULL: none */
};

extern const struct option_row record_option_table[];

/* What events take behind a comma, and what --by goes by: for the option table. */
bool record_event_option(size_t index, struct strbuf *ret_name, struct strbuf *ret_help);
const char *record_by_choice(size_t index, const char **ret_help);

void record_options_init(struct record_options *options);
void record_options_done(struct record_options *options);
/* What one option alone cannot see: what does not go together. */
int record_options_check(struct record_options *options, struct error *err);
/* Whether a table or histograms are printed at the end, and without -o nothing is written. */
bool record_options_is_shown(const struct record_options *options);
/* Whether the command is what to profile, and not only how long. */
bool record_options_target_command(const struct record_options *options);
/* The part of @ret that is said by options; its arrays are those of @options. */
void record_options_session(const struct record_options *options, struct session_options *ret);

#endif
