/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * events.h - events of a session one by one, while it runs: who, what, how much, where.
 *
 * For sessions with options.stream. Events come in batches, about ten a second, in order of time over
 * all CPUs: no event comes behind one that is later. What an event points to lives as long as its
 * batch. One thread calls these functions.
 */
#ifndef WICK_EVENTS_H
#define WICK_EVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"
#include "profiler/base/strbuf.h"

struct event_store;
struct probe_value;
struct profile;
struct session;
struct syscall_argument;

#define EVENT_COMM_BYTES 17
#define EVENT_CPU_UNKNOWN UINT32_MAX	/* as WINDOW_CPU_UNKNOWN */

/* A fact, as the labels of a profile are. */
struct event_label {
	const char *key;
	const char *text;		/* NULL: it is a number */
	int64_t number;
	const char *unit;		/* of the number; "" when it has none */
};

enum event_value_kind {
	EVENT_VALUE_SIGNED,
	EVENT_VALUE_UNSIGNED,
	EVENT_VALUE_BOOL,
	EVENT_VALUE_TEXT,
	EVENT_VALUE_BYTES,
	EVENT_VALUE_WORDS,	/* texts, a NUL behind each */
	EVENT_VALUE_ADDRESS,	/* says something only as event_value_add_text() has it */
	EVENT_VALUE_UNREADABLE,
};

/* What a probe read. */
struct event_value {
	const char *name, *type;	/* "filename", "const char *" */
	enum event_value_kind kind;
	bool has_words;			/* for a number, event_value_add_text() knows a better form */
	bool is_cut;			/* there was more of the bytes */
	uint64_t number;
	const void *bytes;		/* a text, without NUL, or what else lies there */
	size_t size;
	const struct probe_value *meaning;
	const struct syscall_argument *argument;	/* of a system call; NULL: nothing is known */
};

/* As people read it: a quoted text, 0x7f…, O_RDONLY|O_CLOEXEC, "-1 ENOENT (No such file or directory)". */
void event_value_add_text(const struct event_value *value, struct strbuf *ret);
/* "-1 ENOENT (No such file or directory)"; or "? ERESTARTSYS (…)", of what no caller sees. */
void event_error_add_text(int error, struct strbuf *ret);
/* @size bytes as a C string in quotes; nothing in it is more than a character to a terminal. */
void event_text_add_quoted(const void *bytes, size_t size, struct strbuf *ret);

struct traced_event {
	uint64_t time_ns;		/* CLOCK_MONOTONIC; of what takes time, when it ended */
	uint32_t cpu;			/* EVENT_CPU_UNKNOWN: not known */
	uint32_t pid, tid;
	char comm[EVENT_COMM_BYTES], process_comm[EVENT_COMM_BYTES];
	const char *source;		/* "lock" */
	const char *name;		/* what it was: a system call, a probed function, else the source */
	bool is_call;			/* of something that has arguments and a result */
	bool is_open;			/* a wait or a call that had not ended when the run did */
	uint64_t count;
	/* What else it counts; NULL: nothing. */
	const char *sum_name, *sum_unit;	/* "syscall", "nanoseconds" */
	uint64_t sum;
	bool took_time;			/* sum is how long it took, up to time_ns */
	int error;			/* with which a call failed; 0: it did not, or it is not known */
	const char *error_name;
	const struct event_label *labels;
	size_t label_count;
	const struct event_value *values;
	size_t value_count;
	/* Its stack, leaf first: indices of locations of @names; without options.stacks there is none. */
	const struct profile *names;
	const uint32_t *locations;
	size_t location_count;
	struct event_store *store;	/* the batch's own business */
};

struct event_batch {
	struct traced_event **events;
	size_t count, capacity;
	uint64_t bytes;			/* of memory, about */
};

struct event_batch *event_batch_free(struct event_batch *batch);
DEFINE_CLEANUP(struct event_batch *, event_batch_free)

/*
 * The next events. Returns 0; -ETIMEDOUT when there were none for @timeout_ms; -EPIPE when there will be
 * no more: after session_stop() and all that was left, or after options.events_max of them.
 */
int session_next_events(struct session *session, int timeout_ms, struct event_batch **ret);
/*
 * Whether the kernel has let as many events through as options.events_max says: no more will come but those
 * under way, and fewer than that many came when some were lost.
 */
bool session_events_are_spent(const struct session *session);
/* What to add to time_ns to have ns since the epoch; and what it was when the run began. */
int64_t session_clock_offset_ns(const struct session *session);
uint64_t session_begin_ns(const struct session *session);

#endif
