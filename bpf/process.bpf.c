/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * process.bpf.c - keeps what the kernel side knows of processes right across fork, exec and exit,
 * at the moment they happen: a stale list of mappings is never used, a vfork child
 * works at once, and children of targets are targets.
 *
 * tp_btf, not tracepoints: those hold the guard that also turns CPU samples away.
 */
#include "bpf/sampler_maps.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

static __always_inline void target_inherit(void *map, __u32 parent, __u32 child)
{
	__u32 *state = bpf_map_lookup_elem(map, &parent), copy;

	if (!state)
		return;
	copy = *state;
	bpf_map_update_elem(map, &child, &copy, BPF_ANY);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(process_fork, struct task_struct *parent, struct task_struct *child)
{
	__u32 parent_pid = parent->tgid, child_pid = child->tgid;
	struct wick_process *old, copy;

	if (settings.inherit && settings.filter_tids)
		target_inherit(&target_tids, parent->pid, child->pid);
	if (parent_pid == child_pid)
		return 0;	/* a thread */
	if (settings.inherit && settings.filter_pids)
		target_inherit(&target_pids, parent_pid, child_pid);
	old = bpf_map_lookup_elem(&processes, &parent_pid);
	/* The same address space, or a copy of it: the parent's mappings are the child's. */
	if (!old || old->state == WICK_PROCESS_REQUESTED ||
	    old->start_ns != BPF_CORE_READ(parent, group_leader, start_time) ||
	    old->exec_id != task_exec_id(parent))
		return 0;
	copy = *old;
	copy.start_ns = child->start_time;
	copy.exec_id = task_exec_id(child);
	bpf_map_update_elem(&processes, &child_pid, &copy, BPF_ANY);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(process_exec, struct task_struct *task)
{
	__u32 pid = task->tgid, *state = bpf_map_lookup_elem(&target_pids, &pid);

	if (state && *state == WICK_TARGET_AT_EXEC)
		*state = WICK_TARGET_ACTIVE;
	/* The exec id has moved on, so the entry no longer matches; this frees its place. */
	bpf_map_delete_elem(&processes, &pid);
	return 0;
}

/* Before anything runs: who the targets are, so that their tables can be there from the first sample on. */
SEC("iter/task")
int process_targets(struct bpf_iter__task *ctx)
{
	struct task_struct *task = ctx->task;
	struct wick_process fresh = { .state = WICK_PROCESS_REQUESTED };
	__u32 pid, tid;

	if (!task)
		return 0;
	pid = task->tgid;
	tid = task->pid;
	if (!bpf_map_lookup_elem(&target_pids, &pid) && !bpf_map_lookup_elem(&target_tids, &tid))
		return 0;
	fresh.start_ns = BPF_CORE_READ(task, group_leader, start_time);
	fresh.exec_id = task_exec_id(task);
	/* Nobody was asked: the first walk does that, should there be no answer by then. */
	bpf_map_update_elem(&processes, &pid, &fresh, BPF_NOEXIST);
	return 0;
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(process_exit, struct task_struct *task)
{
	__u32 pid = task->tgid, tid = task->pid;

	if (settings.filter_tids)
		bpf_map_delete_elem(&target_tids, &tid);
	if (BPF_CORE_READ(task, signal, live.counter))
		return 0;	/* other threads go on */
	bpf_map_delete_elem(&processes, &pid);
	if (settings.filter_pids)
		bpf_map_delete_elem(&target_pids, &pid);
	return 0;
}
