/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * sampler.bpf.h - what every source calls: one sample, filtered, walked, counted.
 *
 * sample_begin() asks task_wanted() and claims a scratch state; the source adds its details;
 * sample_finish() names the task, walks the stacks, sends what is new, counts. Every way
 * out bumps exactly one of the counters that make up "taken = reported + lost".
 * Sources that measure how long something takes: wait.bpf.h.
 */
#ifndef WICK_SAMPLER_BPF_H
#define WICK_SAMPLER_BPF_H

#include "bpf/detail.bpf.h"
#include "bpf/recent.bpf.h"
#include "bpf/stacks.bpf.h"

/*
 * The two halves of a source's counts: its own, never shared, so that a storm in
 * one source cannot push out another's.
 */
struct counts_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct wick_key);
	__type(value, struct wick_value);
};
struct counts_map counts_0 SEC(".maps");
struct counts_map counts_1 SEC(".maps");

/* Entries of the half in use, as good as CPUs see them that add at once. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct wick_counts_made);
} counts_made SEC(".maps");

/* A new entry. Who empties the halves looks at them now and then: too late where each sample makes one. */
static __always_inline void count_made(__u32 generation)
{
	__u32 zero = 0;
	struct wick_counts_made *made = bpf_map_lookup_elem(&counts_made, &zero);

	if (!made)
		return;
	if (made->generation != generation) {
		made->generation = generation;
		made->count = 0;
	}
	if (++made->count == settings.counts_wakeup)
		ring_wake();
}

static __always_inline int count_add_to(void *map, __u32 generation, const struct wick_key *key,
					__u64 count, __u64 value)
{
	struct wick_value *old = bpf_map_lookup_elem(map, key), fresh = { count, value };

	if (!old) {
		if (!bpf_map_update_elem(map, key, &fresh, BPF_NOEXIST)) {
			count_made(generation);
			return 0;
		}
		/* Another CPU, or what interrupted us, was first; or the map is full. */
		old = bpf_map_lookup_elem(map, key);
		if (!old)
			return -1;
	}
	__sync_fetch_and_add(&old->count, count);
	/* An atomic addition of a constant 0 becomes an atomic "or", which 5.10 does not know. */
	if (value)
		__sync_fetch_and_add(&old->sum, value);
	return 0;
}

/* The half goes by the generation that was read once, at the claim. */
static __always_inline int count_add(__u32 generation, const struct wick_key *key, __u64 count,
				     __u64 value)
{
	if (generation & 1)
		return count_add_to(&counts_1, generation, key, count, value);
	return count_add_to(&counts_0, generation, key, count, value);
}

/* Give the map what it has not been given yet. */
static __always_inline void count_add_recent(const struct wick_recent_count *last, __u32 generation)
{
	struct wick_key key = { .task = last->task, .detail = last->detail };

	/* The entry is there: nothing is lost. */
	if (last->generation == generation && last->value.count)
		count_add(generation, &key, last->value.count, last->value.sum);
}

static __always_inline int stacks_wanted(void)
{
	return settings.walk_user || settings.walk_kernel;
}

/* A function of its own, whose stack is not there while stacks are walked. Nonzero: the map is full. */
static __noinline int count_sample(__u32 generation, __u32 slot, const struct wick_key *key,
				   __u64 value)
{
	struct wick_recent *found = stacks_wanted() ? NULL : recent_find(slot);
	struct wick_recent_count *last;

	if (!found)
		return count_add(generation, key, 1, value);
	last = recent_count(found, generation, key);
	if (last->generation == generation && last->task == key->task &&
	    last->detail == key->detail) {
		last->value.count++;
		last->value.sum += value;
		return 0;
	}
	count_add_recent(last, generation);
	last->value.count = last->value.sum = last->task = 0;
	if (count_add(generation, key, 1, value))
		return -1;
	last->task = key->task;
	last->detail = key->detail;
	last->generation = generation;
	return 0;
}

static __always_inline int event_send(struct run *run, const struct wick_key *key, __u64 value)
{
	struct wick_event_record *event = &run->scratch->event;
	__u32 bytes = 0;

	if (run->probed) {
		event = &run->probed->event;
		bytes = run->probed->values.text_bytes;
		bytes = bytes > PROBE_TEXTS_BYTES ? PROBE_TEXTS_BYTES : bytes;
		bytes += PROBE_VALUES_HEAD_BYTES;
	}
	record_head(run, &event->head, WICK_RECORD_EVENT);
	event->key = *key;
	event->value.count = 1;
	event->value.sum = value;
	event->time_ns = bpf_ktime_get_ns();
	event->cpu = bpf_get_smp_processor_id();
	event->values_bytes = bytes;
	return bpf_ringbuf_output(&ring, event, sizeof(*event) + bytes, ring_flags(ring_held()));
}

/* Count or send a sample whose stacks are known. */
static __always_inline void sample_deliver(struct run *run, const struct wick_key *key,
					   __u64 value)
{
	if (settings.deliver_events) {
		if (event_send(run, key, value))
			COUNT(run, LOST_EVENT);
		else
			COUNT(run, REPORTED);
		return;
	}
	if (count_sample(run->generation, run->slot, key, value))
		COUNT(run, LOST_COUNTS);
	else
		COUNT(run, REPORTED);
}

/* @wish went out for the user stack with it, and may have left it there. */
static __always_inline void sample_deliver_rest(struct run *run, const struct stack_wish *wish,
						__u64 value)
{
	if (wish->is_gone)
		COUNT(run, REPORTED);
	else
		sample_deliver(run, &wish->key, value);
}

/* The sample may go with its stack, but for an event with values: a stack has no place for these. */
static __always_inline void stack_wish_sample(struct run *run, struct stack_wish *wish, __u64 value)
{
	if (run->probed && settings.deliver_events) {
		wish->key.user_stack = wick_wait_stack_id(run->tid, bpf_ktime_get_ns());
		return;
	}
	wish->key.user_stack = WICK_STACK_COPIED;
	wish->value.count = 1;
	wish->value.sum = value;
}

static __always_inline void sample_walk(struct run *run, struct pt_regs *regs, __u64 value)
{
	int in_kernel = !regs || !registers_are_user(regs);
	struct stack_wish *wish = stack_wish_new(run);

	wish->key.task = task_send(run);
	if (!wish->key.task) {
		COUNT(run, LOST_TASK);
		return;
	}
	detail_add_common(run, value);
	wish->key.detail = detail_send(run);
	if (in_kernel && settings.walk_kernel && !run->without_kernel_stack)
		wish->key.kernel_stack = kernel_stack(run);
	if (settings.walk_user && !(run->scratch->task.task.flags & WICK_TASK_KERNEL)) {
		stack_wish_sample(run, wish, value);
		user_stack(run, regs, in_kernel, wish);
	}
	sample_deliver_rest(run, wish, value);
}

/* For "start to first sample"; two CPUs at once may both write, nanoseconds apart. */
static __always_inline void first_sample_note(void)
{
	__u32 zero = 0;
	struct wick_control *now = bpf_map_lookup_elem(&control, &zero);

	if (now && !now->first_sample_ns)
		now->first_sample_ns = bpf_ktime_get_ns();
}

/* A wanted sample is there. Returns whether it can go on: else it is over the limit or lost, and counted. */
static __always_inline int sample_claim_bare(struct run *run)
{
	if (settings.deliver_events && !events_allowed()) {
		COUNT(run, LIMITED);
		return 0;
	}
	COUNT(run, TAKEN);
	first_sample_note();
	return !run_claim(run);
}

/* The same, with a detail to put together. */
static __always_inline int sample_claim(struct run *run)
{
	if (!sample_claim_bare(run))
		return 0;
	detail_clear(run);
	return 1;
}

/* Of the current task. Returns whether there is a sample: then sample_finish() must follow. */
static __always_inline int sample_begin(struct run *run, void *ctx)
{
	if (run_open(run, ctx, task_current()))
		return 0;
	if (!task_wanted(run)) {
		COUNT(run, FILTERED);
		return 0;
	}
	return sample_claim(run);
}

static __always_inline int sample_finish(struct run *run, struct pt_regs *regs, __u64 value)
{
	sample_walk(run, regs, value);
	run_release(run);
	return 0;
}

#endif
