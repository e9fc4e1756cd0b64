/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * run.bpf.h - one run of a program: its claimed scratch state, its counters, and sending what user
 * space has not seen in this generation.
 */
#ifndef WICK_RUN_BPF_H
#define WICK_RUN_BPF_H

#include "bpf/sampler_maps.bpf.h"
#include "bpf/stack_id.h"

/* What is passed along within one run. */
struct run {
	void *ctx;			/* for bpf_get_stack() */
	struct scratch *scratch;
	struct wick_claim *claim;
	struct wick_counters *counters;
	struct task_struct *task;	/* whose sample it is: the current one, or one that waited */
	__u32 pid, tid;
	__u32 slot, generation;
	__u32 without_kernel_stack;	/* where the tracepoint is, it says nothing */
	__u32 is_alone;			/* no other run of the source on this CPU can come in between */
	struct probe_event *probed;	/* of a probe: what it has read, sent with an event; or NULL */
};

/* Atomic only where need be: that waits for every store before it. */
#define COUNT(run, name)                                                        \
	do {                                                                    \
		__u64 *count_ = &(run)->counters->value[WICK_COUNTER_##name];   \
                                                                              \
		if ((run)->is_alone)                                            \
			*(volatile __u64 *)count_ += 1;                         \
		else                                                            \
			__sync_fetch_and_add(count_, 1);                        \
	} while (0)

static __always_inline void run_set_task(struct run *run, struct task_struct *task)
{
	run->task = task;
	run->pid = TASK_FIELD(task, tgid);
	run->tid = TASK_FIELD(task, pid);
}

/* Begin a run for @task. Returns 0, or nonzero when there is nothing to count in. */
static __always_inline int run_open(struct run *run, void *ctx, struct task_struct *task)
{
	__u32 index = settings.source * settings.cpu_count + bpf_get_smp_processor_id();

	run->ctx = ctx;
	run->counters = bpf_map_lookup_elem(&counters, &index);
	if (!run->counters)
		return -1;
	COUNT(run, ENTERED);
	run_set_task(run, task);
	return 0;
}

/* ---- claims ---- */

/*
 * Plain loads and stores suffice: what interrupts this CPU in between gives the
 * slot back before we go on, and programs do not migrate. Atomic exchange
 * would need 5.12.
 */
static __always_inline int run_try_claim(struct run *run)
{
	__u32 cpu = bpf_get_smp_processor_id(), zero = 0;
	struct wick_control *now = bpf_map_lookup_elem(&control, &zero);

	for (__u32 slot = 0; now && slot < WICK_SCRATCH_SLOTS; slot++) {
		__u32 index = cpu * WICK_SCRATCH_SLOTS + slot, key = slot;
		struct wick_claim *claim = bpf_map_lookup_elem(&claims, &index);

		run->scratch = bpf_map_lookup_elem(&scratch, &key);
		if (!claim || !run->scratch)
			break;
		if (*(volatile __u64 *)&claim->state != WICK_CLAIM_FREE)
			continue;
		/* First the claim, then the generation: the drain flips and then looks at claims. */
		*(volatile __u64 *)&claim->state = WICK_CLAIM_UNKNOWN;
		barrier();
		run->generation = *(volatile __u32 *)&now->generation;
		*(volatile __u64 *)&claim->state = WICK_CLAIM_GENERATION((__u64)run->generation);
		run->claim = claim;
		run->slot = slot;
		if (slot)
			COUNT(run, NESTED);
		return 0;
	}
	return -1;
}

/* For a sample, which is lost when there is none. */
static __always_inline int run_claim(struct run *run)
{
	if (!run_try_claim(run))
		return 0;
	COUNT(run, LOST_SCRATCH);
	return -1;
}

/* ---- limits of events ---- */

#define RUN_NS_PER_SECOND 1000000000ull
/* Events in a row: what the limit allows in a tenth of a second, at least one. */
#define EVENTS_BURST_PART 10

/*
 * Whether one more event may be sent, of all sources together. Without additions that tell the sum, which
 * came with 5.12, CPUs at the same moment may each take the last one.
 */
static __always_inline int events_allowed(void)
{
	__u64 interval_ns, burst_ns, now_ns;
	struct wick_control *now;
	__u32 zero = 0;

	if (!settings.events_per_second && !settings.events_max)
		return 1;
	now = bpf_map_lookup_elem(&control, &zero);
	if (!now || (settings.events_max && now->events_allowed >= settings.events_max))
		return 0;
	if (settings.events_per_second) {
		interval_ns = RUN_NS_PER_SECOND / settings.events_per_second;
		burst_ns = interval_ns * (settings.events_per_second / EVENTS_BURST_PART);
		now_ns = bpf_ktime_get_ns();
		if (now->events_next_ns + burst_ns < now_ns)
			now->events_next_ns = now_ns - burst_ns;
		if (now->events_next_ns > now_ns)
			return 0;
		__sync_fetch_and_add(&now->events_next_ns, interval_ns);
	}
	if (settings.events_max)
		__sync_fetch_and_add(&now->events_allowed, 1);
	return 1;
}

/* What to look for a user stack with, empty. */
static __always_inline struct stack_wish *stack_wish_new(struct run *run)
{
	struct stack_wish *wish = &run->scratch->wish;

	__builtin_memset(wish, 0, sizeof(*wish));
	return wish;
}

static __always_inline void run_release(struct run *run)
{
	barrier();
	*(volatile __u64 *)&run->claim->state = WICK_CLAIM_FREE;
}

/* ---- sending what is new ---- */

static __always_inline __u64 *sent_slot(__u64 id)
{
	__u32 index = id & settings.sent_mask;

	return bpf_map_lookup_elem(&sent, &index);
}

static __always_inline __u64 sent_value(struct run *run, __u64 id)
{
	return id ^ ((__u64)run->generation << 32 | run->generation);
}

static __always_inline void record_head(struct run *run, struct wick_record *head, __u16 type)
{
	head->type = type;
	head->source = settings.source;
	head->generation = run->generation;
}

/* Whether user space has the content of @id in this generation. */
static __always_inline int id_is_sent(struct run *run, const __u64 *slot, __u64 id)
{
	return slot && *slot == sent_value(run, id);
}

/* Which thread, and which program it runs: tids are used again, and execve() swaps them. */
static __always_inline __u32 task_instance(struct task_struct *task)
{
	return (__u32)TASK_FIELD(task, start_time) ^ task_exec_id(task) * 0x9e3779b9u;
}

/*
 * A mix of what may change of a task's record while its thread goes on, and tells threads of the same tid
 * apart; only where HAS_TYPED_TASK.
 */
static __always_inline __u64 task_mark(struct task_struct *task)
{
	return task_names(task) + task_instance(task) * 0xd6e8feb86659fd93ull +
	       (TASK_FIELD(task, flags) & PF_EXITING_FLAG);
}

/*
 * Whether @scratch has the record of @task, sent in @generation; else who asks makes it now. A function of its own, whose stack is given back before stacks are walked.
 */
static __noinline int task_is_known(struct scratch *scratch, struct task_struct *task,
				    __u32 generation)
{
	__u64 mark;

	if (!HAS_TYPED_TASK)
		return 0;
	mark = task_mark(task) + (__u32)TASK_FIELD(task, pid) * 0xff51afd7ed558ccdull +
	       (__u32)TASK_FIELD(task, tgid) * 0xc4ceb9fe1a85ec53ull;
	if (scratch->task_mark == mark && scratch->task_generation == generation)
		return 1;
	scratch->task_mark = mark;
	scratch->task_generation = generation;
	return 0;
}

/*
 * The id of the run's task, its record sent if this generation has not had it; 0: lost. Most samples of
 * a CPU are of the task of the one before: its record is still there then.
 */
static __always_inline __u64 task_send(struct run *run)
{
	struct wick_task_record *record = &run->scratch->task;
	struct task_struct *task = run->task, *leader = TASK_FIELD(task, group_leader);
	__u32 flags = TASK_FIELD(task, flags);
	__u64 *slot;

	if (task_is_known(run->scratch, task, run->generation))
		return record->id;
	record->task.pid = run->pid;
	record->task.tid = run->tid;
	record->task.start_ns = TASK_FIELD(leader, start_time);
	record->task.exec_id = task_exec_id(task);
	record->task.flags = (flags & PF_KTHREAD_FLAG ? WICK_TASK_KERNEL : 0) |
			     (flags & PF_EXITING_FLAG ? WICK_TASK_EXITING : 0);
	/* The bytes behind the names are part of the id. */
	task_comm_read(task, record->task.comm);
	task_comm_read(leader, record->task.process_comm);
	record->id = wick_task_id(&record->task);
	slot = sent_slot(record->id);
	if (!id_is_sent(run, slot, record->id)) {
		record_head(run, &record->head, WICK_RECORD_TASK);
		if (!slot || bpf_ringbuf_output(&ring, record, sizeof(*record), BPF_RB_NO_WAKEUP)) {
			run->scratch->task_mark = 0;
			return 0;
		}
		*slot = sent_value(run, record->id);
	}
	return record->id;
}

static __always_inline __u64 ring_held(void)
{
	return bpf_ringbuf_query(&ring, BPF_RB_AVAIL_DATA);
}

/* Most records wait for the next drain; a ring that fills up wakes its reader before that. */
static __always_inline __u64 ring_flags(__u64 held)
{
	return held > settings.wakeup_bytes ? BPF_RB_FORCE_WAKEUP : BPF_RB_NO_WAKEUP;
}

/* Wake its reader, with nothing in it. */
static __always_inline void ring_wake(void)
{
	void *record = bpf_ringbuf_reserve(&ring, sizeof(struct wick_record), 0);

	if (record)
		bpf_ringbuf_discard(record, BPF_RB_FORCE_WAKEUP);
}

/* Send scratch->stack, whose slot is @slot; everything but its head and id is filled in. */
static __always_inline __u64 stack_send(struct run *run, __u64 *slot, __u64 id)
{
	struct wick_stack_record *record = &run->scratch->stack;
	__u32 bytes = WICK_STACK_RECORD_HEAD_BYTES + (record->count & UNWIND_FRAMES_MAX) * 8;
	__u64 held = ring_held();

	record->id = id;
	record_head(run, &record->head, WICK_RECORD_STACK);
	if (!slot || held > settings.stacks_bytes ||
	    bpf_ringbuf_output(&ring, record, bytes, ring_flags(held))) {
		COUNT(run, STACKS_LOST);
		return WICK_STACK_LOST;
	}
	*slot = sent_value(run, id);
	COUNT(run, STACKS_SENT);
	return id;
}

#endif
