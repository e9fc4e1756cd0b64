/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * drain.h - maps and ring to windows, without losing or doubling a sample.
 *
 * The order of a drain: flip the generation; wait until no program works with
 * the old one; read the ring up to where it is then; read and empty the old half of
 * the counts. What programs of the new generation have sent by then belongs to the
 * next window. Never waits for RCU: that takes minutes under load. Used by the capture thread.
 */
#ifndef WICK_DRAIN_H
#define WICK_DRAIN_H

#include <stddef.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"
#include "profiler/bpf_maps.h"
#include "profiler/processes/notice.h"
#include "profiler/sources/source.h"

struct drain;

struct drain_options {
	struct bpf_maps *maps;			/* borrowed, as all here */
	struct source_run *const *sources;
	size_t source_count;
	const struct session_limits *limits;
	uint64_t window_bytes;
};

struct drain_stats {
	uint64_t windows, records, keys, flip_wait_ns;
	uint64_t claim_timeouts;	/* a program held its claim for seconds: never seen */
	uint64_t late_records;		/* of a generation that was passed on already */
	uint64_t waits_closed;		/* waits that were open at the end: taken, and in the window */
	uint64_t waits_unknown;		/* those without a known task: taken, and lost */
	uint64_t lost_memory;		/* samples lost because user space had no memory */
	uint64_t lost_read;		/* maps that could not be read: errors, not samples */
};

int drain_new(const struct drain_options *options, struct drain **ret);
struct drain *drain_free(struct drain *drain);
DEFINE_CLEANUP(struct drain *, drain_free)

/* Read what the ring holds; requests and copies go to @batch. */
void drain_read_ring(struct drain *drain, struct notice_batch *batch);
/*
 * A whole drain. The window of the generation that ended goes to
 * @batch->window; copies and requests of the next one to @next. Returns 0 or -ENOMEM.
 */
int drain_window(struct drain *drain, struct notice_batch *batch, struct notice_batch *next);
/*
 * Between the last two drains, when no program runs any more: count the waits that were open when
 * the run was over, at @end_ns.
 */
void drain_close_waits(struct drain *drain, uint64_t end_ns);
/* Whether ring or counts fill up so that a drain should not wait for its time. */
bool drain_is_pressed(const struct drain *drain);
void drain_stats(const struct drain *drain, struct drain_stats *ret);

#endif
