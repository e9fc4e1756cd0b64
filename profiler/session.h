/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session.h - one profiling run: start, stop, and the order of it all.
 *
 * The front door of the engine. Knows sources, targets and limits; knows
 * nothing of command lines, output files or terminals. Owns three threads
 * (capture, tables, processing) between session_start() and session_finish().
 * One thread calls these functions.
 */
#ifndef WICK_SESSION_H
#define WICK_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "profiler/base/cleanup.h"
#include "profiler/base/error.h"

struct profile;
struct session;

/* Which stacks to walk. */
enum session_stacks {
	SESSION_STACKS_USER = 1 << 0,
	SESSION_STACKS_KERNEL = 1 << 1,
};

enum session_delivery { SESSION_COUNTED, SESSION_EVENTS };

/* One -e EVENT: a row of the source table and the KEY=VALUE items behind it. */
struct session_event {
	const char *text;		/* "cpu", "syscall:read,min=1ms" */
};

/*
 * Capacities. 0 is "by @memory_bytes". Small ones make every loss cause
 * happen on purpose; tests use them, users see none of this but --memory.
 */
struct session_limits {
	uint32_t ring_bytes;		/* power of two, at least a page */
	uint32_t wakeup_bytes;		/* the ring wakes its reader when it holds more */
	uint32_t counts;		/* entries of each half */
	uint32_t sent;			/* power of two */
	uint32_t mappings, processes, modules, rules;
	uint32_t waits;			/* threads whose waits are measured, of each source */
	uint32_t segments;		/* of 4 MiB, for tables */
	uint32_t copies_per_second;	/* full ones, per CPU */
	uint32_t queue_items;
	uint32_t window_ms;		/* the longest time between drains */
};

struct session_options {
	const struct session_event *events;	/* none: cpu */
	size_t event_count;
	uint32_t frequency_hz;			/* 0: 99 */
	uint64_t period;			/* events of a counter for one sample; 0: by the counter */
	const pid_t *pids, *tids;		/* targets; none: the whole machine */
	size_t pid_count, tid_count;
	bool no_inherit;
	bool wait_exec;				/* pids[0] is sampled from its next execve() on */
	const char *command;			/* what pids[0] has yet to execute, as a shell finds it */
	const char *comm_glob;			/* NULL: any; * ? [a-z], at most 31 characters */
	const char *cgroup;			/* path of a cgroup folder, v1 or v2; NULL: any */
	bool filter_uid;
	uid_t uid;
	const char *cpus;			/* "0-3,6"; NULL: all, with those that come online */
	unsigned int stacks;			/* enum session_stacks */
	uint32_t depth_max;			/* 0: 255 */
	uint64_t memory_bytes;			/* 0: 64 MiB; kernel maps, rings, tables, windows */
	enum session_delivery delivery;
	bool stream;				/* events go to session_next_events(); needs SESSION_EVENTS */
	uint64_t events_max;			/* with SESSION_EVENTS: no more than that; 0: any number */
	uint32_t events_per_second;		/* nor more than that in a second */
	uint64_t labels;			/* session_label_bit(): for each sample */
	bool labels_only;			/* and none that events add by themselves */
	bool time_programs;			/* each run of any on the machine then takes longer */
	struct session_limits limits;
};

/* Losses and costs; the summary and --stats print it. */
#define SESSION_NAMED_MAX 64
#define SESSION_NOTE_BYTES 320
struct session_named_count {
	char name[48];
	uint64_t count;
};

struct session_stats {
	/* Samples, all sources together: taken = reported + lost, always. */
	uint64_t taken, reported, lost, filtered;
	uint64_t limited;			/* not taken, by events_max or events_per_second */
	uint64_t reported_user;			/* with a user stack: not kernel threads, see no_stack */
	uint64_t complete_user;			/* whose user stack reached its end */
	uint64_t frames, frames_named;		/* weighed by samples; FDE names do not count as named */
	uint64_t frames_fde;			/* named by the start of their FDE */
	struct session_named_count losses[SESSION_NAMED_MAX];		/* ends with an empty name */
	struct session_named_count incomplete[SESSION_NAMED_MAX];	/* user stacks, by cause */
	/* Samples of tasks that have no user stack: they are exiting, or between two programs. */
	struct session_named_count no_stack[SESSION_NAMED_MAX];
	struct session_named_count counters[SESSION_NAMED_MAX];		/* everything else */
	uint64_t duration_ns;
	uint64_t first_sample_ns;		/* from session_open() to the first sample; 0: none */
	uint64_t cpu_ns;			/* our own threads */
	uint64_t bpf_ns, bpf_runs;		/* 0 without time_programs */
	uint64_t memory_user_bytes, memory_kernel_bytes;
	uint64_t rows, table_bytes, modules, processes, rules;
	const char *clock;			/* "cpu-clock" or "cycles" */
	uint32_t frequency_hz;
};

/*
 * Check @options, load and verify everything; attach nothing yet. Whatever is
 * missing (rights, BTF, a process) is said in @err. Returns 0 or negative errno.
 */
int session_open(const struct session_options *options, struct session **ret, struct error *err);
/* Attach and begin to sample. */
int session_start(struct session *session, struct error *err);
/* Sampling goes on by itself; this only reads. The counts are of this moment. */
void session_stats(struct session *session, struct session_stats *ret);
/* Whether any of the target pids still lives (always true for the whole machine). */
bool session_has_targets(const struct session *session);
/*
 * Detach and drain the rest. For streams, whose events can then be had to the last one; else
 * session_finish() does it.
 */
void session_stop(struct session *session);
/* Do that and build the profile; a session that streams has none, and leaves *@ret as it is. */
int session_finish(struct session *session, struct profile **ret, struct error *err);
/*
 * Whether a thread was left behind that waits for something: it goes with the process, which must
 * then end by _exit().
 */
bool session_is_stuck(const struct session *session);
/* What people should know of a run, a line each: a fallback that was taken, or how something was done. */
struct session_note {
	char text[SESSION_NOTE_BYTES];
	bool is_fallback;		/* "continuing without …" */
};

/* NULL after the last. */
const struct session_note *session_note(const struct session *session, size_t index);
struct session *session_free(struct session *session);
DEFINE_CLEANUP(struct session *, session_free)

/* Whether @item, as "waker" or "waker,min=1ms", begins with a flag of the event @text. */
bool session_event_has_flag(const char *text, const char *item);
/* Whether a session would understand the event @text. Returns 0 or a negative errno. */
int session_event_check(const char *text, struct error *err);

/* The labels of --label and their help, NULL after the last; and the bit of one, 0: no such. */
const char *session_label_name(size_t index, const char **ret_help);
uint64_t session_label_bit(const char *name);
/* How to get the rights to record: a sentence, the same wherever they are missing. */
const char *session_privileges(void);
/* Why and what to do when the kernel is locked down too far for us; NULL when it is not. */
const char *session_lockdown(void);

/* The source table, for --help and `wick list`. NULL after the last. */
const char *session_source_name(size_t index, const char **ret_help);
/*
 * What may follow event number @event behind a comma, as "min=TIME"; what labels its samples have without
 * being asked; and those labels that only events have, all of them. Each NULL after the last.
 */
const char *session_event_option(size_t event, size_t index, const char **ret_help);
const char *session_event_label(size_t event, size_t index);
const char *session_own_label(size_t index, const char **ret_help);
/* What is wrong with an event on this machine. */
struct session_lack {
	const char *reason, *substitute;	/* what is missing; what to use or get instead */
	const char *part;			/* what of the event is lost; NULL: all of it */
};

/* Look at this machine, once for all sources. NULL: no memory. */
struct session_needs;
struct session_needs *session_needs_new(void);
struct session_needs *session_needs_free(struct session_needs *needs);
DEFINE_CLEANUP(struct session_needs *, session_needs_free)
/*
 * What event number @index of session_source_name() lacks: @lack 0, 1, …; false after the last. Loads
 * and opens little things for a moment, and records nothing.
 */
bool session_source_lack(struct session_needs *needs, size_t index, size_t lack,
			 struct session_lack *ret);

/* The values that samples of event @text have, as "samples"; false after the last. */
#define SESSION_VALUE_BYTES 64
bool session_event_value(const char *text, size_t index, char ret[SESSION_VALUE_BYTES]);

#endif
