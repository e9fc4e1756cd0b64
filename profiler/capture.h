/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * capture.h - the capture thread: reads sideband and ring, drains, and hands on.
 *
 * Opens no file of a process and never waits for another thread: when the next stage is
 * behind, what does not fit in its queue is dropped and counted.
 */
#ifndef WICK_CAPTURE_H
#define WICK_CAPTURE_H

#include <stdint.h>
#include "profiler/base/cleanup.h"
#include "profiler/base/queue.h"
#include "profiler/drain.h"
#include "profiler/processes/sideband.h"

struct capture;

struct capture_options {
	struct drain_options drain;
	bool with_data_mappings;	/* notices of mappings that are not executable, too */
	size_t sideband_bytes;		/* per CPU */
	struct queue *out;		/* of struct notice_batch */
	size_t out_items;		/* its capacity */
	uint32_t window_ms;
};

struct capture_stats {
	struct drain_stats drain;
	uint64_t sideband_records, sideband_lost;
	uint64_t late_samples;		/* in windows dropped because @out was full */
	uint64_t late_copies;		/* stack copies dropped because @out was full */
	uint64_t late_batches;
	uint64_t undrained;		/* last rounds that had no memory: their samples are in the maps */
	uint64_t wakeups, cpu_ns;
	uint64_t sideband_bytes;	/* of its rings, in the kernel */
	int cpus_error;			/* of the last try to sample CPUs that came online */
};

/* Opens the sideband at once, so that nothing is missed between a read of /proc and the start. */
int capture_new(const struct capture_options *options, struct capture **ret, struct error *err);
int capture_start(struct capture *capture);
/*
 * The run was over at @end_ns (programs must be detached): drain what is left, close @out, end the
 * thread.
 */
void capture_stop(struct capture *capture, uint64_t end_ns);
struct capture *capture_free(struct capture *capture);
DEFINE_CLEANUP(struct capture *, capture_free)
/* Any thread; figures may be of slightly different moments while it runs. */
void capture_stats(const struct capture *capture, struct capture_stats *ret);

#endif
