/* SPDX-License-Identifier: BSD-2-Clause */
/* proc_stat.h - what /proc/PID/stat says. */
#ifndef WICK_PROC_STAT_H
#define WICK_PROC_STAT_H

#include <stdbool.h>
#include <stdint.h>

/* Fields that are numbers, as proc(5) counts them. */
enum proc_stat_field {
	PROC_STAT_PARENT = 4,
	PROC_STAT_START = 22,		/* clock ticks since boot */
};

/* Returns 0 or -ESRCH. */
int proc_stat_read(uint32_t pid, enum proc_stat_field field, unsigned long long *ret);
/* Whether @pid has not ended; what only waits for its parent to be told has. */
bool proc_stat_lives(uint32_t pid);

#endif
