/* SPDX-License-Identifier: BSD-2-Clause */
/* sleeper.h - the memory of a thread that does not run, and whether it has run since. */
#ifndef WICK_SLEEPER_H
#define WICK_SLEEPER_H

#include <stddef.h>
#include <stdint.h>

#define SLEEPER_ARRIVALS_UNKNOWN UINT64_MAX

/* @size bytes at @address of the memory of thread @tid. Returns 0 or a negative errno. */
int sleeper_read(uint32_t tid, uint64_t address, void *to, size_t size);
/* How often it has got a CPU: it goes on only after that has changed. */
uint64_t sleeper_arrivals(uint32_t pid, uint32_t tid);

#endif
