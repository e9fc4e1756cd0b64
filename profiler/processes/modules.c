/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/processes/modules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/unwind_abi.h"
#include "profiler/base/alloc.h"
#include "profiler/base/clock.h"
#include "profiler/base/hashmap.h"
#include "profiler/processes/module_open.h"
#include "profiler/processes/process_root.h"

/*
 * How long something is believed of a file that is not kept open: that it is no ELF
 * object, a 32-bit one, or a copy of another. Its inode may be reused.
 */
#define BELIEF_NS (10 * 1000000000ull)
#define BELIEFS_MAX 4096

/* A file by what /proc/PID/maps says, and MMAP2 without build ID. */
struct file_key {
	uint64_t device, inode;
};

/* What is known of a file: of which module it is, or that it can be none. */
struct known_file {
	uint32_t id;		/* 0: no module */
	bool compat;
	uint64_t mtime_ns;	/* by_file: to see that it was rewritten in place */
	uint64_t until_ns;	/* beliefs */
};

struct known_module {
	int fd;			/* the module's own, open as long as our reference; -1: none */
	struct elf_segment *segments;
	size_t segment_count;
};

struct modules {
	struct module **by_id;		/* read by other threads; an entry is written once */
	struct known_module *known;	/* by number too */
	size_t known_capacity;
	uint32_t limit, next_id;
	uint32_t vdso_id;		/* 0: not opened yet */
	struct hashmap *by_build_id;	/* struct elf_build_id to struct known_file */
	struct hashmap *by_file;	/* struct file_key to struct known_file: kept open */
	struct hashmap *beliefs;	/* the same for files that are not */
	struct remote_files *remote;
	struct modules_stats stats;
};

struct modules *modules_new(uint32_t limit)
{
	_cleanup_(modules_freep) struct modules *modules = calloc(1, sizeof(*modules));

	if (!modules)
		return NULL;
	modules->limit = limit;
	modules->next_id = UNWIND_MODULE_FIRST;
	modules->by_id = calloc(limit, sizeof(modules->by_id[0]));
	modules->by_build_id = hashmap_new(sizeof(struct elf_build_id), sizeof(struct known_file));
	modules->by_file = hashmap_new(sizeof(struct file_key), sizeof(struct known_file));
	modules->beliefs = hashmap_new(sizeof(struct file_key), sizeof(struct known_file));
	modules->remote = remote_files_new();
	if (!modules->by_id || !modules->by_build_id || !modules->by_file || !modules->beliefs ||
	    !modules->remote)
		return NULL;
	return take_ptr(modules);
}

struct modules *modules_free(struct modules *modules)
{
	if (!modules)
		return NULL;
	for (uint32_t id = UNWIND_MODULE_FIRST; id < modules->next_id; id++) {
		module_put(modules->by_id[id]);
		free(modules->known[id].segments);
	}
	free(modules->by_id);
	free(modules->known);
	hashmap_free(modules->by_build_id);
	hashmap_free(modules->by_file);
	hashmap_free(modules->beliefs);
	remote_files_free(modules->remote);
	free(modules);
	return NULL;
}

struct module *modules_by_id(struct modules *modules, uint32_t id)
{
	struct module *mod;

	if (id < UNWIND_MODULE_FIRST || id >= modules->limit)
		return NULL;
	mod = __atomic_load_n(&modules->by_id[id], __ATOMIC_ACQUIRE);
	return mod ? module_get(mod) : NULL;
}

/* @mapping is of module @id, or of none. */
static int mapping_settle(struct modules *modules, struct mapping *mapping, uint32_t id,
			  bool compat)
{
	const struct known_module *known;
	uint64_t address;

	mapping->resolved = true;
	mapping->compat = compat;
	if (!id)
		return -ENOENT;
	known = &modules->known[id];
	/* A part of the file that is not meant to be executed: addresses would mean nothing. */
	if (module_segments_address(known->segments, known->segment_count, mapping->offset,
				    &address) < 0)
		return -ENOENT;
	mapping->bias = mapping->start - address;
	mapping->module = module_get(modules->by_id[id]);
	return 0;
}

/* What is known of the file of @mapping, or NULL when it must be opened. */
static const struct known_file *known_find(struct modules *modules, const struct mapping *mapping)
{
	struct file_key key = { mapping->device, mapping->inode };
	const struct known_file *file;

	if (mapping->build_id.size)
		return hashmap_find(modules->by_build_id, &mapping->build_id);
	file = hashmap_find(modules->by_file, &key);
	/* The inode cannot be reused while the file is open, but its content may be another. */
	if (file && module_mtime_ns(modules->known[file->id].fd) == file->mtime_ns)
		return file;
	file = hashmap_find(modules->beliefs, &key);
	return file && clock_monotonic_ns() < file->until_ns ? file : NULL;
}

static int known_add(struct hashmap *map, const void *key, const struct known_file *file)
{
	void *slot;
	int r = hashmap_add(map, key, &slot);

	if (r < 0)
		return r;
	*(struct known_file *)slot = *file;
	return 0;
}

/* Remember for a while that the file of @mapping is of module @id, or of none. */
static int belief_add(struct modules *modules, const struct mapping *mapping, uint32_t id,
		      bool compat)
{
	struct file_key key = { mapping->device, mapping->inode };
	struct known_file file = {
		.id = id,
		.compat = compat,
		.until_ns = clock_monotonic_ns() + BELIEF_NS,
	};

	if (!mapping->inode)
		return 0;
	if (hashmap_count(modules->beliefs) >= BELIEFS_MAX)
		hashmap_clear(modules->beliefs);
	return known_add(modules->beliefs, &key, &file);
}

/* Make @file findable, by its build ID and by the numbers that stat and maps know it by. */
static int keys_add(struct modules *modules, const struct mapping *mapping,
		    const struct module_file *file, uint32_t id)
{
	struct known_file known = { .id = id, .mtime_ns = file->mtime_ns };
	struct file_key stat_key = { file->device, file->inode };
	struct file_key maps_key = { mapping->device, mapping->inode };
	int r = 0;

	if (file->build_id.size)
		r = known_add(modules->by_build_id, &file->build_id, &known);
	if (!r && file->inode)
		r = known_add(modules->by_file, &stat_key, &known);
	if (!r && mapping->inode)
		r = known_add(modules->by_file, &maps_key, &known);
	return r;
}

/* Make a module of @file, whose descriptor and segments it takes over. */
static int module_create(struct modules *modules, const struct process *process,
			 const struct mapping *mapping, struct module_file *file, uint32_t *ret_id)
{
	uint32_t id = modules->next_id;
	struct module_info info = {
		.id = id,
		.path = mapping->path,
		.build_id = file->build_id,
		.device = file->device,
		.inode = file->inode,
		.mtime_ns = file->mtime_ns,
	};
	struct known_module known = { .fd = file->fd };
	struct module *mod;
	int root, r;

	if (id >= modules->limit) {
		modules->stats.full++;
		return -ENOSPC;
	}
	r = alloc_grow(&modules->known, &modules->known_capacity, (size_t)id + 1);
	if (r < 0)
		return r;
	if (file->fd >= 0)
		mod = module_new(&info, take_fd(file->fd));
	else
		mod = module_new_memory(&info, file->image, file->image_size);
	if (!mod)
		return -ENOMEM;
	/* Its debug files may be there; when they are asked for, the process may be gone. */
	root = process ? process_root_open(process) : -ENOENT;
	if (root >= 0)
		module_set_root(mod, root);
	known.segments = take_ptr(file->segments);
	known.segment_count = file->segment_count;
	modules->known[id] = known;
	modules->next_id++;
	modules->stats.opened++;
	__atomic_store_n(&modules->by_id[id], mod, __ATOMIC_RELEASE);
	*ret_id = id;
	/* Without memory for its keys it is just not found again. */
	return keys_add(modules, mapping, file, id);
}

/* @file is open. It may be a copy of one that is known. */
static int file_settle(struct modules *modules, const struct process *process,
		       struct mapping *mapping, struct module_file *file)
{
	const struct known_file *known;
	uint32_t id = 0;
	int r;

	if (file->compat) {
		r = belief_add(modules, mapping, 0, true);
		return r < 0 ? r : mapping_settle(modules, mapping, 0, true);
	}
	known = file->build_id.size ? hashmap_find(modules->by_build_id, &file->build_id) : NULL;
	if (known) {
		modules->stats.found++;
		id = known->id;
		r = belief_add(modules, mapping, id, false);
		return r < 0 ? r : mapping_settle(modules, mapping, id, false);
	}
	r = module_create(modules, process, mapping, file, &id);
	if (r == -ENOSPC)
		return mapping_settle(modules, mapping, 0, false);
	if (r < 0)
		return r;
	r = mapping_settle(modules, mapping, id, false);
	return r < 0 ? r : 1;
}

static int file_failed(struct modules *modules, struct mapping *mapping, int error)
{
	int r = 0;

	if (error == -ENOMEM)
		return error;
	if (error == -ESTALE) {
		modules->stats.mismatched++;
	} else if (error == -ENOEXEC || error == -EBADMSG) {
		modules->stats.not_elf++;
		r = belief_add(modules, mapping, 0, false);
	} else {
		modules->stats.open_failed++;
		modules->stats.unanswered += error == -ETIMEDOUT;
	}
	return r < 0 ? r : mapping_settle(modules, mapping, 0, false);
}

static int vdso_find(struct modules *modules, struct mapping *mapping)
{
	_cleanup_(module_file_done) struct module_file file = { .fd = -1 };
	int r;

	if (modules->vdso_id) {
		modules->stats.found++;
		return mapping_settle(modules, mapping, modules->vdso_id, false);
	}
	r = module_file_open_vdso(&file);
	if (r < 0)
		return file_failed(modules, mapping, r);
	r = file_settle(modules, NULL, mapping, &file);
	if (mapping->module)
		modules->vdso_id = module_info(mapping->module)->id;
	return r;
}

int modules_find(struct modules *modules, const struct process *process, struct mapping *mapping)
{
	_cleanup_(module_file_done) struct module_file file = { .fd = -1 };
	const struct known_file *known;
	int r;

	if (mapping->resolved)
		return mapping->module ? 0 : -ENOENT;
	if (mapping_is_anonymous(mapping) || !strcmp(mapping->path, "[uprobes]")) {
		mapping->resolved = true;
		return -ENOENT;
	}
	if (!strcmp(mapping->path, "[vdso]"))
		return vdso_find(modules, mapping);
	known = known_find(modules, mapping);
	if (known) {
		modules->stats.found++;
		return mapping_settle(modules, mapping, known->id, known->compat);
	}
	r = module_file_open(process, mapping, modules->remote, &file);
	if (r < 0)
		return file_failed(modules, mapping, r);
	return file_settle(modules, process, mapping, &file);
}

uint32_t modules_count(const struct modules *modules)
{
	return modules->next_id - UNWIND_MODULE_FIRST;
}

void modules_stats(const struct modules *modules, struct modules_stats *ret)
{
	*ret = modules->stats;
}

size_t modules_bytes(const struct modules *modules)
{
	size_t bytes = sizeof(*modules) + modules->known_capacity * sizeof(modules->known[0]) +
		       hashmap_bytes(modules->by_build_id) + hashmap_bytes(modules->by_file) +
		       hashmap_bytes(modules->beliefs) + remote_files_bytes(modules->remote);

	/* Of the numbers only those given were ever touched. */
	return bytes + modules->next_id * sizeof(modules->by_id[0]);
}
