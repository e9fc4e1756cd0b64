/* SPDX-License-Identifier: BSD-2-Clause */
/* BUILD: -pthread */
/*
 * wakes.c - one thread wakes another, COUNT times, each time some milliseconds after it has gone to
 * sleep. Usage: wakes COUNT FILE
 * Writes the nanoseconds the sleeper can have slept: at least, as the waker saw it, and at most, as
 * the sleeper itself did.
 */
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "work.h"

#define PAUSE_US 5000

static int fds[2];
static volatile int sleeper_tid;
static double asleep_most;

static void *sleep_on(void *context)
{
	double begin;
	char byte;

	prctl(PR_SET_NAME, "sleeper");
	sleeper_tid = syscall(SYS_gettid);
	do {
		begin = work_now();
		if (read(fds[0], &byte, 1) != 1)
			break;
		asleep_most += work_now() - begin;
	} while (byte != 'e');
	return NULL;
}

/* The state behind the name in brackets: it sleeps in the one call it makes. */
static int sleeps(int tid)
{
	char path[64], state = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat", tid);
	f = fopen(path, "re");
	if (!f || fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 0;
	if (f)
		fclose(f);
	return state == 'S';
}

NOINLINE static void wake_it(char byte)
{
	if (write(fds[1], &byte, 1) != 1)
		exit(1);
	KEEP_FRAME();
}

int main(int argc, char **argv)
{
	int count = argc > 1 ? atoi(argv[1]) : 100;
	double asleep_least = 0, seen;
	pthread_t sleeper;
	FILE *report;

	if (argc < 3 || pipe(fds) || pthread_create(&sleeper, NULL, sleep_on, NULL))
		return 1;
	prctl(PR_SET_NAME, "waker");
	for (int i = 0; i < count; i++) {
		while (!sleeper_tid || !sleeps(sleeper_tid))
			usleep(1000);
		seen = work_now();
		usleep(PAUSE_US);
		asleep_least += work_now() - seen;
		wake_it(i == count - 1 ? 'e' : 'w');
	}
	pthread_join(sleeper, NULL);
	report = fopen(argv[2], "we");
	if (!report)
		return 1;
	fprintf(report, "%.0f %.0f\n", asleep_least * 1e9, asleep_most * 1e9);
	return fclose(report) ? 1 : 0;
}
