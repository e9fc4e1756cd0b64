/* SPDX-License-Identifier: BSD-2-Clause */
/* What kernel and machine offer. */
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "tools/doctor.h"

#define RATE_PATH "/proc/sys/kernel/perf_event_max_sample_rate"
#define RATE_WANTED 99

/* PERF_COUNT_SW_DUMMY and the like, of ourselves. Returns 0 or a negative errno. */
static int try_event(struct perf_event_attr *attr)
{
	_cleanup_close_ int fd = -1;

	attr->size = sizeof(*attr);
	attr->disabled = 1;
	attr->exclude_kernel = 1;
	attr->exclude_hv = 1;
	fd = (int)syscall(SYS_perf_event_open, attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	return fd < 0 ? -errno : 0;
}

void doctor_check_btf(struct doctor_result *ret)
{
	struct utsname name;

	uname(&name);
	if (!access("/sys/kernel/btf/vmlinux", R_OK)) {
		doctor_set(ret, DOCTOR_OK, "Linux %s describes its types", name.release);
		return;
	}
	doctor_set(ret, DOCTOR_MISSING, "Linux %s has no /sys/kernel/btf/vmlinux", name.release);
	doctor_fix(ret, "use a kernel with CONFIG_DEBUG_INFO_BTF");
}

void doctor_check_cycles(struct doctor_result *ret)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_HARDWARE,
					.config = PERF_COUNT_HW_CPU_CYCLES };
	int r = try_event(&attr);

	if (r >= 0) {
		doctor_set(ret, DOCTOR_OK, "hardware cycles can be sampled");
		return;
	}
	doctor_set(ret, DOCTOR_DEGRADED,
		   "no hardware cycles (%s): sampling is by the kernel's "
		   "timer, which shows code that had interrupts off where they come on again",
		   strerror(-r));
	doctor_fix(ret, "on a virtual machine, give it a PMU (cpu host, pmu=on); else nothing");
}

void doctor_check_build_ids(struct doctor_result *ret)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_SOFTWARE,
					.config = PERF_COUNT_SW_DUMMY, .mmap = 1, .mmap2 = 1,
					.build_id = 1 };
	int r = try_event(&attr);

	if (r >= 0) {
		doctor_set(ret, DOCTOR_OK, "the kernel tells the build IDs of what is mapped");
		return;
	}
	doctor_set(ret, DOCTOR_DEGRADED, "no build IDs in mmap notices (%s): files that go away at "
		   "once may stay without names", strerror(-r));
	doctor_fix(ret, "Linux 5.12 or later");
}

void doctor_check_rate(struct doctor_result *ret)
{
	_cleanup_fclose_ FILE *file = fopen(RATE_PATH, "re");
	int rate;

	if (!file || fscanf(file, "%d", &rate) != 1) {
		doctor_set(ret, DOCTOR_DEGRADED, "%s cannot be read", RATE_PATH);
		doctor_fix(ret, "mount /proc");
		return;
	}
	doctor_set(ret, DOCTOR_OK, "at most %d samples a second and CPU", rate);
	if (rate >= RATE_WANTED)
		return;
	ret->state = DOCTOR_DEGRADED;
	doctor_fix(ret, "sysctl kernel.perf_event_max_sample_rate=100000");
}

void doctor_check_cgroups(struct doctor_result *ret)
{
	if (!access("/sys/fs/cgroup/cgroup.controllers", F_OK)) {
		doctor_set(ret, DOCTOR_OK, "version 2, in /sys/fs/cgroup");
	} else if (!access("/sys/fs/cgroup/unified/cgroup.controllers", F_OK)) {
		doctor_set(ret, DOCTOR_OK, "versions 1 and 2; 2 is in /sys/fs/cgroup/unified");
	} else if (!access("/sys/fs/cgroup", F_OK) && !access("/proc/cgroups", F_OK)) {
		doctor_set(ret, DOCTOR_OK, "version 1");
	} else {
		doctor_set(ret, DOCTOR_DEGRADED, "none is mounted: --cgroup cannot be used");
		doctor_fix(ret, "mount -t cgroup2 none /sys/fs/cgroup");
	}
}

void doctor_check_debug_files(struct doctor_result *ret)
{
	if (!access("/usr/lib/debug/.build-id", R_OK)) {
		doctor_set(ret, DOCTOR_OK, "separate debug files in /usr/lib/debug");
		return;
	}
	doctor_set(ret, DOCTOR_DEGRADED, "no separate debug files: stripped programs show "
		   "addresses instead of names");
	doctor_fix(ret, "install the -dbgsym or -debuginfo packages of what you profile");
}
