/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of a process as /proc/PID/maps has it. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/clock.h"
#include "profiler/processes/proc_maps.h"
#include "profiler/processes/process_private.h"

static int add_map(struct process_table *table, struct process *process,
		   const struct proc_map *map)
{
	struct mapping mapping = { 0 };

	/* The last is emulated by the kernel: no code runs there. */
	if ((!map->executable && !table->keeps_all) || !strcmp(map->path, "[vsyscall]"))
		return 0;
	mapping.start = map->start;
	mapping.end = map->end;
	mapping.offset = map->offset;
	mapping.device = map->device;
	mapping.inode = map->inode;
	mapping.path = map->path;
	return process_add_mapping(table, process, &mapping);
}

/* Add what the maps file at @path says. Returns how many mappings it had. */
static int read_file(struct process_table *table, struct process *process, const char *path)
{
	_cleanup_proc_maps_ struct proc_maps maps = PROC_MAPS_INIT;
	int r = proc_maps_open(&maps, path), count = 0;
	struct proc_map map;

	while (r >= 0 && (r = proc_maps_next(&maps, &map)) > 0) {
		r = add_map(table, process, &map);
		count++;
	}
	return r < 0 ? r : count;
}

/*
 * Once the first thread has ended, /proc/PID/maps is empty while others go on: ask
 * one of those.
 */
static int read_threads(struct process_table *table, struct process *process)
{
	char path[64 + NAME_MAX];
	struct dirent *entry;
	DIR *threads;
	int r = 0;

	snprintf(path, sizeof(path), "/proc/%u/task", process->pid);
	threads = opendir(path);
	if (!threads)
		return errno == ENOENT ? -ESRCH : -errno;
	while (!r && (entry = readdir(threads))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/proc/%u/task/%s/maps", process->pid, entry->d_name);
		r = read_file(table, process, path);
		if (r == -ESRCH)
			r = 0;
	}
	closedir(threads);
	return r;
}

static bool same_lists(const struct process *a, const struct process *b)
{
	if (a->mapping_count != b->mapping_count)
		return false;
	for (size_t i = 0; i < a->mapping_count; i++) {
		const struct mapping *m = &a->mappings[i], *n = &b->mappings[i];

		if (m->start != n->start || m->end != n->end || m->offset != n->offset ||
		    strcmp(m->path, n->path) != 0)
			return false;
		/* A notice has given a build ID instead. */
		if (!m->build_id.size && (m->device != n->device || m->inode != n->inode))
			return false;
	}
	return true;
}

/* @process gets the list of @fresh, unless it is the one it has. */
static void list_take(struct process_table *table, struct process *process, struct process *fresh)
{
	if (same_lists(process, fresh)) {
		process_clear_mappings(table, fresh);
		return;
	}
	process_clear_mappings(table, process);
	process->mappings = fresh->mappings;
	process->mapping_count = fresh->mapping_count;
	process->mapping_capacity = fresh->mapping_capacity;
	process->dirty = true;
}

int process_read_maps(struct process_table *table, struct process *process)
{
	struct process fresh = { .pid = process->pid };
	uint64_t now_ns = clock_monotonic_ns();
	char path[64];
	int r;

	snprintf(path, sizeof(path), "/proc/%u/maps", process->pid);
	r = read_file(table, &fresh, path);
	if (!r)
		r = read_threads(table, &fresh);
	if (r < 0) {
		process_clear_mappings(table, &fresh);
		return r;
	}
	list_take(table, process, &fresh);
	/* From before the first line was read: what came meanwhile is applied once more. */
	process->since_ns = now_ns;
	process->maps_known = true;
	return 0;
}
