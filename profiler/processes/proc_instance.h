/* SPDX-License-Identifier: BSD-2-Clause */
/* proc_instance.h - whether a PID in /proc is still the process that was meant. */
#ifndef WICK_PROC_INSTANCE_H
#define WICK_PROC_INSTANCE_H

#include <stdbool.h>
#include <stdint.h>

/* Whether @pid is the process that started at @start_ns, CLOCK_MONOTONIC, and not a later one. */
bool proc_instance_is(uint32_t pid, uint64_t start_ns);

#endif
