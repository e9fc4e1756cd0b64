/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/tables/mapping_store.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include "profiler/base/hashmap.h"
#include "profiler/processes/mapping_ranges.h"
#include "profiler/tables/table_store.h"

/*
 * Map system calls keep samples from their CPU: entries are read some at a time.
 * Must hold the longest chain of the hash, or the kernel gives none of it.
 */
#define SCAN_ENTRIES 512
#define SCAN_INTERVAL_NS (30 * 1000000000ull)
/* When the array is nearly full. */
#define SCAN_INTERVAL_LOW_NS 1000000000ull

#define KNOWN_FILES_BYTES (WICK_KNOWN_FILES * sizeof(struct wick_known_file))

struct mapping_store {
	struct mapping_ranges *ranges;
	struct wick_mapping *mappings;	/* the kernel's, mapped */
	struct wick_known_file *files;	/* the same */
	uint32_t limit;
	int processes_fd;
	uint64_t scanned_ns;
	uint32_t *pids;			/* for the scan */
	struct wick_process *processes;
	struct mapping_store_stats stats;
};

static size_t mappings_bytes(uint32_t limit)
{
	return limit * sizeof(struct wick_mapping);
}

static void *map_shared(int fd, size_t bytes)
{
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

int mapping_store_new(int mappings_fd, int processes_fd, int known_files_fd, uint32_t limit,
		      struct mapping_store **ret)
{
	_cleanup_(mapping_store_freep) struct mapping_store *store = calloc(1, sizeof(*store));

	if (!store)
		return -ENOMEM;
	store->processes_fd = processes_fd;
	store->limit = limit;
	store->ranges = mapping_ranges_new(limit);
	store->pids = calloc(SCAN_ENTRIES, sizeof(*store->pids));
	store->processes = calloc(SCAN_ENTRIES, sizeof(*store->processes));
	if (!store->ranges || !store->pids || !store->processes)
		return -ENOMEM;
	store->mappings = map_shared(mappings_fd, mappings_bytes(limit));
	store->files = map_shared(known_files_fd, KNOWN_FILES_BYTES);
	if (!store->mappings || !store->files)
		return -errno;
	*ret = take_ptr(store);
	return 0;
}

struct mapping_store *mapping_store_free(struct mapping_store *store)
{
	if (!store)
		return NULL;
	if (store->mappings)
		munmap(store->mappings, mappings_bytes(store->limit));
	if (store->files)
		munmap(store->files, KNOWN_FILES_BYTES);
	mapping_ranges_free(store->ranges);
	free(store->pids);
	free(store->processes);
	free(store);
	return NULL;
}

static uint32_t module_number(const struct mapping *m)
{
	if (m->module)
		return module_info(m->module)->id;
	return strcmp(m->path, "[uprobes]") ? UNWIND_MODULE_NONE : UNWIND_MODULE_UPROBES;
}

static void mappings_write(struct wick_mapping *to, const struct process *process)
{
	for (size_t i = 0; i < process->mapping_count; i++) {
		const struct mapping *m = &process->mappings[i];

		to[i] = (struct wick_mapping){
			.start = m->start,
			.end = m->end,
			.bias = m->module ? m->bias : 0,
			.module = module_number(m),
		};
	}
}

/* Room for the list of @process, after a look for ranges nobody uses if that is what it takes. */
static int range_take(struct mapping_store *store, const struct process *process, uint64_t now_ns,
		      uint32_t *ret_first)
{
	uint32_t count = process->mapping_count;
	int r = mapping_ranges_take(store->ranges, process->pid, count, now_ns, ret_first);

	if (r != -ENOSPC)
		return r;
	if (now_ns - store->scanned_ns >= SCAN_INTERVAL_LOW_NS &&
	    mapping_store_scan(store, TABLE_GRACE_NS, now_ns) == 0)
		r = mapping_ranges_take(store->ranges, process->pid, count, now_ns, ret_first);
	if (r == -ENOSPC)
		store->stats.full++;
	return r;
}

int mapping_store_publish(struct mapping_store *store, const struct process *process,
			  uint64_t now_ns)
{
	struct wick_process entry = {
		.start_ns = process->start_ns,
		.exec_id = process->exec_id,
		.state = WICK_PROCESS_LOADED,
	};
	uint32_t pid = process->pid;
	int r;

	if (process_is_compat(process)) {
		entry.state = WICK_PROCESS_COMPAT;
	} else if (process->mapping_count) {
		r = range_take(store, process, now_ns, &entry.map_first);
		if (r < 0)
			return r;
		entry.map_count = process->mapping_count;
		mappings_write(store->mappings + entry.map_first, process);
	}
	if (!entry.map_count)
		mapping_ranges_drop(store->ranges, pid, now_ns);
	/* The list first, then who may use it. */
	__atomic_thread_fence(__ATOMIC_RELEASE);
	r = bpf_map_update_elem(store->processes_fd, &pid, &entry, BPF_EXIST);
	if (r < 0) {
		mapping_ranges_drop(store->ranges, pid, now_ns);
		store->stats.gone += r == -ENOENT;
		return r;
	}
	store->stats.published++;
	return 0;
}

int mapping_store_fork(struct mapping_store *store, uint32_t parent, uint32_t child,
		       uint64_t now_ns)
{
	return mapping_ranges_share(store->ranges, parent, child, now_ns);
}

void mapping_store_forget(struct mapping_store *store, uint32_t pid, uint64_t now_ns)
{
	mapping_ranges_drop(store->ranges, pid, now_ns);
}

int mapping_store_find_process(const struct mapping_store *store, uint32_t pid,
			       struct wick_process *ret)
{
	struct wick_process process;
	int r = bpf_map_lookup_elem(store->processes_fd, &pid, &process);

	if (r < 0)
		return r;
	*ret = process;
	return 0;
}

int mapping_store_next_process(const struct mapping_store *store, const uint32_t *previous,
			       uint32_t *ret_pid, struct wick_process *ret)
{
	uint32_t at = previous ? *previous : 0;
	int r = bpf_map_get_next_key(store->processes_fd, previous ? &at : NULL, ret_pid);

	/* One that ends in between is passed over. */
	while (!r && mapping_store_find_process(store, *ret_pid, ret) < 0) {
		at = *ret_pid;
		r = bpf_map_get_next_key(store->processes_fd, &at, ret_pid);
	}
	return r;
}

void mapping_store_know_file(struct mapping_store *store, uint64_t identity,
			     const struct mapping *mapping)
{
	struct wick_known_file *file = &store->files[identity & (WICK_KNOWN_FILES - 1)];

	/* Who reads it sees no identity, or that of all it reads. */
	__atomic_store_n(&file->identity, 0, __ATOMIC_SEQ_CST);
	__atomic_store_n(&file->address, mapping->start - mapping->bias, __ATOMIC_RELAXED);
	__atomic_store_n(&file->module, module_info(mapping->module)->id, __ATOMIC_RELAXED);
	__atomic_store_n(&file->identity, identity, __ATOMIC_RELEASE);
	store->stats.files++;
}

static int entries_mark(struct mapping_store *store, uint32_t count, struct hashmap *seen)
{
	for (uint32_t i = 0; i < count; i++) {
		const struct wick_process *process = &store->processes[i];
		int r = hashmap_add(seen, &store->pids[i], NULL);

		if (r < 0)
			return r;
		if (process->map_count)
			mapping_ranges_mark(store->ranges, process->map_first);
	}
	return 0;
}

/* Mark the ranges of all entries; their PIDs go into @seen. */
static int processes_mark(struct mapping_store *store, struct hashmap *seen)
{
	uint32_t token, count;
	void *from = NULL;
	int r = 0, error;

	mapping_ranges_mark_begin(store->ranges);
	while (!r) {
		count = SCAN_ENTRIES;
		r = bpf_map_lookup_batch(store->processes_fd, from, &token, store->pids,
					 store->processes, &count, NULL);
		/* -ENOENT: these are the last ones. */
		if (r < 0 && r != -ENOENT)
			return r;
		error = entries_mark(store, count, seen);
		if (error < 0)
			return error;
		from = &token;
	}
	return 0;
}

/* Users without an entry have ended: their notice was lost, or is still to come. */
static void users_drop(struct mapping_store *store, const struct hashmap *seen, uint64_t now_ns)
{
	size_t position = 0;
	uint32_t pid;

	while (mapping_ranges_next_user(store->ranges, &position, &pid)) {
		if (hashmap_find(seen, &pid))
			continue;
		mapping_ranges_drop(store->ranges, pid, now_ns);
		/* The walk does not survive a removal. */
		position = 0;
	}
}

int mapping_store_scan(struct mapping_store *store, uint64_t grace_ns, uint64_t now_ns)
{
	_cleanup_(hashmap_freep) struct hashmap *seen = hashmap_new(sizeof(uint32_t), 0);
	int r;

	if (!seen)
		return -ENOMEM;
	store->scanned_ns = now_ns;
	store->stats.scans++;
	r = processes_mark(store, seen);
	if (r < 0)
		return r;
	mapping_ranges_sweep(store->ranges, now_ns - grace_ns);
	users_drop(store, seen, now_ns);
	return 0;
}

void mapping_store_collect(struct mapping_store *store, uint64_t now_ns)
{
	bool low = mapping_ranges_used(store->ranges) > store->limit - store->limit / 4;
	uint64_t interval_ns = low ? SCAN_INTERVAL_LOW_NS : SCAN_INTERVAL_NS;

	if (now_ns - store->scanned_ns < interval_ns)
		return;
	/* Nothing to free; but users whose end was missed are found by looking, too. */
	if (!mapping_ranges_retired(store->ranges) && now_ns - store->scanned_ns < SCAN_INTERVAL_NS)
		return;
	mapping_store_scan(store, TABLE_GRACE_NS, now_ns);
}

void mapping_store_stats(const struct mapping_store *store, struct mapping_store_stats *ret)
{
	*ret = store->stats;
	ret->used = mapping_ranges_used(store->ranges);
}

size_t mapping_store_bytes(const struct mapping_store *store)
{
	return sizeof(*store) + mapping_ranges_bytes(store->ranges) +
	       SCAN_ENTRIES * (sizeof(*store->pids) + sizeof(*store->processes));
}
