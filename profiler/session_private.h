/* SPDX-License-Identifier: BSD-2-Clause */
/* session_private.h - what a session is made of; for session.c, its losses and its summary only. */
#ifndef WICK_SESSION_PRIVATE_H
#define WICK_SESSION_PRIVATE_H

#include "profiler/capture.h"
#include "profiler/processing.h"
#include "profiler/resolve.h"
#include "profiler/session.h"
#include "profiler/source.h"
#include "profiler/tables.h"
#include "profiler/witness.h"

#define SESSION_SOURCES_MAX 16
#define SESSION_FALLBACKS_MAX 8
#define SESSION_LINKS_MAX 8

struct bpf_link;

struct session {
	struct session_options options;		/* borrowed pointers are good during open only */
	struct session_limits limits;
	uint64_t window_bytes;
	const struct source *rows[SESSION_SOURCES_MAX];
	const struct source *shown[SESSION_SOURCES_MAX];	/* whose part it is, else itself */
	const char *texts[SESSION_SOURCES_MAX];	/* as the event was written; good during open only */
	size_t source_count;
	struct cpu_set cpus;
	struct bpf_maps *maps;
	struct source_run *sources[SESSION_SOURCES_MAX];
	struct witness *witness;		/* NULL: no source takes the guard */
	struct bpf_link *links[SESSION_LINKS_MAX];	/* of the process object */
	struct queue *notices, *windows;
	struct capture *capture;
	struct tables *tables;
	struct label_notes *label_notes;
	struct processing *processing;
	int bpf_stats_fd;
	uint64_t open_ns, start_ns, end_ns, start_realtime_ns, cpu_before_ns;
	bool started, finished;
	struct resolve_stats resolved;		/* after session_finish() */
	char fallbacks[SESSION_FALLBACKS_MAX][160];
	size_t fallback_count;
};

/* session_stats.c: lines for the profile's comments, from the same figures. */
int session_add_comments(struct session *session, struct profile_builder *builder);

#endif
