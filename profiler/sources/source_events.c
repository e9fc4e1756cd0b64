/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source_events.c - for sources whose programs run on perf events: one on each CPU, which follow CPUs
 * that come and go.
 */
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "profiler/privileges.h"
#include "profiler/sources/source_rows.h"

static int online_cpus(struct cpu_set *ret)
{
	_cleanup_close_ int fd = open("/sys/devices/system/cpu/online", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : cpu_set_read(fd, ret);
}

static int event_start(struct source_run *run, unsigned int kind, unsigned int cpu,
		       const struct source_event *event)
{
	struct bpf_program *program =
		bpf_object__find_program_by_name(source_object(run, 0), event->program);
	_cleanup_close_ int fd = event->open(run, cpu);

	if (fd < 0)
		return fd;
	if (ioctl(fd, PERF_EVENT_IOC_SET_BPF, bpf_program__fd(program)) ||
	    ioctl(fd, PERF_EVENT_IOC_ENABLE, 0))
		return -errno;
	return source_keep_event(run, kind, cpu, take_fd(fd));
}

int source_events_follow(struct source_run *run, unsigned int kind,
			 const struct source_event *event)
{
	const struct cpu_set *wanted = source_run_options(run)->cpus;
	struct cpu_set online;
	int r = online_cpus(&online), first_error = 0;

	if (r < 0)
		return r;
	for (unsigned int cpu = 0; cpu < WICK_CPUS_MAX; cpu++) {
		/* An event of a CPU that went away does not start again when it is back. */
		if (!cpu_set_has(&online, cpu)) {
			source_drop_event(run, kind, cpu);
			continue;
		}
		if (source_has_event(run, kind, cpu) || (wanted && !cpu_set_has(wanted, cpu)))
			continue;
		r = event_start(run, kind, cpu, event);
		/* It may have gone in between. */
		if (r < 0 && r != -ENODEV && !first_error)
			first_error = r;
	}
	return first_error;
}

int source_events_explain(int code, const char *name, struct error *err)
{
	char what[96];

	snprintf(what, sizeof(what), "cannot open perf event: %s", name);
	if (privileges_lack(code))
		return privileges_refuse(err, code, what);
	if (code == -EMFILE)
		return error_set(err, ERROR_FAILED, code,
				 "cannot open perf event: %s; raise it: ulimit -n 65536",
				 strerror(-code));
	return error_set(err, ERROR_FAILED, code, "%s: %s", what, strerror(-code));
}
