/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * needs.h - what sources cannot do without, looked for on this machine.
 *
 * Features are probed, never versions. The lists are for rows of the source table; what all rows need
 * is not in them.
 */
#ifndef WICK_NEEDS_H
#define WICK_NEEDS_H

#include "profiler/source.h"

/* Each ends with a NULL reason. */
extern const struct source_need needs_cpu[], needs_offcpu[], needs_runq[], needs_wakeup[],
	needs_switch[], needs_syscall[], needs_lock[], needs_fault[], needs_signal[], needs_exit[],
	needs_irq[], needs_softirq[];

#endif
