/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * probe_call.bpf.h - calls of functions from where they are entered to where they return.
 *
 * A call is known by its thread, its place and its frame: the stack pointer before its first
 * instruction. So recursion needs no count, and a frame that a longjmp() or an exception has taken away
 * is never mistaken for another. Calls of a thread are chained, the innermost first: those whose frames
 * lie below the stack pointer cannot return any more, and are dropped and counted when the thread
 * enters or leaves a place, executes a program or ends. Counted as samples are calls that begin and
 * return in the run: those that are open when it ends are what is still in the map.
 */
#ifndef WICK_PROBE_CALL_BPF_H
#define WICK_PROBE_CALL_BPF_H

#include "bpf/probe.bpf.h"

struct probe_call_key {
	__u64 thread;		/* its tid, or, of a call that is in no chain, something larger */
	__u64 frame;		/* the stack pointer; of Go how far it is from the stack's end */
	__u32 site, reserved;
};

struct probe_call {
	__u64 begin_ns;
	__u64 outer_frame;	/* of the call before it in the chain */
	__u32 outer_site;
	__u32 instance;		/* of the process: call_instance() */
	__u32 unreadable, cut, text_bytes, site;
	__u64 value[PROBE_VALUES_MAX];
};

/* The innermost call of a thread. */
struct probe_call_thread {
	__u64 frame;
	__u32 site;
	__u32 count;		/* calls in the chain */
};

/* Calls that are open. Preallocated, as what follows: programs run where nothing may be allocated. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct probe_call_key);
	__type(value, struct probe_call);
} calls SEC(".maps");

/* What was read of texts at the entry: apart, because few sites want any. */
struct probe_call_text {
	__u8 text[PROBE_TEXTS_BYTES];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct probe_call_key);
	__type(value, struct probe_call_text);
} call_texts SEC(".maps");

/* By tid. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u64);
	__type(value, struct probe_call_thread);
} call_threads SEC(".maps");

/* Never written: what a new call begins with, which is too large for a program's stack. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct probe_call);
} no_call SEC(".maps");

/* Each CPU has an idle task, all of them have no tid. */
#define CALL_IDLE (1ull << 62)

static __always_inline __u64 call_thread(const struct run *run)
{
	return run->tid ?: CALL_IDLE | bpf_get_smp_processor_id();
}

/* Which process, and which program it runs: tids are used again, and execve() swaps them. */
static __always_inline __u32 call_instance(struct task_struct *task)
{
	struct task_struct *leader = TASK_FIELD(task, group_leader);

	return (__u32)TASK_FIELD(leader, start_time) ^ task_exec_id(task) * 0x9e3779b9u;
}

/* The call @key that the run's thread has entered, or NULL. */
static __always_inline struct probe_call *call_find(const struct run *run,
						    const struct probe_call_key *key)
{
	struct probe_call *call = bpf_map_lookup_elem(&calls, key);

	return call && call->instance == call_instance(run->task) ? call : NULL;
}

/* ---- frames that are gone ---- */

/* User stacks are no larger, but by their owner's wish; other stacks of a thread lie further away. */
#define CALL_STACK_BYTES (8ull << 20)
#define CALL_STACK_DROPS 16
#define CALL_EXIT_DROPS 1024
#define CALL_ALL_FRAMES ~0ull
#define CALL_NO_SITE ~0u

/*
 * Whether the frame @inner of a thread that is at @frame on its stack is gone. Of what lies on another
 * stack (a signal's, a coroutine's, an interrupt's) nothing is known. Stacks of coroutines that lie next
 * to each other look like one: such calls are dropped, and their returns unknown.
 */
static __always_inline int frame_is_gone(__u64 inner, __u64 frame)
{
	if (frame == CALL_ALL_FRAMES)
		return 1;
	if (inner >= frame)
		return 0;
	if (frame >> 63)
		return !((inner ^ frame) & ~(__u64)(settings.thread_bytes - 1));
	return frame - inner < CALL_STACK_BYTES;
}

/*
 * Take the innermost call of @thread out, if it is gone when the thread enters @site at @frame. A call
 * with the very same frame has made place for this one. Returns whether there was one.
 */
__noinline int call_drop(__u64 thread, __u64 frame, __u32 site)
{
	struct probe_call_thread *t = bpf_map_lookup_elem(&call_threads, &thread);
	struct probe_call_key key = {};
	struct probe_call *call;

	if (!t || !t->count)
		return 0;
	if (!frame_is_gone(t->frame, frame) && !(t->frame == frame && t->site == site))
		return 0;
	key.thread = thread;
	key.frame = t->frame;
	key.site = t->site;
	call = bpf_map_lookup_elem(&calls, &key);
	if (!call) {
		/* It has returned while another one seemed to be inside it. */
		t->count = 0;
		return 0;
	}
	t->frame = call->outer_frame;
	t->site = call->outer_site;
	t->count--;
	if (call->text_bytes)
		bpf_map_delete_elem(&call_texts, &key);
	bpf_map_delete_elem(&calls, &key);
	return 1;
}

static __always_inline void calls_drop(struct run *run, __u64 thread, __u64 frame, __u32 site)
{
	for (int i = 0; i < CALL_STACK_DROPS; i++) {
		if (!call_drop(thread, frame, site))
			break;
		COUNT(run, CALLS_DROPPED);
	}
}

/* All calls of a thread that ends, or that executes another program. */
static __always_inline void calls_forget(struct run *run, __u64 thread)
{
	if (!bpf_map_lookup_elem(&call_threads, &thread))
		return;
	for (int i = 0; i < CALL_EXIT_DROPS; i++) {
		if (!call_drop(thread, CALL_ALL_FRAMES, 0))
			break;
		COUNT(run, CALLS_DROPPED);
	}
	bpf_map_delete_elem(&call_threads, &thread);
}

/* ---- the chain ---- */

static __always_inline struct probe_call_thread *call_thread_find(__u64 thread)
{
	struct probe_call_thread fresh = {}, *t = bpf_map_lookup_elem(&call_threads, &thread);

	if (t)
		return t;
	bpf_map_update_elem(&call_threads, &thread, &fresh, BPF_NOEXIST);
	return bpf_map_lookup_elem(&call_threads, &thread);
}

/* Whether calls of the key's thread are chained. */
static __always_inline int is_chained(const struct run *run, const struct probe_call_key *key)
{
	return key->thread == run->tid;
}

/* A place for the call @key, which begins now. NULL: there is none. */
static __always_inline struct probe_call *call_new(struct run *run,
						   const struct probe_call_key *key)
{
	struct probe_call_thread *t = NULL;
	struct probe_call *call;
	__u32 zero = 0;

	if (is_chained(run, key)) {
		calls_drop(run, key->thread, key->frame, key->site);
		t = call_thread_find(key->thread);
		if (!t)
			return NULL;
	}
	call = bpf_map_lookup_elem(&no_call, &zero);
	if (!call || bpf_map_update_elem(&calls, key, call, BPF_ANY))
		return NULL;
	call = bpf_map_lookup_elem(&calls, key);
	if (!call)
		return NULL;
	call->site = key->site;
	call->instance = call_instance(run->task);
	if (t) {
		call->outer_frame = t->frame;
		call->outer_site = t->site;
		t->frame = key->frame;
		t->site = key->site;
		t->count++;
	}
	return call;
}

/* It has returned. */
static __always_inline void call_free(struct run *run, const struct probe_call_key *key,
				      const struct probe_call *call)
{
	__u64 thread = key->thread;
	struct probe_call_thread *t;

	if (is_chained(run, key)) {
		calls_drop(run, key->thread, key->frame, CALL_NO_SITE);
		t = bpf_map_lookup_elem(&call_threads, &thread);
		if (t && t->count && t->frame == key->frame && t->site == key->site) {
			t->frame = call->outer_frame;
			t->site = call->outer_site;
			t->count--;
		}
	}
	if (call->text_bytes)
		bpf_map_delete_elem(&call_texts, key);
	bpf_map_delete_elem(&calls, key);
}

/* ---- values of the entry ---- */

static __always_inline int site_keeps(const struct probe_site *site)
{
	int keeps = 0;

	for (__u32 i = 0; i < PROBE_VALUES_MAX; i++) {
		if (i >= site->value_count)
			break;
		keeps |= is_kept(site, i);
	}
	return keeps;
}

/* Without a place for them texts of the entry cannot be read at the return. */
static __always_inline void call_texts_lose(struct probing *p, const struct probe_site *site)
{
	for (__u32 i = 0; i < PROBE_VALUES_MAX; i++) {
		if (i >= site->value_count)
			break;
		if (is_kept(site, i) && site->values[i].form != PROBE_NUMBER)
			value_unreadable(p, i, 0);
	}
	p->event.values.text_bytes = 0;
}

static __always_inline void call_keep_values(struct probing *p, const struct probe_site *site,
					     const struct probe_call_key *key,
					     struct probe_call *call)
{
	struct probe_values *values = &p->event.values;

	if (values->text_bytes && bpf_map_update_elem(&call_texts, key, values->text, BPF_ANY))
		call_texts_lose(p, site);
	call->unreadable = values->unreadable;
	call->cut = values->cut;
	call->text_bytes = values->text_bytes;
	__builtin_memcpy(call->value, values->value, sizeof(call->value));
}

static __always_inline void call_restore_values(struct probing *p,
						const struct probe_call_key *key,
						const struct probe_call *call)
{
	struct probe_values *values = &p->event.values;
	__u32 bytes = call->text_bytes;
	struct probe_call_text *kept;

	values->unreadable = call->unreadable;
	values->cut = call->cut;
	__builtin_memcpy(values->value, call->value, sizeof(values->value));
	kept = bytes ? bpf_map_lookup_elem(&call_texts, key) : NULL;
	if (!kept)
		return;
	PROBE_OPAQUE(bytes);
	bytes &= 2 * PROBE_TEXTS_BYTES - 1;
	bpf_probe_read_kernel(values->text, bytes, kept->text);
	values->text_bytes = call->text_bytes;
}

/* ---- a call ---- */

/* What a program has for its context: those of the task, or arguments and nothing else. */
enum call_context { CALL_REGISTERS, CALL_WORDS };

static __always_inline void call_context_read(struct probing *p, void *ctx, enum call_context is)
{
	const struct pt_regs *regs = ctx;

	if (is == CALL_WORDS)
		probe_words(p, ctx);
	else
		PROBE_REGISTERS(p, regs);
}

/* What is read of its arguments, when the site keeps any. Nonzero: it is lost, and counted. */
static __always_inline int call_enter(struct run *run, const struct probe_site *site,
				      const struct probe_call_key *key, struct probe_call *call,
				      void *ctx, enum call_context is)
{
	struct probing *p;

	if (!site_keeps(site))
		return 0;
	p = probe_claim(run, call->site, PROBE_PHASE_ENTER);
	if (!p)
		return -1;
	call_context_read(p, ctx, is);
	values_fetch(run, p, site);
	call_keep_values(p, site, key, call);
	run_release(run);
	return 0;
}

/* It begins. @call: of call_new(). */
static __always_inline int call_begin(struct run *run, const struct probe_site *site,
				      const struct probe_call_key *key, struct probe_call *call,
				      void *ctx, enum call_context is)
{
	if (!call) {
		COUNT(run, TAKEN);
		COUNT(run, LOST_WAITS);
		return 0;
	}
	if (call_enter(run, site, key, call, ctx, is))
		call_free(run, key, call);
	else
		call->begin_ns = bpf_ktime_get_ns();
	return 0;
}

/* One returns that was not entered: of a task that is not wanted it was turned away then, and counted. */
static __always_inline int call_unknown(struct run *run)
{
	if (whoever_wanted(run))
		COUNT(run, RETURNS_UNKNOWN);
	return 0;
}

/* It ends, @latency_ns after its begin. @ctx: with its result. Ends the run. */
static __always_inline int call_leave(struct run *run, const struct probe_call_key *key,
				      struct probe_call *call, void *ctx, enum call_context is,
				      __u64 latency_ns, struct pt_regs *walked)
{
	struct probing *p;

	if (!value_wanted(latency_ns)) {
		call_free(run, key, call);
		COUNT(run, FILTERED);
		return 0;
	}
	p = probe_claim(run, call->site, PROBE_PHASE_LEAVE);
	if (p) {
		p->latency_ns = latency_ns;
		call_context_read(p, ctx, is);
		call_restore_values(p, key, call);
	}
	call_free(run, key, call);
	return p ? probe_report(run, p, walked) : 0;
}

#endif
