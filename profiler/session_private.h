/* SPDX-License-Identifier: BSD-2-Clause */
/* session_private.h - what a session is made of; for the files session*.c, and tests that look inside. */
#ifndef WICK_SESSION_PRIVATE_H
#define WICK_SESSION_PRIVATE_H

#include "profiler/capture.h"
#include "profiler/event_stream.h"
#include "profiler/processing.h"
#include "profiler/resolve.h"
#include "profiler/session.h"
#include "profiler/sources/source.h"
#include "profiler/sources/witness.h"
#include "profiler/tables/tables.h"

#define SESSION_SOURCES_MAX 16
#define SESSION_NOTES_MAX 24
#define SESSION_LINKS_MAX 8

struct bpf_link;
struct source_probe;

struct session {
	struct session_options options;		/* borrowed pointers are good until it is started */
	struct session_limits limits;
	uint64_t window_bytes;
	const struct source *rows[SESSION_SOURCES_MAX];
	/* Whose part it is, else itself; NULL once it could not be attached and is left out. */
	const struct source *shown[SESSION_SOURCES_MAX];
	char *texts[SESSION_SOURCES_MAX];	/* the event as it was written */
	bool may_lack[SESSION_SOURCES_MAX];	/* nobody asked for it by name */
	size_t source_count;
	struct session_needs *needs;		/* while it is opened */
	struct error left_out;			/* why events are not recorded that were asked for */
	struct bpf_maps *maps;
	struct source_run *sources[SESSION_SOURCES_MAX];
	struct source_probe *probes[SESSION_SOURCES_MAX];	/* of events that are some */
	struct witness *witness;		/* NULL: no source takes the guard */
	struct bpf_link *links[SESSION_LINKS_MAX];	/* of the process object */
	struct queue *notices, *windows;
	struct queue *events;			/* of batches; NULL: none are streamed */
	struct event_stream *stream;
	struct capture *capture;
	struct tables *tables;
	struct label_notes *label_notes;
	struct processing *processing;
	int bpf_stats_fd;
	uint64_t open_ns, start_ns, end_ns, start_realtime_ns, cpu_before_ns;
	uint64_t naming_cpu_ns;			/* of the process that read files for names */
	bool started, finished;
	bool is_stuck;				/* the tables thread was left behind */
	struct resolve_stats resolved;		/* after session_finish() */
	struct session_note notes[SESSION_NOTES_MAX];
	size_t note_count;
};

void session_add_note(struct session *session, bool is_fallback, const char *format, ...)
	_printf_(3, 4);

/*
 * session_sources.c: which sources there are, and those of them left that this machine can record. When
 * none is left, that is the error.
 */
int session_choose_sources(struct session *session, struct error *err);
int session_check_needs(struct session *session, struct error *err);
int session_open_sources(struct session *session, const struct wick_settings *settings,
			 struct error *err);
int session_attach_sources(struct session *session, struct error *err);

/* session_profile.c: what was drained, with names. Returns 0 or a negative errno. */
int session_build_profile(struct session *session, struct profile **ret);

/* What naming cost, and what was not to be had. */
void session_note_naming(struct session *session, const struct symbolizer *symbolizer);

/* session_events.c: where events go, when they are streamed. Returns 0 or -ENOMEM. */
int session_open_stream(struct session *session);

/* session_stats.c: lines for the profile's comments, from the same figures. */
int session_add_comments(struct session *session, struct profile_builder *builder);

#endif
