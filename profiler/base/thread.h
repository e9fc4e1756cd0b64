/* SPDX-License-Identifier: BSD-2-Clause */
/* thread.h - what each thread of ours does first. */
#ifndef WICK_THREAD_H
#define WICK_THREAD_H

/* For those that new processes wait for: the sooner tables are there, the fewer stacks are copied. */
#define THREAD_NICE_PROMPT -10
#define THREAD_NICE_USUAL 0

/*
 * Name the calling thread (at most 15 characters) and set its nice value. Without
 * the right to raise it, it stays as it is.
 */
void thread_begin(const char *name, int nice_value);

#endif
