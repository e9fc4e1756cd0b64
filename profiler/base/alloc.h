/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * alloc.h - growable arrays with overflow checks.
 *
 * Plain calloc() and free() are used directly; this adds only the doubling
 * that every growable array needs.
 */
#ifndef WICK_ALLOC_H
#define WICK_ALLOC_H

#include <stddef.h>

/*
 * Make room for @needed elements of @size bytes in *@array, which holds
 * *@capacity now; grows at least by half. New room is not cleared.
 * Returns 0, or -ENOMEM with the array as it was.
 */
int alloc_grow_(void *array, size_t *capacity, size_t needed, size_t size);
#define alloc_grow(array, capacity, needed) \
	alloc_grow_((array), (capacity), (needed), sizeof(**(array)))

/*
 * Have large blocks go back to the system as soon as they are freed, from whatever thread: a
 * profiler needs much memory for a moment, for each large file, and little the rest of its
 * life. Concerns the whole program, so it is for main().
 */
void alloc_give_back(void);

#endif
