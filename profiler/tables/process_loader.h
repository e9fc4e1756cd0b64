/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * process_loader.h - keeps what the kernel side knows of processes up to date.
 *
 * Brings together what processes did (process.h), whose files they map (modules.h)
 * and where tables and lists are published (table_store.h). Used by the tables
 * thread only. What cannot be learned or published now is asked for again by
 * the kernel side, so failures are counted, not returned.
 */
#ifndef WICK_PROCESS_LOADER_H
#define WICK_PROCESS_LOADER_H

#include <stddef.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"
#include "profiler/processes/modules.h"
#include "profiler/processes/process.h"
#include "profiler/tables/table_store.h"

struct process_loader;

struct process_loader_stats {
	uint64_t requests;
	uint64_t maps_read, maps_failed;
	uint64_t late;			/* asked for, but no longer what it was */
};

/* @modules and @store are borrowed. NULL: no memory. */
struct process_loader *process_loader_new(struct modules *modules, struct table_store *store);
struct process_loader *process_loader_free(struct process_loader *loader);
DEFINE_CLEANUP(struct process_loader *, process_loader_free)

/* What @notice says happened. Changed lists are published by process_loader_update(). */
void process_loader_apply(struct process_loader *loader, const struct notice *notice,
			  uint64_t now_ns);
/* Notices were lost: read anew what is published. */
void process_loader_distrust(struct process_loader *loader, uint64_t now_ns);
/*
 * The process that is this instance of @pid, its mappings known and their modules
 * found; NULL when it is not, or no longer, to be known. Valid until
 * process_loader_collect().
 */
const struct process *process_loader_get(struct process_loader *loader, uint32_t pid,
					 uint64_t start_ns, uint32_t exec_id, uint64_t now_ns);
/* The same, and publish it: the answer to a request. Or load the one table it asks for. */
void process_loader_answer(struct process_loader *loader, const struct wick_request_record *request,
			   uint64_t now_ns);
/* A process maps a file that the kernel side does not know yet: tell it which module that is. */
void process_loader_know_file(struct process_loader *loader, const struct wick_file_record *file,
			      uint64_t now_ns);
/* Publish the lists that changed since they were published. */
void process_loader_update(struct process_loader *loader, uint64_t now_ns);
/* Publish what is in the map of processes before anybody asks, with all its tables, until @end_ns. */
void process_loader_preload(struct process_loader *loader, uint64_t now_ns, uint64_t end_ns);
/* Forget processes that ended some time ago. */
void process_loader_collect(struct process_loader *loader, uint64_t now_ns);

void process_loader_stats(const struct process_loader *loader, struct process_loader_stats *ret);
size_t process_loader_count(const struct process_loader *loader);
size_t process_loader_bytes(const struct process_loader *loader);

#endif
