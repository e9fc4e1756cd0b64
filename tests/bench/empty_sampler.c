/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * empty_sampler.c - a BPF program that does nothing, on a clock on every CPU, until it is killed.
 *
 * Usage: empty_sampler HZ. Says "sampling" once it does.
 */
#include <bpf/libbpf.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/bench/baseline.skel.h"

int main(int argc, char **argv)
{
	struct perf_event_attr attr = { .size = sizeof(attr), .type = PERF_TYPE_SOFTWARE,
					.config = PERF_COUNT_SW_CPU_CLOCK, .freq = 1,
					.exclude_idle = 1 };
	struct baseline *baseline = baseline__open_and_load();

	if (!baseline || argc != 2)
		return 1;
	attr.sample_freq = strtoull(argv[1], NULL, 10);
	for (int cpu = 0; cpu < sysconf(_SC_NPROCESSORS_ONLN); cpu++) {
		int fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

		if (fd < 0 ||
		    ioctl(fd, PERF_EVENT_IOC_SET_BPF, bpf_program__fd(baseline->progs.empty))) {
			perror("perf event");
			return 1;
		}
	}
	fprintf(stderr, "sampling\n");
	pause();
}
