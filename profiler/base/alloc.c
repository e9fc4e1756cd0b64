/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/alloc.h"

#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ALLOC_FIRST_COUNT 8
/* glibc's default, which it raises to 32 MiB by itself once such blocks were freed, unless set. */
#define LARGE_BLOCK_BYTES (128 << 10)

int alloc_grow_(void *array, size_t *capacity, size_t needed, size_t size)
{
	void *grown, *old;
	size_t count;

	if (needed <= *capacity)
		return 0;
	count = *capacity + *capacity / 2;
	if (count < ALLOC_FIRST_COUNT)
		count = ALLOC_FIRST_COUNT;
	if (count < needed)
		count = needed;
	/*
	 * @array points to a pointer of some other type than void *: reading
	 * it through a void ** would break C's aliasing rules, bytes do not.
	 */
	memcpy(&old, array, sizeof(old));
	grown = reallocarray(old, count, size);
	if (!grown)
		return -ENOMEM;
	memcpy(array, &grown, sizeof(grown));
	*capacity = count;
	return 0;
}

void alloc_give_back(void)
{
	mallopt(M_MMAP_THRESHOLD, LARGE_BLOCK_BYTES);
	/* Threads are few and seldom allocate at once; each arena keeps what its thread once needed. */
	mallopt(M_ARENA_MAX, 1);
}
