/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * wakeup.bpf.c - who wakes tasks: the waker's stacks, the woken task, and how long it had slept.
 *
 * Targets are those who are woken. A sleep that began before the run counts as a wake-up of 0 ns. In
 * an interrupt the current task is only who was hit: that is seen when the kernel stack is named.
 */
#include "bpf/switch.bpf.h"
#include "bpf/wait.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* Nothing but the time is noted, so the wait stays closed: the drain need not look at it. */
SEC("tp_btf/sched_switch")
int BPF_PROG(wakeup_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	__u32 state = preempt ? 0 : task_state(prev);
	struct wick_wait *wait;
	struct run run = {};

	if (!state)
		return 0;
	if (state & STATE_DEAD) {
		wait_forget(prev->pid);
		return 0;
	}
	/* Wherever: what counts is where it is woken from. */
	if (run_open(&run, ctx, prev) || !task_is_target(&run))
		return 0;
	wait = wait_find(run.tid);
	if (!wait)
		wait = wait_new(run.tid);
	if (wait)
		wait->begin_ns = bpf_ktime_get_ns();
	else
		COUNT(&run, TIMES_LOST);
	return 0;
}

/* How long the run's task has slept. It may not sleep yet: then its switch-out has still to come. */
static __always_inline __u64 slept_ns(const struct run *run)
{
	struct wick_wait *wait = wait_find(run->tid);
	__u64 begin_ns = wait ? wait->begin_ns : 0;

	if (!begin_ns)
		return 0;
	wait->begin_ns = 0;
	return bpf_ktime_get_ns() - begin_ns;
}

SEC("tp_btf/sched_waking")
int BPF_PROG(wakeup_waking, struct task_struct *task)
{
	struct task_struct *waker = task_current();
	struct run run = {};
	__u64 value, woken;

	/* A task that was about to sleep, and thinks better of it. */
	if (task->pid == TASK_FIELD(waker, pid) || run_open(&run, ctx, task))
		return 0;
	if (!task_wanted(&run)) {
		COUNT(&run, FILTERED);
		return 0;
	}
	value = slept_ns(&run);
	if (!value_wanted(value)) {
		COUNT(&run, FILTERED);
		return 0;
	}
	if (!sample_claim(&run))
		return 0;
	woken = task_send(&run);
	if (!woken) {
		COUNT(&run, LOST_TASK);
		run_release(&run);
		return 0;
	}
	detail_set(&run, PEER_TASK, woken);
	run_set_task(&run, waker);
	return sample_finish(&run, NULL, value);
}
