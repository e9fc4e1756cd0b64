/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trace_options.h - the command line of wick trace.
 */
#ifndef WICK_TRACE_OPTIONS_H
#define WICK_TRACE_OPTIONS_H

#include "tools/record/record_options.h"
#include "tools/trace/trace_format.h"

struct trace_options {
	struct record_options record;	/* what it has in common with wick record */
	bool json, chrome, stack;
	int clock;			/* enum trace_clock; -1: that of the format */
	const char *output;		/* NULL: standard output */
	uint32_t events_max;		/* 0: as many as there are */
	uint32_t events_per_second;	/* 0: no limit */
};

extern const struct option_row trace_option_table[];

/* The events that --help and shells know. NULL after the last. */
const char *trace_event_choice(size_t index);

void trace_options_init(struct trace_options *options);
void trace_options_done(struct trace_options *options);
/* @words are events. Returns 0 or a negative errno with @err. */
int trace_options_check(struct trace_options *options, const struct option_words *words,
			struct error *err);
/* Whether events are counted by the kernel, and a table or histograms are printed at the end. */
bool trace_options_is_counted(const struct trace_options *options);
void trace_options_session(const struct trace_options *options, struct session_options *ret);
const struct trace_format *trace_options_format(const struct trace_options *options);

#endif
