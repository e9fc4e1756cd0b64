/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/settings.h"

#include <bpf/btf.h>
#include <errno.h>
#include <string.h>

#include "profiler/comm_pattern.h"
#include "profiler/cpu_set.h"
#include "profiler/labels/labels.h"
#include "profiler/processes/cgroup.h"

#define NS_PER_SECOND 1000000000ull
/* THREAD_SIZE of x86-64 since 3.15; only used before 5.15. */
#define KERNEL_STACK_BYTES 16384
/* Copies in a row, as this part of those of a second: a burst of new processes is what they are for. */
#define COPY_BURST_PART 4
/* Of the ring, for tasks and details: without them a sample is lost or changed, without stacks not. */
#define RING_RESERVED_PART 8

static int fill_comm(const char *glob, struct wick_settings *s, struct error *err)
{
	int r = glob ? comm_pattern_compile(glob, s) : 0;

	if (r == -E2BIG)
		return error_set(err, ERROR_USAGE, r, "cannot use pattern: %s: longer than %d "
				 "characters", glob, WICK_GLOB_LITERALS);
	if (r < 0)
		return error_set(err, ERROR_USAGE, r, "cannot use pattern: %s: open bracket or "
				 "nothing behind a backslash", glob);
	return 0;
}

static int fill_target(const char *path, const struct btf *btf, struct wick_settings *s,
		       struct error *err)
{
	struct cgroup_target target;
	int r = cgroup_target_find(path, btf, &target, err);

	if (r < 0)
		return r;
	s->filter_cgroup = 1;
	s->cgroup_id = target.id;
	s->cgroup_subsystem = target.subsystem;
	return 0;
}

/* Which cgroup is wanted, and else of which hierarchy labels speak. */
static int fill_cgroup(const struct session_options *options, struct wick_settings *s,
		       struct error *err)
{
	struct btf *btf;
	int r = 0;

	if (!options->cgroup && !(labels_details(options->labels) & WICK_DETAIL_BIT(CGROUP)))
		return 0;
	btf = btf__load_vmlinux_btf();
	if (!btf)
		return error_set(err, ERROR_NOT_SUPPORTED, -errno, "cannot read kernel BTF: %s",
				 strerror(errno));
	if (options->cgroup)
		r = fill_target(options->cgroup, btf, s, err);
	else
		s->cgroup_subsystem = cgroup_subsystem_choose(btf);
	btf__free(btf);
	return r;
}

static int fill_cpus(const char *list, struct wick_settings *s, struct error *err)
{
	struct cpu_set cpus;
	int r = list ? cpu_set_parse(list, &cpus) : 0;

	if (!list)
		return 0;
	if (r < 0)
		return error_set(err, ERROR_USAGE, r, "cannot use CPUs: %s: not a list as 0-3,6",
				 list);
	_Static_assert(sizeof(s->cpus) == sizeof(cpus.bits), "they are the same bits");
	memcpy(s->cpus, cpus.bits, sizeof(s->cpus));
	s->filter_cpus = 1;
	return 0;
}

int settings_fill(const struct session_options *options, const struct session_limits *limits,
		  unsigned int cpus, struct wick_settings *ret, struct error *err)
{
	struct wick_settings s = {
		.deliver_events = options->delivery == SESSION_EVENTS,
		.filter_pids = options->pid_count > 0,
		.filter_tids = options->tid_count > 0,
		.inherit = !options->no_inherit,
		.filter_uid = options->filter_uid,
		.uid = options->uid,
		.cgroup_subsystem = -1,
		.walk_user = !!(options->stacks & SESSION_STACKS_USER),
		.walk_kernel = !!(options->stacks & SESSION_STACKS_KERNEL),
		.depth_max = options->depth_max ? options->depth_max : UNWIND_FRAMES_MAX,
		.value_per_sample = NS_PER_SECOND / options->frequency_hz,
		.sent_mask = limits->sent - 1,
		.copy_interval_ns = NS_PER_SECOND / limits->copies_per_second,
		.copy_burst = limits->copies_per_second / COPY_BURST_PART ?: 1,
		.thread_bytes = KERNEL_STACK_BYTES,
		.cpu_count = cpus,
		.wakeup_bytes = limits->wakeup_bytes,
		/* More than the drain takes for pressed. */
		.counts_wakeup = limits->counts / 2 + limits->counts / 16 + 1,
		.events_per_second = options->events_per_second,
		.events_max = options->events_max,
		.stacks_bytes = limits->ring_bytes - limits->ring_bytes / RING_RESERVED_PART,
	};
	int r;

	if (s.depth_max > UNWIND_FRAMES_MAX)
		return error_set(err, ERROR_USAGE, -EINVAL,
				 "cannot walk %u frames: the limit is %d", s.depth_max,
				 UNWIND_FRAMES_MAX);
	r = fill_comm(options->comm_glob, &s, err);
	r = r ?: fill_cpus(options->cpus, &s, err);
	r = r ?: fill_cgroup(options, &s, err);
	if (r < 0)
		return r;
	*ret = s;
	return 0;
}
