/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * switch.bpf.h - what a task that is switched out goes to wait for.
 */
#ifndef WICK_SWITCH_BPF_H
#define WICK_SWITCH_BPF_H

#include "bpf/core_compat.bpf.h"
#include "bpf/sample_abi.h"

/*
 * When the switch is that two programs run at, one after the other: reading the clock is the dearest
 * thing that most switches ask of them. 0: not known.
 */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} switch_ns SEC(".maps");

/* The first one's part, each time: interrupts are off until the second one has run. */
static __always_inline void switch_time_pass(__u64 now_ns)
{
	__u32 zero = 0;
	__u64 *passed = bpf_map_lookup_elem(&switch_ns, &zero);

	if (passed)
		*passed = now_ns;
}

static __always_inline __u64 switch_time_take(void)
{
	__u32 zero = 0;
	__u64 *passed = bpf_map_lookup_elem(&switch_ns, &zero);

	return passed && *passed ? *passed : bpf_ktime_get_ns();
}

#define STATE_DEAD 0x80		/* TASK_DEAD, linux/sched.h */
#define SYSCALL_SCHED_YIELD 24	/* x86-64 */

struct switch_out {
	enum wick_reason reason;
	__u32 syscall;		/* number + 1, or 0 */
	int in_syscall;		/* and not on its way out of it, where it may block, too */
	int is_blocked;		/* else it could go on, but for a CPU */
	int is_dead;		/* it never comes back */
};

/* @task is the current one. */
static __always_inline void switch_classify(struct task_struct *task, int preempt,
					    __u32 thread_bytes, struct switch_out *ret)
{
	__u32 state = task_state(task);
	struct task_entry entry;

	task_entry_read(task, thread_bytes, &entry);
	ret->is_dead = !preempt && (state & STATE_DEAD);
	/* One that is preempted while it goes to sleep stays on its run queue. */
	ret->is_blocked = !preempt && state;
	ret->syscall = entry.syscall;
	ret->in_syscall = entry.syscall && !entry.is_over;
	if (!ret->is_blocked)
		ret->reason = ret->syscall == SYSCALL_SCHED_YIELD + 1 ? WICK_REASON_UNKNOWN :
									WICK_REASON_PREEMPTED;
	else if (task_in_iowait(task))
		ret->reason = WICK_REASON_DISK;
	else if (!entry.from_user)
		ret->reason = WICK_REASON_KERNEL;
	else
		ret->reason = ret->syscall ? WICK_REASON_SYSCALL : WICK_REASON_FAULT;
}

#endif
