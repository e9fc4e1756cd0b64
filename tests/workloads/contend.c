/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * contend.c - threads that get in each other's way as often as they can, politely (nice 10).
 * Usage: contend SECONDS THREADS futex|mmap|both
 *
 * "futex": for a mutex of their own. "mmap": in the kernel, for the semaphore that guards the
 * address space they share, which each changes all the time. "both": every other thread.
 */
/* BUILD: -pthread */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "work.h"

#define THREADS_MAX 16
#define PAGE_BYTES 4096

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static double end_time;

NOINLINE static void contend_futex(void)
{
	while (work_now() < end_time)
		for (int i = 0; i < 100; i++) {
			pthread_mutex_lock(&mutex);
			work_spin(200);
			pthread_mutex_unlock(&mutex);
		}
	KEEP_FRAME();
}

NOINLINE static void contend_mmap(void)
{
	while (work_now() < end_time)
		for (int i = 0; i < 100; i++) {
			char *page = mmap(NULL, PAGE_BYTES, PROT_READ | PROT_WRITE,
					  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

			if (page == MAP_FAILED)
				exit(1);
			page[0] = 1;
			munmap(page, PAGE_BYTES);
		}
	KEEP_FRAME();
}

static void *futex_run(void *unused)
{
	contend_futex();
	KEEP_FRAME();
	return unused;
}

static void *mmap_run(void *unused)
{
	contend_mmap();
	KEEP_FRAME();
	return unused;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS_MAX];
	int count = argc > 3 ? atoi(argv[2]) : 0;

	if (count < 1 || count > THREADS_MAX || nice(10) < 0)
		return 2;
	end_time = work_now() + atof(argv[1]);
	for (int i = 0; i < count; i++) {
		bool in_kernel = !strcmp(argv[3], "mmap") || (!strcmp(argv[3], "both") && i % 2);

		pthread_create(&threads[i], NULL, in_kernel ? mmap_run : futex_run, NULL);
	}
	for (int i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
