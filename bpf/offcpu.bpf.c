/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * offcpu.bpf.c - how long tasks are off the CPU, from switch-out to switch-in, and where they wait.
 *
 * A task that yields is not blocked; one that is preempted only counts on request. User memory of
 * a task can only be read while it is current: at the switch-out, or, for waits that must be
 * long enough first, when its system call returns.
 */
#include "bpf/switch.bpf.h"
#include "bpf/wait.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

enum { OPTION_PREEMPTED, OPTION_WAKER };

/* What waits in a system call keeps its user stack until that returns; else it must be walked now. */
static __always_inline int walk_can_wait(const struct switch_out *out)
{
	return settings.value_min && (out->syscall || out->reason == WICK_REASON_KERNEL);
}

static __always_inline void switch_out(void *ctx, struct task_struct *prev, int preempt)
{
	struct switch_out out;
	struct wick_wait *wait;
	struct run run = {};

	if (run_open(&run, ctx, prev))
		return;
	switch_classify(prev, preempt, settings.thread_bytes, &out);
	wait = wait_find(run.tid);
	if (wait && wait->state == WICK_WAIT_ENDED)
		wait_finish(&run, wait);
	if (out.is_dead) {
		wait_forget(run.tid);
		return;
	}
	if ((!out.is_blocked &&
	     !(settings.option[OPTION_PREEMPTED] && out.reason == WICK_REASON_PREEMPTED)) ||
	    !task_wanted(&run)) {
		COUNT(&run, FILTERED);
		return;
	}
	wait = wait_place(&run);
	if (!wait)
		return;
	wait_begin(wait, bpf_ktime_get_ns());
	wait->reason = out.reason;
	wait->syscall = out.syscall;
	if (!walk_can_wait(&out) && wait_walk(&run, wait))
		return;
	wait_open(wait);
}

static __always_inline void switch_in(void *ctx, struct task_struct *next)
{
	struct wick_wait *wait = wait_find(next->pid);
	struct run run = {};

	if (!wait || wait->state != WICK_WAIT_OPEN || run_open(&run, ctx, next))
		return;
	wait_end(&run, wait, bpf_ktime_get_ns());
}

SEC("tp_btf/sched_switch")
int BPF_PROG(offcpu_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	switch_out(ctx, prev, preempt);
	switch_in(ctx, next);
	return 0;
}

/* Only with a least value: the rest of those that were long enough. */
SEC("?tp_btf/sys_exit")
int BPF_PROG(offcpu_return)
{
	struct wick_wait *wait = wait_find(bpf_get_current_pid_tgid());
	struct run run = {};

	if (!wait || wait->state != WICK_WAIT_ENDED || run_open(&run, ctx, task_current()))
		return 0;
	wait_finish(&run, wait);
	return 0;
}

/* Only on request: who wakes the sleeper. */
SEC("?tp_btf/sched_waking")
int BPF_PROG(offcpu_waking, struct task_struct *task)
{
	struct wick_wait *wait = wait_find(task->pid);
	__u64 now_ns = bpf_ktime_get_ns();
	struct run run = {};

	if (!wait || wait->state != WICK_WAIT_OPEN || wait->peer_task ||
	    now_ns - wait->begin_ns < settings.value_min || run_open(&run, ctx, task_current()))
		return 0;
	wait_add_peer(&run, wait, now_ns);
	return 0;
}
