/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * process.h - who a PID is and what executable memory it has mapped, or, on request, all memory.
 *
 * Fed by notices and by /proc/PID/maps; used by the tables thread only. A
 * mapping names its file by identity; modules.h turns that into a module.
 * Processes that have ended are kept until process_table_collect().
 */
#ifndef WICK_PROCESS_H
#define WICK_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"
#include "profiler/processes/notice.h"
#include "symbolizer/elf/module.h"

#define PROCESS_ANCESTORS 3

struct mapping {
	uint64_t start, end;		/* user addresses, end exclusive */
	uint64_t offset;		/* of start in the file */
	uint64_t bias;			/* ELF address = address - bias; set together with module */
	uint64_t device, inode;		/* 0: not known, or no file */
	struct elf_build_id build_id;	/* size 0: not known */
	bool resolved;			/* modules_find() was tried; module may be NULL */
	bool compat;			/* resolved: its file is a 32-bit ELF object */
	const char *path;		/* the table's; "" for anonymous memory */
	struct module *module;		/* a reference; NULL until modules_find() has set it */
};

struct process {
	uint32_t pid;
	uint64_t start_ns;		/* 0: not known yet */
	uint32_t exec_id;		/* 0: not known yet */
	uint32_t ancestors[PROCESS_ANCESTORS];	/* parent first; they share its mount namespace */
	bool maps_known;		/* the list is whole: read, or seen from its exec on */
	bool published;			/* the kernel side has (an older version of) the list */
	bool dirty;			/* changed since it was published */
	bool ended;			/* or at least its first thread did */
	uint64_t since_ns;		/* the list begins here: earlier notices are in */
	uint64_t ended_ns, published_ns;
	struct mapping *mappings;	/* sorted by start; executable ones only, or all */
	size_t mapping_count, mapping_capacity;
};

struct process_table;

struct process_table *process_table_new(void);
struct process_table *process_table_free(struct process_table *table);
DEFINE_CLEANUP(struct process_table *, process_table_free)

/*
 * Keep what is not executable, too, with the names of memory that is of no file: "[heap]", "[stack]".
 * Before the first process.
 */
void process_table_keep_all(struct process_table *table);
struct process *process_table_find(struct process_table *table, uint32_t pid);
/* Find or add. Returns 1 when it is new, 0, or -ENOMEM. Stays where it is until collected. */
int process_table_add(struct process_table *table, uint32_t pid, struct process **ret);
/*
 * What @notice says happened. A process that is not known is added by FORK
 * and EXEC only. Returns 1, 0 when nothing changed (it is older than the list), or
 * -ENOMEM (the list of that process is then not known any more).
 */
int process_table_apply(struct process_table *table, const struct notice *notice);
/* Notices were lost: no list can be trusted. */
void process_table_distrust(struct process_table *table);
/* Forget processes that ended before @time_ns. Returns how many. */
size_t process_table_collect(struct process_table *table, uint64_t time_ns);
/* Walk; see hashmap_next(). */
struct process *process_table_next(struct process_table *table, size_t *position);
size_t process_table_count(const struct process_table *table);
size_t process_table_bytes(const struct process_table *table);

/*
 * Whether @process, as far as is known, is this instance of its PID. What is not known
 * fits, but for a start after the list was begun.
 */
bool process_is(const struct process *process, uint64_t start_ns, uint32_t exec_id);
/* It turned out to be another instance: forget its list, take over the identity. */
void process_reset(struct process_table *table, struct process *process, uint64_t start_ns,
		   uint32_t exec_id);
/*
 * Read the mappings from /proc, in place of those there are; the same list again
 * does not make it dirty. Returns 0, -ESRCH when it is gone, or a negative errno; then
 * the old list is unchanged.
 */
int process_read_maps(struct process_table *table, struct process *process);

/*
 * Add a mapping; what it covers of older ones is cut off, anonymous neighbours
 * become one. Only the fields before "resolved" and the path are taken from
 * @mapping. Returns 1 when the list changed, 0 when all of it was there, -ENOMEM.
 */
int process_add_mapping(struct process_table *table, struct process *process,
			const struct mapping *mapping);
/* The mapping that holds @address, or NULL. */
const struct mapping *process_find_mapping(const struct process *process, uint64_t address);
/* A copy of the list of @from, in place of the one @process has. Returns 0 or -ENOMEM. */
int process_copy_mappings(struct process_table *table, struct process *process,
			  const struct process *from);
void process_clear_mappings(struct process_table *table, struct process *process);
/* A 32-bit program. */
bool process_is_compat(const struct process *process);
/* No file: code that is generated, or that nobody knows. */
bool mapping_is_anonymous(const struct mapping *mapping);

#endif
