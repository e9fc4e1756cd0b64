/* SPDX-License-Identifier: BSD-2-Clause */
/* clock.h - the clocks, in nanoseconds. */
#ifndef WICK_CLOCK_H
#define WICK_CLOCK_H

#include <stdint.h>

uint64_t clock_monotonic_ns(void);	/* the clock of perf records and of the BPF programs */
uint64_t clock_realtime_ns(void);	/* since the epoch */
uint64_t clock_thread_cpu_ns(void);
uint64_t clock_process_cpu_ns(void);

#endif
