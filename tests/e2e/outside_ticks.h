/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * outside_ticks.h - counts the ticks of the cpu source from outside: a second perf event of the
 * same kind on each CPU that only fills its own ring.
 *
 * Both events leave idle time out. Where a CPU is awake for moments only, it is chance which of two
 * clocks meets them: their counts agree where CPUs are busy.
 */
#ifndef WICK_OUTSIDE_TICKS_H
#define WICK_OUTSIDE_TICKS_H

#include <stdint.h>
#include "profiler/session.h"

#define OUTSIDE_CPUS_MAX 64
#define OUTSIDE_TICKS_APART 3	/* on each CPU: one clock starts and stops before the other */

struct outside_event {
	int fd;
	struct perf_event_mmap_page *page;
};

struct outside_ticks {
	unsigned int cpus;
	uint64_t period_ns;
	struct outside_event events[OUTSIDE_CPUS_MAX];
	/* What the program had counted just before and just after the event was switched. */
	uint64_t on[2][OUTSIDE_CPUS_MAX], off[2][OUTSIDE_CPUS_MAX];
};

/* They do not run yet. */
void outside_open(struct outside_ticks *o, unsigned int frequency_hz);
/* @session's first source is cpu. */
void outside_begin(struct outside_ticks *o, struct session *session);
void outside_end(struct outside_ticks *o, struct session *session);
void outside_close(struct outside_ticks *o);

/* Between begin and end: ticks of the event, and runs of the program, at least and at most. */
uint64_t outside_count(const struct outside_ticks *o, unsigned int cpu);
/*
 * How often its CPU was away, or did not take interrupts, for more than a tick: a virtual one whose
 * host had other things to do. Each time one clock may pass over a tick more than the other.
 */
uint64_t outside_stalls(const struct outside_ticks *o, unsigned int cpu);
uint64_t outside_runs_least(const struct outside_ticks *o, unsigned int cpu);
uint64_t outside_runs_most(const struct outside_ticks *o, unsigned int cpu);

#endif
