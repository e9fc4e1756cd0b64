/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * filter.bpf.h - whether a task is wanted, asked before any stack is walked.
 */
#ifndef WICK_FILTER_BPF_H
#define WICK_FILTER_BPF_H

#include "bpf/comm_glob.h"
#include "bpf/run.bpf.h"

static __always_inline int target_wanted(void *map, __u32 id)
{
	__u32 *state = bpf_map_lookup_elem(map, &id);

	return state && *state == WICK_TARGET_ACTIVE;
}

static __always_inline struct cgroup *task_cgroup(struct task_struct *task)
{
	struct cgroup_subsys_state *css;
	__u32 index = settings.cgroup_subsystem;

	if (settings.cgroup_subsystem < 0)
		return BPF_CORE_READ(task, cgroups, dfl_cgrp);
	if (index >= CGROUP_SUBSYS_COUNT)
		return NULL;
	css = NULL;
	bpf_probe_read_kernel(&css, sizeof(css),
			      &BPF_CORE_READ(task, cgroups)->subsys[index]);
	return css ? BPF_CORE_READ(css, cgroup) : NULL;
}

/* The cgroup or one of its descendants. Nested deeper than this counts as outside. */
#define CGROUP_DEPTH_MAX 24

static __always_inline int cgroup_wanted(struct task_struct *task)
{
	struct cgroup *cgroup = task_cgroup(task);

	for (int i = 0; i < CGROUP_DEPTH_MAX; i++) {
		struct cgroup_subsys_state *parent;

		if (!cgroup)
			return 0;
		if (cgroup_folder_id(cgroup) == settings.cgroup_id)
			return 1;
		parent = BPF_CORE_READ(cgroup, self.parent);
		cgroup = parent ? BPF_CORE_READ(parent, cgroup) : NULL;
	}
	return 0;
}

static __always_inline int comm_wanted(struct task_struct *task)
{
	char comm[WICK_COMM_BYTES] = {};

	bpf_probe_read_kernel_str(comm, sizeof(comm), &task->comm);
	return comm_glob_matches(settings.glob_match, settings.glob_loops, settings.glob_accept,
				 comm);
}

/* Whether what happens on this CPU is. */
static __always_inline int cpu_wanted(void)
{
	__u32 cpu = bpf_get_smp_processor_id();

	return !settings.filter_cpus ||
	       settings.cpus[cpu / 64 % WICK_CPU_WORDS] >> (cpu % 64) & 1;
}

static __always_inline int value_wanted(__u64 value)
{
	return value >= settings.value_min && (!settings.value_max || value <= settings.value_max);
}

/* Whether the run has begun and is not over: not all programs are there before and after. */
static __always_inline int run_is_on(void)
{
	__u32 zero = 0;
	struct wick_control *now = bpf_map_lookup_elem(&control, &zero);

	return now && now->enabled;
}

/* Whether the run's task is, wherever it is; idle tasks never are. */
static __always_inline int task_is_target(struct run *run)
{
	struct task_struct *task = run->task;
	__u32 pid = run->pid, tid = run->tid;

	if (!tid || !run_is_on())
		return 0;
	if (settings.skip_pid && pid == settings.skip_pid)
		return 0;
	if (settings.filter_pids || settings.filter_tids) {
		if (!(settings.filter_pids && target_wanted(&target_pids, pid)) &&
		    !(settings.filter_tids && target_wanted(&target_tids, tid)))
			return 0;
	}
	if (settings.filter_uid && BPF_CORE_READ(task, cred, uid.val) != settings.uid)
		return 0;
	if (settings.filter_comm && !comm_wanted(task))
		return 0;
	if (settings.filter_cgroup && !cgroup_wanted(task))
		return 0;
	return 1;
}

/* Whether the run's task is, here: of waits that is where they begin. */
static __always_inline int task_wanted(struct run *run)
{
	return cpu_wanted() && task_is_target(run);
}

/* Of whoever is interrupted; the idle task's too, as long as nobody in particular is asked for. */
static __always_inline int whoever_wanted(struct run *run)
{
	if (run->tid)
		return task_wanted(run);
	return run_is_on() && cpu_wanted() && !settings.filter_pids && !settings.filter_tids &&
	       !settings.filter_uid && !settings.filter_comm && !settings.filter_cgroup;
}

#endif
