/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * convoy.c - threads that queue for one mutex. Usage: convoy SECONDS THREADS REPORT [pi]
 *
 * Each holds it for some milliseconds and is back in the queue as soon as the next one has it, so that all
 * others always wait, and nobody is woken in vain, on a slow machine either. Into the
 * file REPORT goes "lock ADDRESS", and for each pair of threads "waited WAITER OWNER NS": how long
 * calls of pthread_mutex_lock() took by the thread's own clock, and who had released it
 * last. With "pi" the kernel hands the mutex over.
 */
/* BUILD: -pthread */
#define _GNU_SOURCE
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "work.h"

#define THREADS_MAX 16
#define HOLD_US 4000
#define REST_US 300

static pthread_mutex_t mutex;
static double end_time;
static int last_owner = -1;
static unsigned int times_locked;			/* written under the mutex */
static uint64_t waited[THREADS_MAX][THREADS_MAX];	/* by waiter and owner, guarded by the mutex */

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ull + t.tv_nsec;
}

NOINLINE static void convoy_lock(int self)
{
	uint64_t begin = now_ns();

	pthread_mutex_lock(&mutex);
	if (last_owner >= 0)
		waited[self][last_owner] += now_ns() - begin;
	__atomic_store_n(&times_locked, times_locked + 1, __ATOMIC_RELAXED);
	KEEP_FRAME();
}

NOINLINE static void convoy_unlock(int self)
{
	last_owner = self;
	pthread_mutex_unlock(&mutex);
	KEEP_FRAME();
}

static void *convoy_run(void *number)
{
	int self = (long)number;
	char name[16];

	snprintf(name, sizeof(name), "convoy-%d", self);
	pthread_setname_np(pthread_self(), name);
	while (work_now() < end_time) {
		unsigned int mine;

		convoy_lock(self);
		mine = times_locked;
		usleep(HOLD_US);
		convoy_unlock(self);
		do
			usleep(REST_US);
		while (__atomic_load_n(&times_locked, __ATOMIC_RELAXED) == mine &&
		       work_now() < end_time);
	}
	return NULL;
}

static int report(const char *path, int threads)
{
	FILE *f = fopen(path, "we");

	if (!f)
		return 1;
	fprintf(f, "lock 0x%" PRIxPTR "\n", (uintptr_t)&mutex);
	for (int i = 0; i < threads; i++)
		for (int j = 0; j < threads; j++)
			fprintf(f, "waited %d %d %" PRIu64 "\n", i, j, waited[i][j]);
	return fclose(f) ? 1 : 0;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS_MAX];
	pthread_mutexattr_t attr;
	int count = argc > 3 ? atoi(argv[2]) : 0;

	if (count < 1 || count > THREADS_MAX)
		return 2;
	pthread_mutexattr_init(&attr);
	if (argc > 4 && !strcmp(argv[4], "pi"))
		pthread_mutexattr_setprotocol(&attr, PTHREAD_PRIO_INHERIT);
	pthread_mutex_init(&mutex, &attr);
	end_time = work_now() + atof(argv[1]);
	for (long i = 0; i < count; i++)
		pthread_create(&threads[i], NULL, convoy_run, (void *)i);
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	return report(argv[3], count);
}
