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
#define ERRNO_MAX 4095

/* 32-bit calls have numbers of their own, for which there are no names. */
static __always_inline int call_wanted(struct task_struct *task, unsigned long number)
{
	if (!settings.option[OPTION_NAMED])
		return 1;
	return number < WICK_SYSCALL_WORDS * 64 && !task_in_compat_syscall(task) &&
	       settings.syscalls[number / 64 % WICK_SYSCALL_WORDS] >> (number % 64) & 1;
}

/* Returning from a signal's handler restores registers of code that was in no call. */
static __always_inline unsigned long returned_number(const struct pt_regs *regs)
{
	return regs->orig_ax == -1ul ? SYSCALL_SIGRETURN : regs->orig_ax;
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
	if (!sample_claim(&run))
		return 0;
	if (!task_in_compat_syscall(task))
		detail_label(&run, SYSCALL, number);
	if (result < 0 && result >= -ERRNO_MAX)
		detail_label(&run, ERRNO, -result);
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
