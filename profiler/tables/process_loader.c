/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/tables/process_loader.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "profiler/base/clock.h"
#include "profiler/base/hashmap.h"

/* Copies of stacks and requests come after the end of a process by the length of a queue. */
#define ENDED_KEEP_NS (2 * 1000000000ull)
/*
 * A JIT compiler changes its list all the time, and each time the whole is
 * published: short lists at once, long ones this often.
 */
#define LIST_SHORT 128
#define LIST_LONG_INTERVAL_NS 200000000ull

struct process_loader {
	struct modules *modules;
	struct table_store *store;
	struct process_table *processes;
	struct hashmap *dirty;		/* a set of PIDs: published, and changed since */
	struct process_loader_stats stats;
};

struct process_loader *process_loader_new(struct modules *modules, struct table_store *store)
{
	_cleanup_(process_loader_freep) struct process_loader *loader = calloc(1, sizeof(*loader));

	if (!loader)
		return NULL;
	loader->modules = modules;
	loader->store = store;
	loader->processes = process_table_new();
	loader->dirty = hashmap_new(sizeof(uint32_t), 0);
	if (!loader->processes || !loader->dirty)
		return NULL;
	return take_ptr(loader);
}

struct process_loader *process_loader_free(struct process_loader *loader)
{
	if (!loader)
		return NULL;
	process_table_free(loader->processes);
	hashmap_free(loader->dirty);
	free(loader);
	return NULL;
}

/* ---- knowing ---- */

/* Whether this instance of @pid is alive and runs what it ran then. The kernel side knows best. */
static bool identity_is_current(const struct process_loader *loader, uint32_t pid,
				uint64_t start_ns, uint32_t exec_id)
{
	struct wick_process entry;

	return !table_store_find_process(loader->store, pid, &entry) &&
	       entry.start_ns == start_ns && entry.exec_id == exec_id;
}

static int maps_read(struct process_loader *loader, struct process *process, uint64_t now_ns)
{
	int r = process_read_maps(loader->processes, process);

	if (r < 0) {
		loader->stats.maps_failed++;
		process->ended = true;
		process->ended_ns = now_ns;
		return r;
	}
	loader->stats.maps_read++;
	return 0;
}

/* Read the mappings of what is now @pid; worth something only if it is this instance. */
static struct process *process_learn(struct process_loader *loader, uint32_t pid, uint64_t start_ns,
				     uint32_t exec_id, uint64_t now_ns)
{
	struct process *process;

	if (!identity_is_current(loader, pid, start_ns, exec_id) ||
	    process_table_add(loader->processes, pid, &process) < 0)
		return NULL;
	if (!process_is(process, start_ns, exec_id)) {
		table_store_forget(loader->store, pid, now_ns);
		process_reset(loader->processes, process, start_ns, exec_id);
	}
	process->start_ns = start_ns;
	process->exec_id = exec_id;
	if (maps_read(loader, process, now_ns) < 0)
		return NULL;
	process->ended = false;
	/* It may have executed another program while its mappings were read. */
	if (!identity_is_current(loader, pid, start_ns, exec_id)) {
		process->maps_known = false;
		return NULL;
	}
	return process;
}

static struct process *process_know(struct process_loader *loader, uint32_t pid, uint64_t start_ns,
				    uint32_t exec_id, uint64_t now_ns)
{
	struct process *process = process_table_find(loader->processes, pid);

	if (!process || !process->maps_known || !process_is(process, start_ns, exec_id)) {
		process = process_learn(loader, pid, start_ns, exec_id, now_ns);
		loader->stats.late += !process;
		return process;
	}
	process->start_ns = start_ns;
	process->exec_id = exec_id;
	return process;
}

/* Whose files they are. Their tables are made when a walk comes there: most of them it never does. */
static void modules_settle(struct process_loader *loader, struct process *process)
{
	for (size_t i = 0; i < process->mapping_count; i++)
		if (!process->mappings[i].resolved)
			modules_find(loader->modules, process, &process->mappings[i]);
}

const struct process *process_loader_get(struct process_loader *loader, uint32_t pid,
					 uint64_t start_ns, uint32_t exec_id, uint64_t now_ns)
{
	struct process *process = process_know(loader, pid, start_ns, exec_id, now_ns);

	if (process)
		modules_settle(loader, process);
	return process;
}

/* ---- publishing ---- */

static int process_publish(struct process_loader *loader, struct process *process, uint64_t now_ns)
{
	int r;

	modules_settle(loader, process);
	r = table_store_publish(loader->store, process, now_ns);
	if (r == -ENOENT)
		process->published = false;
	if (r < 0)
		return r;
	process->published = true;
	process->published_ns = now_ns;
	process->dirty = false;
	return 0;
}

static void process_preload(struct process_loader *loader, uint32_t pid,
			    const struct wick_process *entry, uint64_t now_ns)
{
	struct process *process = process_table_find(loader->processes, pid);

	if (process && process->published)
		return;
	process = process_learn(loader, pid, entry->start_ns, entry->exec_id, now_ns);
	if (!process)
		return;
	modules_settle(loader, process);
	for (size_t i = 0; i < process->mapping_count; i++)
		if (process->mappings[i].module)
			table_store_load_module(loader->store, process->mappings[i].module, now_ns);
	/* It may have gone on to another program by now: then there is no entry any more. */
	process_publish(loader, process, now_ns);
}

void process_loader_preload(struct process_loader *loader, uint64_t now_ns, uint64_t end_ns)
{
	struct wick_process entry;
	uint32_t pid;
	int r = table_store_next_process(loader->store, NULL, &pid, &entry);

	/* Where a target's children come and go, the walk begins anew again and again. */
	while (!r && clock_monotonic_ns() < end_ns) {
		uint32_t previous = pid;

		process_preload(loader, pid, &entry, now_ns);
		r = table_store_next_process(loader->store, &previous, &pid, &entry);
	}
}

/*
 * A walk went astray though no notice has changed the list. Code may move
 * without one (mremap); else the list is as good as it gets, and must not be published
 * again, or the kernel side would ask as often as after a change.
 */
static bool maps_changed(struct process_loader *loader, struct process *process, uint64_t now_ns)
{
	return maps_read(loader, process, now_ns) == 0 && process->dirty;
}

static void table_answer(struct process_loader *loader, uint32_t id, uint64_t now_ns)
{
	_cleanup_(module_putp) struct module *module = modules_by_id(loader->modules, id);

	if (module)
		table_store_load_module(loader->store, module, now_ns);
}

void process_loader_answer(struct process_loader *loader, const struct wick_request_record *request,
			   uint64_t now_ns)
{
	struct process *process;

	loader->stats.requests++;
	if (request->module) {
		table_answer(loader, request->module, now_ns);
		return;
	}
	process = process_know(loader, request->pid, request->start_ns, request->exec_id, now_ns);
	if (!process)
		return;
	/* Several CPUs asked at once. */
	if (process->published && !process->dirty && process->published_ns == now_ns)
		return;
	if (request->is_loaded && process->published && !process->dirty &&
	    !maps_changed(loader, process, now_ns))
		return;
	process_publish(loader, process, now_ns);
}

void process_loader_know_file(struct process_loader *loader, const struct wick_file_record *file,
			      uint64_t now_ns)
{
	const struct process *process = process_loader_get(loader, file->pid, file->start_ns,
							   file->exec_id, now_ns);
	const struct mapping *m = process ? process_find_mapping(process, file->start) : NULL;

	/* What is not that place of that file any more is asked for again. */
	if (m && m->module && m->start == file->start && m->offset == file->offset)
		table_store_know_file(loader->store, file->identity, m);
}

/*
 * The identity of a process that was forked from a published one: the kernel side
 * made its entry by itself.
 */
static bool identity_learn(struct process_loader *loader, struct process *process)
{
	struct wick_process entry;

	if (process->start_ns && process->exec_id)
		return true;
	if (table_store_find_process(loader->store, process->pid, &entry) < 0 ||
	    entry.state == WICK_PROCESS_REQUESTED ||
	    !process_is(process, entry.start_ns, entry.exec_id))
		return false;
	process->start_ns = entry.start_ns;
	process->exec_id = entry.exec_id;
	return true;
}

/* Publish @process if that is to be done. Returns whether it has to wait. */
static bool process_update(struct process_loader *loader, struct process *process, uint64_t now_ns)
{
	int r;

	if (!process || !process->published || !process->dirty || process->ended)
		return false;
	if (process->mapping_count > LIST_SHORT &&
	    now_ns - process->published_ns < LIST_LONG_INTERVAL_NS)
		return true;
	if (!process->maps_known || !identity_learn(loader, process)) {
		process->published = false;
		return false;
	}
	r = process_publish(loader, process, now_ns);
	return r < 0 && r != -ENOENT;
}

void process_loader_update(struct process_loader *loader, uint64_t now_ns)
{
	_cleanup_free_ uint32_t *waiting = NULL;
	size_t position = 0, capacity = 0, count = 0;
	const void *key;
	uint32_t pid;

	if (!hashmap_count(loader->dirty))
		return;
	while (hashmap_next(loader->dirty, &position, &key, NULL)) {
		memcpy(&pid, key, sizeof(pid));
		if (!process_update(loader, process_table_find(loader->processes, pid), now_ns))
			continue;
		if (!alloc_grow(&waiting, &capacity, count + 1))
			waiting[count++] = pid;
	}
	hashmap_clear(loader->dirty);
	for (size_t i = 0; i < count; i++)
		hashmap_add(loader->dirty, &waiting[i], NULL);
}

/* ---- following ---- */

static void dirty_add(struct process_loader *loader, const struct process *process)
{
	/* Without memory the next change of its list, or a request, brings it back. */
	if (process && process->published && process->dirty)
		hashmap_add(loader->dirty, &process->pid, NULL);
}

void process_loader_apply(struct process_loader *loader, const struct notice *notice,
			  uint64_t now_ns)
{
	struct process *process;

	if (process_table_apply(loader->processes, notice) <= 0)
		return;
	process = process_table_find(loader->processes, notice->pid);
	if (notice->type != NOTICE_MMAP)
		table_store_forget(loader->store, notice->pid, now_ns);
	if (notice->type == NOTICE_FORK && process && process->published)
		table_store_fork(loader->store, notice->parent_pid, notice->pid, now_ns);
	dirty_add(loader, process);
}

static bool process_is_gone(uint32_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%u", pid);
	return access(path, F_OK) < 0;
}

void process_loader_distrust(struct process_loader *loader, uint64_t now_ns)
{
	struct process *process;
	size_t position = 0;

	process_table_distrust(loader->processes);
	while ((process = process_table_next(loader->processes, &position))) {
		if (process->ended)
			continue;
		if (process->published && identity_learn(loader, process) &&
		    process_learn(loader, process->pid, process->start_ns, process->exec_id,
				  now_ns)) {
			dirty_add(loader, process);
			continue;
		}
		process->published = false;
		if (!process_is_gone(process->pid))
			continue;
		process->ended = true;
		process->ended_ns = now_ns;
		table_store_forget(loader->store, process->pid, now_ns);
	}
}

/* The first thread of @process ended; but perhaps not the last one, and the kernel side knows. */
static void process_revive(struct process_loader *loader, struct process *process)
{
	struct wick_process entry;

	if (table_store_find_process(loader->store, process->pid, &entry) < 0 ||
	    !process_is(process, entry.start_ns, entry.exec_id))
		return;
	process->ended = false;
	/* Its range was given up: it needs one that is known to be used. */
	process->dirty = true;
	dirty_add(loader, process);
}

void process_loader_collect(struct process_loader *loader, uint64_t now_ns)
{
	uint64_t before_ns = now_ns > ENDED_KEEP_NS ? now_ns - ENDED_KEEP_NS : 0;
	struct process *process;
	size_t position = 0;

	while ((process = process_table_next(loader->processes, &position)))
		if (process->ended && process->ended_ns < before_ns && process->published)
			process_revive(loader, process);
	process_table_collect(loader->processes, before_ns);
}

void process_loader_stats(const struct process_loader *loader, struct process_loader_stats *ret)
{
	*ret = loader->stats;
}

size_t process_loader_count(const struct process_loader *loader)
{
	return process_table_count(loader->processes);
}

size_t process_loader_bytes(const struct process_loader *loader)
{
	return sizeof(*loader) + process_table_bytes(loader->processes) +
	       hashmap_bytes(loader->dirty);
}
