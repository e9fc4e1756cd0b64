/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * limits.h - shares --memory out: rings, counts, tables, windows.
 *
 * What is over its share is shed, and counted: tables evict the least recently
 * used module, windows keep samples without their stacks, late windows are dropped.
 */
#ifndef WICK_LIMITS_H
#define WICK_LIMITS_H

#include <stdint.h>
#include "profiler/session.h"

#define LIMITS_MEMORY_DEFAULT (64ull << 20)
#define LIMITS_MEMORY_LEAST (8ull << 20)

/*
 * Fill in every limit of @ret that is 0, for @memory_bytes in all, @cpus possible CPUs and
 * @sources sources. @ret_window_bytes: what the windows kept in user space may take.
 */
void limits_fill(uint64_t memory_bytes, unsigned int cpus, unsigned int sources,
		 struct session_limits *ret, uint64_t *ret_window_bytes);

#endif
