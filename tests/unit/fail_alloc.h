/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fail_alloc.h - make one allocation fail, to see that nothing else does.
 *
 * Every unit test is linked so that malloc() and its kin, called by our code,
 * come through here; what libraries allocate for themselves does not. Counts
 * are of the calling thread. For leaks, build with SAN=address.
 */
#ifndef WICK_FAIL_ALLOC_H
#define WICK_FAIL_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

/* The allocation after @skipped more fails, and only that one. */
void fail_alloc_after(size_t skipped);
/* Every allocation of @bytes or more fails, in every thread, until it is called with 0. */
void fail_alloc_from(size_t bytes);
/* Nothing fails any more. Whether one did since fail_alloc_after(). */
bool fail_alloc_stop(void);

/*
 * Calls @run(@arg) with its first allocation failing, then its second, and so
 * on, until it gets through without one failing. @run returns what the function under
 * test returned: it must be -ENOMEM as long as an allocation failed, and not
 * negative at the end; else the test fails. Returns how many allocations there are.
 */
size_t fail_alloc_each(int (*run)(void *arg), void *arg);
/* The same where some may fail without being missed, as one that gives memory back: then it is 0. */
size_t fail_alloc_each_or_not_missed(int (*run)(void *arg), void *arg);

#endif
