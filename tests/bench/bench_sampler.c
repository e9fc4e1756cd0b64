/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bench_sampler.c - nanoseconds of BPF per sample: wick on a program, bpf_get_stackid() and a
 * count on its build with frame pointers, and an empty program. And the time from the start of
 * a session to its first sample.
 *
 * Usage: bench_sampler WORKLOAD FRAME_POINTERS [DEPTH], the workload and its build with frame
 * pointers. One CPU, 999 Hz, the median of three alternations. Prints "name value unit" lines.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "formats/profile.h"
#include "profiler/session.h"
#include "tests/bench/baseline.skel.h"

#define ROUNDS 3
#define SECONDS 1
#define SETTLE_US 500000
#define SETTLE_TRIES 10
#define FREQUENCY_HZ 999

static const char *workloads = "build/tests/workloads";

static pid_t start(const char *name, const char *depth)
{
	pid_t pid = fork();
	char path[512];
	cpu_set_t set;

	if (pid)
		return pid;
	CPU_ZERO(&set);
	CPU_SET(0, &set);
	sched_setaffinity(0, sizeof(set), &set);
	snprintf(path, sizeof(path), "%s/%s", workloads, name);
	execl(path, name, "60", depth, NULL);
	_exit(127);
}

static void end(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static uint64_t copies(struct session *session, struct session_stats *stats)
{
	session_stats(session, stats);
	for (size_t i = 0; i < SESSION_NAMED_MAX && stats->counters[i].name[0]; i++)
		if (!strcmp(stats->counters[i].name, "copies"))
			return stats->counters[i].count;
	return 0;
}

/* The first samples are copied, as their tables are not loaded yet: later on a busy machine. */
static void wait_for_tables(struct session *session, struct session_stats *ret)
{
	uint64_t last, now = copies(session, ret);

	for (int i = 0; i < SETTLE_TRIES; i++) {
		last = now;
		usleep(SETTLE_US);
		now = copies(session, ret);
		if (now == last && ret->taken)
			return;
	}
}

static double wick_ns(const char *workload, const char *depth, double *first_sample_ms)
{
	struct session_options options = { .cpus = "0", .frequency_hz = FREQUENCY_HZ,
					   .stacks = SESSION_STACKS_USER,
					   .time_programs = true };
	_cleanup_(session_freep) struct session *session = NULL;
	_cleanup_(profile_freep) struct profile *profile = NULL;
	pid_t pid = start(workload, depth);
	struct session_stats before, after;
	struct error err = { 0 };

	usleep(100000);
	if (session_open(&options, &session, &err) || session_start(session, &err)) {
		fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
	wait_for_tables(session, &before);
	sleep(SECONDS);
	session_stats(session, &after);
	session_finish(session, &profile, &err);
	end(pid);
	*first_sample_ms = after.first_sample_ns / 1e6;
	return (double)(after.bpf_ns - before.bpf_ns) / (after.bpf_runs - before.bpf_runs);
}

static double program_ns(struct bpf_program *program, const char *workload, const char *depth)
{
	struct perf_event_attr attr = { .size = sizeof(attr), .type = PERF_TYPE_SOFTWARE,
					.config = PERF_COUNT_SW_CPU_CLOCK, .freq = 1,
					.sample_freq = FREQUENCY_HZ, .exclude_idle = 1 };
	int stats_fd = bpf_enable_stats(BPF_STATS_RUN_TIME), fd;
	struct bpf_prog_info before = { 0 }, after = { 0 };
	uint32_t size = sizeof(before);
	pid_t pid = start(workload, depth);

	usleep(100000);
	fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0 || ioctl(fd, PERF_EVENT_IOC_SET_BPF, bpf_program__fd(program))) {
		perror("perf event");
		exit(1);
	}
	usleep(500000);
	bpf_obj_get_info_by_fd(bpf_program__fd(program), &before, &size);
	sleep(SECONDS);
	bpf_obj_get_info_by_fd(bpf_program__fd(program), &after, &size);
	close(fd);
	close(stats_fd);
	end(pid);
	return (double)(after.run_time_ns - before.run_time_ns) / (after.run_cnt - before.run_cnt);
}

static int compare(const void *a, const void *b)
{
	const double *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static double median(double *values)
{
	qsort(values, ROUNDS, sizeof(*values), compare);
	return values[ROUNDS / 2];
}

int main(int argc, char **argv)
{
	double wick[ROUNDS], stackid[ROUNDS], empty[ROUNDS], first[ROUNDS];
	struct baseline *baseline = baseline__open_and_load();
	const char *depth = argc > 3 ? argv[3] : "";

	if (!baseline || argc < 3)
		return 1;
	if (getenv("WICK_WORKLOADS"))
		workloads = getenv("WICK_WORKLOADS");
	for (int i = 0; i < ROUNDS; i++) {
		wick[i] = wick_ns(argv[1], depth, &first[i]);
		stackid[i] = program_ns(baseline->progs.stackid, argv[2], depth);
		empty[i] = program_ns(baseline->progs.empty, argv[1], depth);
	}
	printf("wick %.0f ns/sample\n", median(wick));
	printf("stackid %.0f ns/sample\n", median(stackid));
	printf("empty %.0f ns/sample\n", median(empty));
	printf("first-sample %.0f ms\n", median(first));
	baseline__destroy(baseline);
	return 0;
}
