/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * needs.h - what sources cannot do without, looked for on this machine.
 *
 * Features are probed, never versions. The lists are for rows of the source table; what all rows need
 * is not in them.
 */
#ifndef WICK_NEEDS_H
#define WICK_NEEDS_H

#include "profiler/sources/source.h"

/* Whether the kernel has the type that a program on tracepoint @name is checked against. */
bool needs_tracepoint(struct session_needs *needs, const char *name);
/* Why the kernel's types could not be read, when tracepoints were looked for; 0: they could. */
int needs_types_error(const struct session_needs *needs);
/*
 * The next of @list that is not here and that @settings ask for: from *@position on, which is moved
 * behind it. NULL after the last.
 */
const struct source_need *needs_lacking(struct session_needs *needs,
					const struct source_need *list,
					const struct wick_settings *settings, size_t *position,
					enum source_loss *ret_loss);

/* Each ends with a NULL reason. */
extern const struct source_need needs_cpu[], needs_offcpu[], needs_runq[], needs_wakeup[],
	needs_switch[], needs_syscall[], needs_lock[], needs_fault[], needs_signal[], needs_exit[],
	needs_irq[], needs_softirq[], needs_uprobe[], needs_kprobe[], needs_tracefs[],
	needs_rawtp[], needs_hardware[];

#endif
