/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * probe_threads.bpf.h - threads that end, or that execute a program: calls they are in do not return.
 *
 * Programs, for each object that measures calls.
 */
#ifndef WICK_PROBE_THREADS_BPF_H
#define WICK_PROBE_THREADS_BPF_H

#include "bpf/probe_call.bpf.h"

static __always_inline int thread_forget(void *ctx, struct task_struct *task, __u64 tid)
{
	struct run run = {};

	if (!bpf_map_lookup_elem(&call_threads, &tid) || run_open(&run, ctx, task))
		return 0;
	calls_forget(&run, tid);
	return 0;
}

SEC("?tp_btf/sched_process_exit")
int BPF_PROG(probe_thread_exit, struct task_struct *task)
{
	return thread_forget(ctx, task, task->pid);
}

/* A thread that executes a program takes over the id of the process's first one. */
SEC("?tp_btf/sched_process_exec")
int BPF_PROG(probe_exec, struct task_struct *task, int old_tid)
{
	__u32 old = old_tid;

	thread_forget(ctx, task, old);
	if (old != task->pid)
		thread_forget(ctx, task, task->pid);
	return 0;
}

#endif
