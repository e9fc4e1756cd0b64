/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fixed_work.c - how long the same work takes, to see what a profiler slows it down by.
 *
 * Usage: fixed_work CPU DEPTH. Recurses DEPTH deep and there spins CHUNKS times the same number of
 * instructions; prints the nanoseconds of the median chunk. It is of the real-time class, so that
 * neither the profiler's own threads nor other programs are in that, but samples are; and the
 * median leaves out what the host of a virtual machine takes away.
 */
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "profiler/base/clock.h"
#include "tests/workloads/work.h"

#define CHUNKS 60
#define ROUNDS_PER_CHUNK 8000000

static uint64_t times_ns[CHUNKS];

NOINLINE static void work(void)
{
	for (int i = 0; i < CHUNKS; i++) {
		uint64_t start_ns = clock_monotonic_ns();

		work_spin(ROUNDS_PER_CHUNK);
		times_ns[i] = clock_monotonic_ns() - start_ns;
	}
}

NOINLINE static void recurse(int depth)
{
	if (depth > 1)
		recurse(depth - 1);
	else
		work();
	KEEP_FRAME();
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

int main(int argc, char **argv)
{
	const struct sched_param priority = { .sched_priority = 1 };
	cpu_set_t cpus;

	if (argc != 3) {
		fprintf(stderr, "usage: fixed_work CPU DEPTH\n");
		return 2;
	}
	CPU_ZERO(&cpus);
	CPU_SET(atoi(argv[1]), &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus) ||
	    sched_setscheduler(0, SCHED_FIFO, &priority)) {
		perror("cannot have a CPU of our own");
		return 1;
	}
	recurse(atoi(argv[2]));
	qsort(times_ns, CHUNKS, sizeof(*times_ns), compare);
	printf("%llu\n", (unsigned long long)times_ns[CHUNKS / 2]);
	return 0;
}
