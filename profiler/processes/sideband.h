/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sideband.h - exec, mmap, fork and exit notices from perf, merged across CPUs by time.
 *
 * One software dummy event per online CPU (perf_event_open(2)): MMAP2 with
 * build ID where the kernel has it (5.12), else device and inode; COMM with
 * exec, FORK, EXIT. Used by the capture thread only; opens no file but those.
 */
#ifndef WICK_SIDEBAND_H
#define WICK_SIDEBAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"
#include "profiler/base/error.h"
#include "profiler/processes/notice.h"

struct sideband;

/*
 * @ring_bytes per CPU, a power of two of at least a page. @with_data: mappings of data, too. CPUs are
 * those online now.
 */
int sideband_open(size_t ring_bytes, bool with_data, struct sideband **ret, struct error *err);
struct sideband *sideband_close(struct sideband *sb);
DEFINE_CLEANUP(struct sideband *, sideband_close)

/*
 * CPUs came online or left: open what is missing; what is left in the ring of
 * one that is gone comes with the next sideband_read(). Returns 0 or a negative errno.
 */
int sideband_update_cpus(struct sideband *sb);
/*
 * Add its descriptors to the epoll instance @epoll_fd with @data; they wake it at
 * 4 KiB. Those of CPUs that come later are added by sideband_update_cpus().
 */
int sideband_poll(struct sideband *sb, int epoll_fd, uint64_t data);
/*
 * Append all records from before this call to @batch and order it by time: what
 * comes in the next batch is later than all in this one. Returns 0 or -ENOMEM
 * (records read so far are in, the others come next time).
 */
int sideband_read(struct sideband *sb, struct notice_batch *batch);
/* Whether mappings come with build IDs. */
bool sideband_has_build_ids(const struct sideband *sb);
/* Records the kernel dropped (PERF_RECORD_LOST), and records read. */
uint64_t sideband_lost(const struct sideband *sb);
uint64_t sideband_count(const struct sideband *sb);
size_t sideband_bytes(const struct sideband *sb);

#endif
