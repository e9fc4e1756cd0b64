/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source.h - event sources: a row of the table, and a row opened and attached.
 *
 * Every kind of profile is a row and a BPF file. The loader is generic: it opens the row's
 * objects, fills their settings, shares the session's maps with them, loads,
 * and calls the row's attach function.
 */
#ifndef WICK_SOURCE_H
#define WICK_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "bpf/sample_abi.h"
#include "profiler/base/cleanup.h"
#include "profiler/base/error.h"
#include "profiler/cpu_set.h"

struct bpf_link;
struct bpf_maps;
struct bpf_object;
struct probe_kind;
struct probe_set;
struct source_options;
struct source_probe;
struct source_run;
struct session_needs;
struct witness;

#define SOURCE_OBJECTS_MAX 4
#define SOURCE_PARTS_MAX 4
#define SOURCE_VALUES_MAX 3
#define SOURCE_EVENT_KINDS 2

struct source_value {
	const char *type, *unit;	/* "cpu", "nanoseconds" */
	bool is_sum;			/* wick_value.sum, else .count */
	bool is_main;			/* what formats with one value show */
};

/* What an event asks for, as it was written: "uprobe:libc:malloc,filter=arg1 > 4k". */
struct source_request {
	const struct source *source;
	struct wick_settings settings;
	/* Of a probe; NULL: not given. */
	char *argument;				/* what is behind the name and its colon */
	char *show, *sum, *unit, *labels, *filter;
	uint64_t period;			/* of a counter: events for a sample */
	uint32_t force;				/* although it could change what the program does */
};

/* Whether anything is asked of the arguments of what happens. */
bool source_request_has_values(const struct source_request *request);
/*
 * Whether it is a probe: of a source that can be one (with_values) when its arguments are asked for,
 * or are all to be shown; the request's source then is that.
 */
bool source_request_is_probe(struct source_request *request, bool shows_all);

/* An item of -e behind the event: "min=1ms", or, a flag, "waker". */
struct source_option {
	const char *name, *help;
	/* NULL: a flag, @field is a uint32_t and becomes 1. Returns 0 or a negative errno. */
	int (*parse)(const char *text, void *field);
	size_t offset;				/* of the field, in struct source_request */
	const char *shown;			/* "min=TIME"; NULL: as its name */
};

enum source_loss {
	SOURCE_LOSS_NONE,
	SOURCE_LOSS_PART,
	SOURCE_LOSS_HALF,	/* with another half it is all */
	SOURCE_LOSS_ALL,
};

/* A kernel feature a source cannot do without: profiler/sources/needs.c. */
struct source_need {
	bool (*probe)(struct session_needs *needs, const char *name);
	const char *name;			/* for @probe: which tracepoint, which event */
	const char *reason, *substitute;	/* what is said where it is not there */
	/* What of the source needs it, as "locks of the kernel"; NULL: all of it. */
	const char *part;
	/* With @part: how much is lost of what is asked for. */
	enum source_loss (*loss)(const struct wick_settings *settings);
};

struct source {
	const char *name, *help;
	/* What may follow the name and a colon; NULL: nothing. */
	int (*parse_argument)(const char *text, struct wick_settings *settings, struct error *err);
	/* Or it is a probe, of that kind; then it is run as a row of its own (source_probe.h). */
	const struct probe_kind *probe;
	const struct source_option *options;	/* ends with a NULL name; NULL: none */
	uint32_t option[WICK_SOURCE_OPTIONS];	/* of wick_settings, before any is asked for */
	/* Names of other rows that are run instead, all of whose values become this one's. */
	const char *parts[SOURCE_PARTS_MAX];
	/*
	 * Or events that are run instead, each for itself, with what is asked of this one; ends with
	 * NULL. One behind a '?' is left out where this machine does not have it.
	 */
	const char *const *stands_for;
	const char *objects[SOURCE_OBJECTS_MAX];
	struct source_value values[SOURCE_VALUES_MAX];
	uint64_t labels;			/* bits of enum wick_detail_field it always has */
	/* Stacks that say nothing: of an interrupt's user code, of a system call's entry. */
	bool no_user_stack, no_kernel_stack;
	/* Kernel stacks begin in the code of the tracepoint or the trampoline, which is left out. */
	bool in_tracepoint;
	/* And then in the scheduler's, which is left out, too. */
	bool in_scheduler;
	/* Never the profiler's own tasks: its programs could meet locks that these hold. */
	bool skips_profiler;
	/* Samples may come from interrupts: those are not of the task that was hit. */
	bool in_interrupts;
	/* Its programs hold the guard that turns CPU samples away: those are then counted. */
	bool takes_guard;
	/* Choose among optional programs, before they are loaded; NULL: those without '?'. */
	void (*prepare)(const struct source_options *options, struct bpf_object *object);
	/* What a sample is worth, and how programs are run. */
	int (*attach)(struct source_run *run, struct error *err);
	/* CPUs came or went; NULL: nothing to do. */
	int (*update_cpus)(struct source_run *run);
	/* Label of WICK_DETAIL_KEY and how to read it; NULL: a number, or, without label, not used. */
	const char *key_label, *key_help;
	const char *reason;			/* its label in a composite that has reasons: "on-cpu" */
	const char *peer_label, *peer_help;	/* of WICK_DETAIL_PEER_TASK: "waker"; NULL: none */
	const char *(*key_text)(uint64_t key);
	/* Instead, where the words are no constants. */
	void (*key_write)(uint64_t key, char *text, size_t size);
	bool delivers_events;			/* EVENTS unless asked otherwise */
	/* Samples have an address; so that its file can be told they come as EVENTS. */
	bool has_address;
	const struct source_need *needs;	/* ends with a NULL reason; NULL: none */
	/* What is run instead where its arguments are asked for, a probe; NULL: the same. */
	const struct source *with_values;
	const struct probe_set *probes;		/* of a probe, when a session has it; NULL: none */
};

extern const struct source source_table[];	/* ends with a NULL name */

const struct source *source_find(const char *name);

/* How much of "NAME[:ARGUMENT][,OPTION]…" is the name. */
size_t source_name_size(const char *text);
/*
 * Read "NAME[:ARGUMENT][,KEY=VALUE|FLAG]…" into @ret, whose settings are filled in already, or empty.
 * Returns 0; -ENOENT for an unknown name; -EINVAL; the sentence is in @err. source_request_done() in
 * every case.
 */
int source_parse(const char *text, struct source_request *ret, struct error *err);
void source_request_done(struct source_request *request);
#define _cleanup_request_ _cleanup_(source_request_done)
/* Whether @name is a flag among the options of @source. */
bool source_has_flag(const struct source *source, const char *name, size_t size);
/* For options of the table. */
int source_parse_duration(const char *text, void *field);
int source_parse_text(const char *text, void *field);
int source_parse_count(const char *text, void *field);
int source_parse_one(const char *text, void *field);

struct source_options {
	uint32_t index;				/* of this source in the session */
	uint32_t frequency_hz;
	const struct cpu_set *cpus;		/* NULL: every CPU that is online */
	struct witness *witness;		/* for a source with a clock; NULL: not needed */
	struct source_probe *probe;		/* what was found for it; NULL: it is none */
	int32_t only_pid;			/* the one process that is looked at; 0: any */
	struct wick_settings settings;		/* target filters and stacks are set */
};

/* Open and load; attach nothing. @maps is borrowed for the run's lifetime. */
int source_open(const struct source *source, const struct source_options *options,
		struct bpf_maps *maps, struct source_run **ret, struct error *err);
int source_attach(struct source_run *run, struct error *err);
/* It could not be attached: it takes no part from now on, but what it is remains known. */
void source_leave(struct source_run *run);
/* CPUs came online: sample them too. */
int source_update_cpus(struct source_run *run);
/* No program runs any more when it returns, but for those that run now. */
void source_detach(struct source_run *run);
/* Run its programs on all tasks, if it has any (SEC("iter/task")): what they are found in at the end. */
void source_look_back(struct source_run *run);
struct source_run *source_close(struct source_run *run);
DEFINE_CLEANUP(struct source_run *, source_close)

const struct source *source_row(const struct source_run *run);
/* Counts of half 0 and 1. */
int source_counts_fd(const struct source_run *run, unsigned int half);
/*
 * By CPU, what the counts have not been given yet (bpf/recent.bpf.h): programs may change it at any
 * time. Lives as long as the run.
 */
const struct wick_recent *source_recent(const struct source_run *run, size_t *ret_cpus);
/* The map of open waits, by tid, or -ENOENT. */
int source_waits_fd(const struct source_run *run);
/* "cpu-clock", "cycles", or NULL when the source has no clock. */
const char *source_clock(const struct source_run *run);
struct bpf_object *source_object(const struct source_run *run, size_t index);

/* For attach functions (source_cpu.c …). */
/* Keep @link, which it takes over in every case, until the source is detached. Returns 0 or -ENOMEM. */
int source_keep_link(struct source_run *run, struct bpf_link *link);
/* The same for a descriptor whose close() detaches. */
int source_keep_fd(struct source_run *run, int fd);
const struct source_options *source_run_options(const struct source_run *run);
/* Keep @fd, a perf event of @cpu and one of SOURCE_EVENT_KINDS, open until the source is detached. */
int source_keep_event(struct source_run *run, unsigned int kind, unsigned int cpu, int fd);
bool source_has_event(const struct source_run *run, unsigned int kind, unsigned int cpu);
void source_drop_event(struct source_run *run, unsigned int kind, unsigned int cpu);
void source_set_clock(struct source_run *run, const char *clock);

/* A perf event that runs a program. */
struct source_event {
	const char *program;
	/* Open it, disabled. Returns a descriptor or a negative errno. */
	int (*open)(struct source_run *run, unsigned int cpu);
};

/*
 * Have one on each CPU that is online and wanted, now and again when CPUs came or went. Returns 0 or the
 * first error, which source_events_explain() puts into words.
 */
int source_events_follow(struct source_run *run, unsigned int kind,
			 const struct source_event *event);
int source_events_explain(int code, const char *name, struct error *err);

/* For rows: attach every program that was loaded, as its section says. */
int source_attach_programs(struct source_run *run, struct error *err);

#endif
