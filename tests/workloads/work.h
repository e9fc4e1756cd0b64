/* SPDX-License-Identifier: BSD-2-Clause */
/* work.h - what workloads share: bounded spinning that the compiler keeps, and keeps apart. */
#ifndef WICK_WORK_H
#define WICK_WORK_H

#include <stdint.h>
#include <time.h>

#define NOINLINE __attribute__((noinline, noclone))
/* What follows a call keeps it a call: a tail call leaves no frame. */
#define KEEP_FRAME() __asm__ volatile("" ::: "memory")

static volatile uint64_t work_result;

static inline double work_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* The same number of instructions for each round, in the function it is inlined in. */
static inline __attribute__((always_inline)) void work_spin(uint64_t rounds)
{
	uint64_t x = work_result | 1;

	for (uint64_t i = 0; i < rounds; i++)
		x = x * 6364136223846793005ull + 1442695040888963407ull;
	work_result = x;
}

#endif
