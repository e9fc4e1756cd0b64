/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * mapping_store.h - lists of mappings in the kernel's array, found by process.
 *
 * A part of table_store.h.
 *
 * Published are whole lists: a new range is written, then the process's entry is
 * turned to it. Only entries that are there are changed: the kernel side makes them
 * when it asks, copies them at fork and deletes them at exec and exit, so what
 * comes too late leaves nothing behind.
 */
#ifndef WICK_MAPPING_STORE_H
#define WICK_MAPPING_STORE_H

#include <stddef.h>
#include <stdint.h>
#include "bpf/sample_abi.h"
#include "profiler/base/cleanup.h"
#include "profiler/processes/process.h"

struct mapping_store;

struct mapping_store_stats {
	uint64_t used, full, published, gone, scans, files;
};

/* Descriptors are borrowed. Returns 0 or a negative errno. */
int mapping_store_new(int mappings_fd, int processes_fd, int known_files_fd, uint32_t limit,
		      struct mapping_store **ret);
struct mapping_store *mapping_store_free(struct mapping_store *store);
DEFINE_CLEANUP(struct mapping_store *, mapping_store_free)

/* As table_store_publish() and so on. */
int mapping_store_publish(struct mapping_store *store, const struct process *process,
			  uint64_t now_ns);
int mapping_store_fork(struct mapping_store *store, uint32_t parent, uint32_t child,
		       uint64_t now_ns);
void mapping_store_forget(struct mapping_store *store, uint32_t pid, uint64_t now_ns);
int mapping_store_find_process(const struct mapping_store *store, uint32_t pid,
			       struct wick_process *ret);
int mapping_store_next_process(const struct mapping_store *store, const uint32_t *previous,
			       uint32_t *ret_pid, struct wick_process *ret);
void mapping_store_know_file(struct mapping_store *store, uint64_t identity,
			     const struct mapping *mapping);
/* Frees ranges when many are used, or it has not for long. */
void mapping_store_collect(struct mapping_store *store, uint64_t now_ns);
/*
 * Free what nobody has used for @grace_ns now. Looks at all entries, which holds up
 * samples of this CPU for a moment. Returns 0 or a negative errno.
 */
int mapping_store_scan(struct mapping_store *store, uint64_t grace_ns, uint64_t now_ns);
void mapping_store_stats(const struct mapping_store *store, struct mapping_store_stats *ret);
size_t mapping_store_bytes(const struct mapping_store *store);

#endif
