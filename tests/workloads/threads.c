/* SPDX-License-Identifier: BSD-2-Clause */
/* threads.c - busy threads with names. Usage: threads SECONDS COUNT */
/* BUILD: -pthread */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include "work.h"

static double end_time;

NOINLINE static void thread_work(void)
{
	while (work_now() < end_time)
		for (int i = 0; i < 200; i++)
			work_spin(1000);
	KEEP_FRAME();
}

static void *thread_run(void *number)
{
	char name[16];

	snprintf(name, sizeof(name), "worker-%ld", (long)number);
	pthread_setname_np(pthread_self(), name);
	thread_work();
	KEEP_FRAME();
	return NULL;
}

int main(int argc, char **argv)
{
	int count = argc > 2 ? atoi(argv[2]) : 4;
	pthread_t *threads = calloc(count, sizeof(*threads));

	end_time = work_now() + (argc > 1 ? atof(argv[1]) : 1);
	for (long i = 0; i < count; i++)
		pthread_create(&threads[i], NULL, thread_run, (void *)i);
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	free(threads);
	return 0;
}
