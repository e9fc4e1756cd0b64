/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * syscall.bpf.c - how long system calls take, how they fail, and who makes them.
 *
 * When a call begins is noted in its thread's place: a look-up and a store, nothing is inserted or
 * deleted for a call. The stack is taken when it returns, the registers being those it came with.
 * Counted is what begins and returns in the run. A return belongs to the call that was noted only
 * if it is of the same number, and each return clears the note: children return from a clone() they
 * did not enter, and a call that seccomp refuses returns without having been entered.
 *
 * No interrupt makes a system call, and these programs are not preempted.
 */
#include "bpf/wait.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

enum { OPTION_NAMED };		/* settings.syscalls says which */

#define SYSCALL_SIGRETURN 15	/* x86-64: rt_sigreturn */

struct call {
	__u32 number, error;		/* errno, or 0 */
	__u32 is_compat;
};

/* 32-bit calls have numbers of their own, for which there are no names. */
static __always_inline int call_wanted(struct task_struct *task, unsigned long number)
{
	unsigned long word = number / 64;

	if (!settings.option[OPTION_NAMED])
		return 1;
	if (word >= WICK_SYSCALL_WORDS || task_in_compat_syscall(task))
		return 0;
	/* Bounded here again: verifiers forget what was asked of a number that lay on the stack. */
	barrier_var(word);
	return settings.syscalls[word % WICK_SYSCALL_WORDS] >> (number % 64) & 1;
}

/* Returning from a signal's handler restores registers of code that was in no call. */
static __always_inline unsigned long returned_number(const struct pt_regs *regs)
{
	return regs->orig_ax == -1ul ? SYSCALL_SIGRETURN : regs->orig_ax;
}

static __always_inline void call_label(struct run *run, const struct call *call)
{
	if (!call->is_compat)
		detail_label(run, SYSCALL, call->number);
	if (call->error)
		detail_label(run, ERRNO, call->error);
}

/* As one of the CPU's last calls was: then nothing is put together again. */
static __always_inline __u64 call_detail(struct run *run, const struct call *call, __u64 value)
{
	const __u64 own = WICK_DETAIL_BIT(SYSCALL) | WICK_DETAIL_BIT(ERRNO) |
			  WICK_DETAIL_BIT(BUCKET);
	__u64 facts = 1ull << 63 | (__u64)call->is_compat << 62 | detail_bucket(value) << 48 |
		      (__u64)call->error << 32 | call->number;
	struct wick_recent_detail *last = settings.labels & ~own ? NULL : recent_detail(run, facts);
	__u64 id;

	if (recent_detail_is(run, last, facts))
		return last->id;
	detail_clear(run);
	call_label(run, call);
	detail_add_common(run, value);
	id = detail_send(run);
	recent_detail_keep(run, last, facts, id);
	return id;
}

/* Where no stack is wanted. */
static __always_inline void call_count(struct run *run, struct wick_wait *wait,
				       const struct call *call, __u64 value)
{
	struct wick_key key = {};

	if (!sample_claim_bare(run))
		return;
	key.task = wait_task(run, wait);
	if (key.task) {
		key.detail = call_detail(run, call, value);
		sample_deliver(run, &key, value);
	} else {
		COUNT(run, LOST_TASK);
	}
	run_release(run);
}

SEC("tp_btf/sys_enter")
int BPF_PROG(syscall_enter, struct pt_regs *regs, long number)
{
	struct task_struct *task = task_current();
	struct wick_wait *wait;
	struct run run = { .is_alone = 1 };

	if (!call_wanted(task, number) || run_open(&run, ctx, task))
		return 0;
	if (!task_wanted(&run)) {
		COUNT(&run, FILTERED);
		return 0;
	}
	wait = wait_place(&run, wait_find(run.tid));
	if (!wait)
		return 0;
	wait->syscall = number + 1;
	wait->begin_ns = bpf_ktime_get_ns();
	return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(syscall_return, struct pt_regs *regs, long result)
{
	struct task_struct *task = task_current();
	unsigned long number = returned_number(regs);
	struct wick_wait *wait;
	struct call call;
	struct run run = { .is_alone = 1 };
	__u64 value;

	if (!call_wanted(task, number))
		return 0;
	wait = wait_find(bpf_get_current_pid_tgid());
	if (!wait || !wait->begin_ns)
		return 0;
	value = bpf_ktime_get_ns() - wait->begin_ns;
	wait->begin_ns = 0;
	if (wait->syscall != (__u32)number + 1 || run_open(&run, ctx, task))
		return 0;
	if (!value_wanted(value)) {
		COUNT(&run, FILTERED);
		return 0;
	}
	call.number = number;
	call.error = result < 0 && result >= -WICK_ERRNO_MAX ? -result : 0;
	call.is_compat = task_in_compat_syscall(task) != 0;
	if (!stacks_wanted()) {
		call_count(&run, wait, &call, value);
		return 0;
	}
	if (!sample_claim(&run))
		return 0;
	call_label(&run, &call);
	return sample_finish(&run, NULL, value);
}

/* exit() does not return, nor does a call that a signal ends; the id will be another thread's. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(syscall_thread_exit, struct task_struct *task)
{
	wait_forget(task->pid);
	return 0;
}

/* A thread that executes a program takes over the id of the process's first one, in its call. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(syscall_exec, struct task_struct *task, int old_tid)
{
	__u32 tid = task->pid, old = old_tid;
	struct wick_wait *wait, copy;

	if (old == tid)
		return 0;
	wait = wait_find(old);
	if (!wait)
		return 0;
	copy = *wait;
	bpf_map_update_elem(&waits, &tid, &copy, BPF_ANY);
	wait_forget(old);
	return 0;
}
