/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table_store.h - publishes rows, rules and mappings into the kernel's maps; nothing else does.
 *
 * Maps are mmap-able arrays (but for the hash of processes), written without
 * system calls: first what is pointed to, then the pointer. Ranges and blocks that are
 * replaced are reused only after a grace period. Used by the tables thread.
 *
 * When the limit is reached, tables not used for TABLE_IDLE_NS make room, the one
 * unused longest first; what still finds none is refused, works by frame pointers,
 * and is tried again when there is room. Without such need, too, what was not used for
 * TABLE_UNUSED_NS goes, and its memory: it is asked for again when a walk comes there.
 */
#ifndef WICK_TABLE_STORE_H
#define WICK_TABLE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "bpf/sample_abi.h"
#include "profiler/base/cleanup.h"
#include "profiler/base/error.h"
#include "profiler/processes/process.h"
#include "profiler/unwind/unwind_table.h"

#define TABLE_GRACE_NS 1000000000ull
#define TABLE_IDLE_NS (10 * 1000000000ull)
#define TABLE_UNUSED_NS (60 * 1000000000ull)
#define TABLE_RETRY_NS (10 * 1000000000ull)

struct table_store;

struct table_store_options {
	/* Map descriptors, borrowed for the store's lifetime. */
	int segments_fd;	/* array of arrays of WICK_SEGMENT_BLOCKS struct wick_block */
	int rules_fd;		/* array, one value of rule_limit u64, mmap-able */
	int modules_fd;		/* array of struct wick_module by module number, mmap-able */
	int mappings_fd;	/* array of struct wick_mapping, mmap-able */
	int processes_fd;	/* hash, u32 pid to struct wick_process */
	int known_files_fd;	/* array of WICK_KNOWN_FILES struct wick_known_file, mmap-able */
	uint32_t segment_limit, rule_limit, module_limit, mapping_limit;
};

struct table_store_stats {
	uint64_t tables, tables_evicted;
	uint64_t tables_unused;		/* dropped because nobody came there any more */
	uint64_t tables_refused;	/* no room even after eviction */
	uint64_t tables_failed;		/* their files could not be read */
	uint64_t rows, table_bytes, segments;
	uint64_t rules, rule_pool_full;	/* rows without their rule, because there were too many */
	uint64_t build_ns, cfi_bytes, rows_built;
	uint64_t mappings_used, mappings_full, processes_published;
	uint64_t files_known;		/* how often the kernel side was told of one */
	uint64_t processes_gone;	/* ended or executed before they were published */
	uint64_t scans;			/* looks at all processes to find ranges to free */
};

/* Makes the first segment, which waits for RCU: before anything is attached. */
int table_store_new(const struct table_store_options *options, struct table_store **ret,
		    struct error *err);
struct table_store *table_store_free(struct table_store *store);
DEFINE_CLEANUP(struct table_store *, table_store_free)

/*
 * Build and publish the table of @module unless it is there. @now_ns is
 * remembered as its last use. Returns 0 (also for a file without unwind information),
 * -ENOSPC when the limit is reached, or what building it says. Either is said again,
 * without another try, until table_store_collect() has found room; -ENOMEM for TABLE_RETRY_NS.
 */
int table_store_load_module(struct table_store *store, struct module *module, uint64_t now_ns);
/* Module @id was seen in a sample. Costs nothing. */
void table_store_touch(struct table_store *store, uint32_t id, uint64_t now_ns);

/*
 * Publish the mappings of @process as they are, under its identity (start_ns,
 * exec_id). Returns 0, -ENOENT when the kernel side does not know it (it ended or
 * executed another program, and will be asked for again), -ENOSPC when the array or
 * the hash is full, or -ENOMEM.
 */
int table_store_publish(struct table_store *store, const struct process *process, uint64_t now_ns);
/* The kernel side let @child use the mappings of @parent. Returns 0 or -ENOMEM. */
int table_store_fork(struct table_store *store, uint32_t parent, uint32_t child, uint64_t now_ns);
/* @pid ended or executed another program; the kernel side knows. */
void table_store_forget(struct table_store *store, uint32_t pid, uint64_t now_ns);
/* What the kernel side knows of @pid now. Returns 0, -ENOENT, or a negative errno. */
int table_store_find_process(const struct table_store *store, uint32_t pid,
			     struct wick_process *ret);
/*
 * Walk what it knows, from @previous (NULL: the first) to @ret_pid. Returns 0, or -ENOENT at the end.
 * Begins anew when @previous has ended meanwhile.
 */
int table_store_next_process(const struct table_store *store, const uint32_t *previous,
			     uint32_t *ret_pid, struct wick_process *ret);

/*
 * What the kernel side calls @identity is what @mapping, which has a module, begins with: processes that
 * map it are walked before they are published.
 */
void table_store_know_file(struct table_store *store, uint64_t identity,
			   const struct mapping *mapping);

/* The host's view of the same tables, for copied stacks: rule for ELF @address of module @id. */
uint64_t table_store_rule(const struct table_store *store, uint32_t module_id, uint64_t address);
/*
 * Once in a while: reuse what was retired before the grace period, try again what was refused, drop
 * what is not used.
 */
void table_store_collect(struct table_store *store, uint64_t now_ns);
void table_store_stats(const struct table_store *store, struct table_store_stats *ret);
/* Memory outside of the kernel's maps. */
size_t table_store_user_bytes(const struct table_store *store);

#endif
