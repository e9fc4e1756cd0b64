/* SPDX-License-Identifier: BSD-2-Clause */
/* BUILD: -pthread */
/*
 * crowded.c - three threads on one CPU: one spins, one naps, one yields. Usage: crowded SECONDS FILE
 * Each writes what the kernel knows of it since it began, a line each: its name and tid, nanoseconds
 * it waited for the CPU, and how often it was switched out by its own will and against it.
 */
#define _GNU_SOURCE
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "work.h"

#define THREADS 3

static double end;
static FILE *report;
static pthread_mutex_t report_lock = PTHREAD_MUTEX_INITIALIZER;

NOINLINE static void spinning(void)
{
	while (work_now() < end)
		work_spin(10000);
	KEEP_FRAME();
}

NOINLINE static void napping(void)
{
	while (work_now() < end) {
		usleep(2000);
		work_spin(100000);
	}
	KEEP_FRAME();
}

NOINLINE static void yielding(void)
{
	while (work_now() < end) {
		work_spin(500000);
		sched_yield();
	}
	KEEP_FRAME();
}

static const struct part {
	const char *name;
	void (*work)(void);
} parts[THREADS] = { { "spinner", spinning }, { "napper", napping }, { "yielder", yielding } };

static uint64_t delay_ns(void)
{
	uint64_t delay = 0;
	FILE *f = fopen("/proc/thread-self/schedstat", "re");

	if (!f || fscanf(f, "%*s %" SCNu64, &delay) != 1)
		delay = 0;
	if (f)
		fclose(f);
	return delay;
}

static void *run(void *context)
{
	const struct part *part = context;
	struct rusage usage;
	uint64_t delay;

	prctl(PR_SET_NAME, part->name);
	part->work();
	pthread_mutex_lock(&report_lock);
	delay = delay_ns();
	getrusage(RUSAGE_THREAD, &usage);
	fprintf(report, "%s %ld %" PRIu64 " %ld %ld\n", part->name, syscall(SYS_gettid), delay,
		usage.ru_nvcsw, usage.ru_nivcsw);
	pthread_mutex_unlock(&report_lock);
	return NULL;
}

/* On the last of the CPUs it may run on. */
static void pin(void)
{
	cpu_set_t all, one;
	int cpu = CPU_SETSIZE - 1;

	if (sched_getaffinity(0, sizeof(all), &all))
		return;
	while (cpu > 0 && !CPU_ISSET(cpu, &all))
		cpu--;
	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	sched_setaffinity(0, sizeof(one), &one);
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS];

	if (argc < 3 || !(report = fopen(argv[2], "we")))
		return 1;
	pin();
	end = work_now() + atof(argv[1]);
	for (int i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, run, (void *)&parts[i]))
			return 1;
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return fclose(report) ? 1 : 0;
}
