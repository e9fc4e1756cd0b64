/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * runq.bpf.c - how long tasks that could run wait for a CPU: from being woken, or switched out while
 * they could go on, to being switched in.
 *
 * The stacks are those of the switch-out. A task that was asleep before the run began, or that has
 * never run, has only what the kernel knows of it.
 */
#include "bpf/switch.bpf.h"
#include "bpf/wait.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

/* As for offcpu; and where no stack is asked for there is nothing to take now. */
static __always_inline int walk_can_wait(const struct switch_out *out)
{
	if (!stacks_wanted())
		return 1;
	return settings.value_min && (out->in_syscall || out->reason == WICK_REASON_KERNEL);
}

static __always_inline int runq_end(struct run *run, struct wick_wait *wait, __u64 now_ns)
{
	/* It was woken, and no program saw it. After the run that is so because it is detached. */
	if (wait->state == WICK_WAIT_PREPARED) {
		if (!run_is_on()) {
			wait->state = WICK_WAIT_NONE;
			COUNT(run, FILTERED);
			return 0;
		}
		COUNT(run, TIMES_LOST);
		wait->begin_ns = now_ns;
	}
	return wait_end(run, wait, now_ns);
}

/* @next comes: its wait is over. Returns the time of that, 0: it was not looked at, or long ago. */
static __always_inline __u64 runq_arrive(void *ctx, struct task_struct *next)
{
	__u32 tid = next->pid;
	struct wick_wait *wait = tid ? wait_find(tid) : NULL;
	struct run run = { .is_alone = 1 };
	__u64 now_ns;

	if (!wait || (wait->state != WICK_WAIT_OPEN && wait->state != WICK_WAIT_PREPARED) ||
	    run_open(&run, ctx, next))
		return 0;
	now_ns = bpf_ktime_get_ns();
	return runq_end(&run, wait, now_ns) ? 0 : now_ns;
}

/*
 * First who comes, then who goes: attached in this order, so that what the walk of one takes is not
 * the wait of the other. Two programs, because one is too much for the stack and patience of
 * older verifiers.
 */
SEC("?tp_btf/sched_switch")
int BPF_PROG(runq_in, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	switch_time_pass(runq_arrive(ctx, next));
	return 0;
}

SEC("?tp_btf/sched_switch")
int BPF_PROG(runq_out, bool preempt, struct task_struct *prev)
{
	struct switch_out out;
	struct wick_wait *wait;
	struct run run = { .is_alone = 1 };
	__u64 now_ns = 0;

	if (!prev->pid || run_open(&run, ctx, prev))
		return 0;
	switch_classify(prev, preempt, settings.thread_bytes, &out);
	wait = wait_find(run.tid);
	if (settings.value_min && wait && wait->state == WICK_WAIT_ENDED)
		wait_finish(&run, wait);
	if (out.is_dead) {
		wait_forget(run.tid);
		return 0;
	}
	if (!task_wanted(&run)) {
		COUNT(&run, FILTERED);
		return 0;
	}
	wait = wait_place(&run, wait);
	if (!wait)
		return 0;
	/* Else it begins when it is woken; but copies of stacks go by this time. */
	if (!out.is_blocked || stacks_wanted())
		now_ns = switch_time_take();
	wait_begin(wait, now_ns);
	wait->reason = out.reason;
	wait->syscall = out.syscall;
	if (!walk_can_wait(&out) && wait_walk(&run, wait))
		return 0;
	if (out.is_blocked)
		wait_prepare(wait);
	else
		wait_open(wait);
	return 0;
}

/* As runq_out() without stacks, and with labels that need no look at how the task came here. */
static __always_inline void runq_leave(void *ctx, struct task_struct *prev, bool preempt,
				       __u64 now_ns)
{
	__u32 state = preempt ? 0 : task_state(prev);
	struct wick_wait *wait;
	struct run run = { .is_alone = 1 };

	if (!prev->pid || run_open(&run, ctx, prev))
		return;
	if (state & STATE_DEAD) {
		wait_forget(run.tid);
		return;
	}
	if (!task_wanted(&run)) {
		COUNT(&run, FILTERED);
		return;
	}
	wait = wait_place(&run, wait_find(run.tid));
	if (!wait)
		return;
	wait->state = WICK_WAIT_NONE;
	barrier();
	wait->task = 0;
	wait->cpu = detail_wanted(CPU) ? bpf_get_smp_processor_id() + 1 : 0;
	wait->begin_ns = state ? 0 : now_ns ? now_ns : bpf_ktime_get_ns();
	if (state)
		wait_prepare(wait);
	else
		wait_open(wait);
}

/* Both in one, where neither walks a stack: source_runq.c chooses. */
SEC("?tp_btf/sched_switch")
int BPF_PROG(runq_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	runq_leave(ctx, prev, preempt, runq_arrive(ctx, next));
	return 0;
}

/* One of whose switch-out nothing is known. */
static __always_inline void woken_unknown(void *ctx, struct task_struct *task)
{
	struct wick_wait *wait;
	struct run run = {};

	if (run_open(&run, ctx, task))
		return;
	if (!task_wanted(&run)) {
		COUNT(&run, FILTERED);
		return;
	}
	wait = wait_place(&run, wait_find(run.tid));
	if (!wait)
		return;
	wait_begin(wait, bpf_ktime_get_ns());
	if (!wait_name_sleeper(&run, wait))
		wait_open(wait);
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(runq_wakeup, struct task_struct *task)
{
	struct wick_wait *wait = wait_find(task->pid);

	/* It may run still: woken before it could go to sleep. */
	if (!wait && !task->on_cpu)
		woken_unknown(ctx, task);
	if (!wait || wait->state != WICK_WAIT_PREPARED)
		return 0;
	wait->begin_ns = bpf_ktime_get_ns();
	wait_open(wait);
	return 0;
}

SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(runq_wakeup_new, struct task_struct *task)
{
	woken_unknown(ctx, task);
	return 0;
}

/* Only with a least value: the rest of those that were long enough. */
SEC("?tp_btf/sys_exit")
int BPF_PROG(runq_return)
{
	struct wick_wait *wait = wait_find(bpf_get_current_pid_tgid());
	struct run run = {};

	if (!wait || wait->state != WICK_WAIT_ENDED || run_open(&run, ctx, task_current()))
		return 0;
	wait_finish(&run, wait);
	return 0;
}

/* The same ones that wait still, once, at the end of the run. */
SEC("?iter/task")
int runq_waiting(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct wick_wait *wait = task ? wait_find(task->pid) : NULL;
	struct run run = {};

	if (!wait || wait->state != WICK_WAIT_OPEN || wait->task || run_open(&run, ctx, task))
		return 0;
	wait_walk_asleep(&run, wait, bpf_ktime_get_ns());
	return 0;
}
