/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source_cpu.c - attaches the cpu source: a perf event on each CPU, of hardware cycles
 * where the machine has them, else of the CPU clock.
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "profiler/sources/source_rows.h"
#include "profiler/sources/witness.h"

static const struct clock_kind {
	const char *name;
	uint32_t type;
	uint64_t config;
} clocks[] = {
	{ "cycles", PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES },
	{ "cpu-clock", PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK },
};

static int event_open(const struct clock_kind *clock, struct source_run *run, unsigned int cpu)
{
	const struct source_options *options = source_run_options(run);
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = clock->type,
		.config = clock->config,
		.freq = 1,
		.sample_freq = options->frequency_hz,
		.exclude_idle = 1,
		.disabled = 1,
	};
	_cleanup_close_ int fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1,
					 PERF_FLAG_FD_CLOEXEC);
	int r = 0;

	if (fd < 0)
		return -errno;
	if (options->witness)
		r = witness_follow(options->witness, options->index, cpu, fd, &attr);
	return r < 0 ? r : take_fd(fd);
}

/* The first clock that opens decides for all CPUs. */
static int clock_open(struct source_run *run, unsigned int cpu)
{
	const char *chosen = source_clock(run);
	int fd = -ENOENT;

	for (size_t i = 0; i < ARRAY_SIZE(clocks); i++) {
		if (chosen && strcmp(clocks[i].name, chosen))
			continue;
		fd = event_open(&clocks[i], run, cpu);
		if (fd >= 0)
			source_set_clock(run, clocks[i].name);
		if (fd >= 0 || fd == -EACCES || fd == -EPERM)
			break;
	}
	return fd;
}

int source_cpu_update(struct source_run *run)
{
	static const struct source_event tick = { "cpu_tick", clock_open };

	return source_events_follow(run, 0, &tick);
}

int source_cpu_attach(struct source_run *run, struct error *err)
{
	int r = source_cpu_update(run);

	if (r == -EINVAL)
		return error_set(err, ERROR_USAGE, r,
				 "cannot open perf event: %u Hz: %s; the limit is in "
				 "/proc/sys/kernel/perf_event_max_sample_rate",
				 source_run_options(run)->frequency_hz, strerror(-r));
	return r < 0 ? source_events_explain(r, "cpu-clock", err) : 0;
}
