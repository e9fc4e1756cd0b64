/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source_cpu.c - attaches the cpu source: a perf event on each CPU, of hardware cycles
 * where the machine has them, else of the CPU clock.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "profiler/privileges.h"
#include "profiler/source_rows.h"

static const struct clock_kind {
	const char *name;
	uint32_t type;
	uint64_t config;
} clocks[] = {
	{ "cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES },
	{ "cpu-clock", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK },
};

static int event_open(const struct clock_kind *clock, uint32_t frequency_hz, unsigned int cpu)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = clock->type,
		.config = clock->config,
		.freq = 1,
		.sample_freq = frequency_hz,
		.exclude_idle = 1,
		.disabled = 1,
	};
	int fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static const struct clock_kind *clock_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++)
		if (name && !strcmp(clocks[i].name, name))
			return &clocks[i];
	return NULL;
}

/* The first clock that opens on @cpu decides for all. */
static int clock_choose(struct source_run *run, unsigned int cpu)
{
	int fd = -ENOENT;

	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
		fd = event_open(&clocks[i], source_run_options(run)->frequency_hz, cpu);
		if (fd >= 0) {
			close(fd);
			source_set_clock(run, clocks[i].name);
			return 0;
		}
		if (fd == -EACCES || fd == -EPERM)
			break;
	}
	return fd;
}

static int cpu_attach(struct source_run *run, unsigned int cpu)
{
	struct bpf_program *program = bpf_object__next_program(source_object(run, 0), NULL);
	_cleanup_close_ int fd = -1;
	int r;

	if (!source_clock(run)) {
		r = clock_choose(run, cpu);
		if (r < 0)
			return r;
	}
	fd = event_open(clock_find(source_clock(run)), source_run_options(run)->frequency_hz, cpu);
	if (fd < 0)
		return fd;
	if (ioctl(fd, PERF_EVENT_IOC_SET_BPF, bpf_program__fd(program)) ||
	    ioctl(fd, PERF_EVENT_IOC_ENABLE, 0))
		return -errno;
	return source_keep_event(run, cpu, take_fd(fd));
}

static int online_cpus(struct cpu_set *ret)
{
	_cleanup_close_ int fd = open("/sys/devices/system/cpu/online", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : cpu_set_read(fd, ret);
}

int source_cpu_update(struct source_run *run)
{
	const struct cpu_set *wanted = source_run_options(run)->cpus;
	struct cpu_set online;
	int r = online_cpus(&online), first_error = 0;

	if (r < 0)
		return r;
	for (unsigned int cpu = 0; cpu < WICK_CPUS_MAX; cpu++) {
		/* An event of a CPU that went away does not start again when it is back. */
		if (!cpu_set_has(&online, cpu)) {
			source_drop_event(run, cpu);
			continue;
		}
		if (source_has_event(run, cpu) || (wanted && !cpu_set_has(wanted, cpu)))
			continue;
		r = cpu_attach(run, cpu);
		/* It may have gone in between. */
		if (r < 0 && r != -ENODEV && !first_error)
			first_error = r;
	}
	return first_error;
}

int source_cpu_attach(struct source_run *run, struct error *err)
{
	int r = source_cpu_update(run);

	if (privileges_lack(r))
		return privileges_refuse(err, r, "cannot open perf event: cpu-clock");
	if (r == -EINVAL)
		return error_set(err, ERROR_USAGE, r,
				 "cannot open perf event: %u Hz: %s; the limit is in "
				 "/proc/sys/kernel/perf_event_max_sample_rate",
				 source_run_options(run)->frequency_hz, strerror(-r));
	if (r == -EMFILE)
		return error_set(err, ERROR_FAILED, r,
				 "cannot open perf event: %s; raise it: ulimit -n 65536",
				 strerror(-r));
	if (r < 0)
		return error_set(err, ERROR_FAILED, r, "cannot open perf event: cpu-clock: %s",
				 strerror(-r));
	return 0;
}
