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

/*
 * What waits in a system call keeps its user stack until that returns; else it must be walked now. So
 * must what the task does behind the return: closing files, dying, stopping for a signal. Where no
 * stack is asked for there is nothing to take now.
 */
static __always_inline int walk_can_wait(const struct switch_out *out)
{
	if (!stacks_wanted())
		return 1;
	return settings.value_min && (out->in_syscall || out->reason == WICK_REASON_KERNEL);
}

/*
 * First who comes, then who goes: attached in this order, so that what the walk of one takes is not
 * the wait of the other. Two programs, because one is too much for the stack and patience of
 * older verifiers.
 */
SEC("tp_btf/sched_switch")
int BPF_PROG(offcpu_in, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	__u32 tid = next->pid;
	struct wick_wait *wait = tid ? wait_find(tid) : NULL;
	struct run run = { .is_alone = 1 };
	__u64 now_ns = 0;

	if (wait && wait->state == WICK_WAIT_OPEN && !run_open(&run, ctx, next)) {
		now_ns = bpf_ktime_get_ns();
		if (wait_end(&run, wait, now_ns))
			now_ns = 0;
	}
	switch_time_pass(now_ns);
	return 0;
}

SEC("tp_btf/sched_switch")
int BPF_PROG(offcpu_out, bool preempt, struct task_struct *prev)
{
	struct switch_out out;
	struct wick_wait *wait;
	struct run run = { .is_alone = 1 };
	__u64 now_ns;

	if (!prev->pid || run_open(&run, ctx, prev))
		return 0;
	now_ns = switch_time_take();
	switch_classify(prev, preempt, settings.thread_bytes, &out);
	wait = wait_find(run.tid);
	if (settings.value_min && wait && wait->state == WICK_WAIT_ENDED)
		wait_finish(&run, wait);
	if (out.is_dead) {
		wait_forget(run.tid);
		return 0;
	}
	if ((!out.is_blocked &&
	     !(settings.option[OPTION_PREEMPTED] && out.reason == WICK_REASON_PREEMPTED)) ||
	    !task_wanted(&run)) {
		COUNT(&run, FILTERED);
		return 0;
	}
	wait = wait_place(&run, wait);
	if (!wait)
		return 0;
	wait_begin(wait, now_ns);
	wait->reason = out.reason;
	wait->syscall = out.syscall;
	if (!walk_can_wait(&out) && wait_walk(&run, wait))
		return 0;
	wait_open(wait);
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

	/* The one whose stack is still being walked may be woken meanwhile, from another CPU. */
	if (!wait || (wait->state != WICK_WAIT_OPEN && wait->state != WICK_WAIT_BEGUN) ||
	    wait->peer_task || wait->reason == WICK_REASON_PREEMPTED ||
	    now_ns - wait->begin_ns < settings.value_min || run_open(&run, ctx, task_current()))
		return 0;
	wait_add_peer(&run, wait, now_ns);
	return 0;
}

/* With a least value or without stacks, once at the end of the run: what still sleeps. */
SEC("?iter/task")
int offcpu_asleep(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct wick_wait *wait = task ? wait_find(task->pid) : NULL;
	struct run run = {};

	if (!wait || wait->state != WICK_WAIT_OPEN || wait->task || run_open(&run, ctx, task))
		return 0;
	wait_walk_asleep(&run, wait, bpf_ktime_get_ns());
	return 0;
}
