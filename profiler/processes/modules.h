/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * modules.h - the modules of a session by identity and by number.
 *
 * The tables thread finds and adds; the processing thread looks numbers up:
 * modules_by_id() alone may be called from any thread. A known library costs
 * no file access. The file that is opened must be the one that is mapped
 * (module_open.h); what could not be opened is counted. A number is given once: modules
 * stay until modules_free().
 */
#ifndef WICK_MODULES_H
#define WICK_MODULES_H

#include <stddef.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"
#include "profiler/processes/process.h"
#include "symbolizer/elf/module.h"

struct modules;

struct modules_stats {
	uint64_t found;			/* mappings of files that were known */
	uint64_t opened;
	uint64_t open_failed, not_elf;
	uint64_t mismatched;		/* another file was found where the mapped one had been */
	uint64_t unanswered;		/* its file system has not let us have it in time */
	uint64_t full;			/* @limit modules are known */
};

/* Numbers run from UNWIND_MODULE_FIRST to @limit - 1. NULL: no memory. */
struct modules *modules_new(uint32_t limit);
struct modules *modules_free(struct modules *modules);
DEFINE_CLEANUP(struct modules *, modules_free)

/*
 * Set @mapping->module (a reference the mapping owns), bias, compat and resolved. Returns 1
 * when the module is new, 0 when it was known, -ENOENT when the mapping has no
 * ELF file or it cannot be had (also later: a mapping is tried once), -ENOMEM.
 */
int modules_find(struct modules *modules, const struct process *process, struct mapping *mapping);
/* A new reference, or NULL. Any thread. */
struct module *modules_by_id(struct modules *modules, uint32_t id);
uint32_t modules_count(const struct modules *modules);
void modules_stats(const struct modules *modules, struct modules_stats *ret);
size_t modules_bytes(const struct modules *modules);

#endif
