/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * witness.h - counts the ticks at which the kernel did not run the cpu source's program.
 *
 * Programs on software events, tracepoints and kprobes hold a guard while they run, and a tick that
 * meets it is dropped without a counter. A second event of the same kind, in one group with the first so
 * that both tick together, only fills a ring of its own: what it has more, was skipped.
 *
 * Which task a skipped tick met is not known: with targets the count is of all tasks.
 */
#ifndef WICK_WITNESS_H
#define WICK_WITNESS_H

#include <stdint.h>
#include "profiler/base/cleanup.h"

struct bpf_maps;
struct perf_event_attr;
struct witness;

/* @maps, for the counters, is borrowed. */
int witness_new(struct bpf_maps *maps, struct witness **ret);
struct witness *witness_free(struct witness *witness);
DEFINE_CLEANUP(struct witness *, witness_free)

/*
 * Tick on @cpu together with @event, an event of @attr that is not enabled yet and whose program counts
 * as @source. Follows one source; again for a CPU that comes back. Returns 0 or a negative errno.
 */
int witness_follow(struct witness *witness, uint32_t source, unsigned int cpu, int event,
		   const struct perf_event_attr *attr);
/* Stop both events on every CPU, at once: what is counted then stays. */
void witness_stop(struct witness *witness);
/* Any thread. */
uint64_t witness_skipped(struct witness *witness);

#endif
