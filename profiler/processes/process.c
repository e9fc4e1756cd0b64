/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/processes/process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "profiler/processes/process_private.h"

/* Paths nobody uses any more are forgotten when they are more than this and than those used. */
#define PATHS_SPARE_BYTES (256 * 1024)

struct process_table *process_table_new(void)
{
	_cleanup_(process_table_freep) struct process_table *table = calloc(1, sizeof(*table));

	if (!table)
		return NULL;
	table->by_pid = hashmap_new(sizeof(uint32_t), sizeof(struct process *));
	table->paths = intern_new();
	if (!table->by_pid || !table->paths)
		return NULL;
	return take_ptr(table);
}

void process_table_keep_all(struct process_table *table)
{
	table->keeps_all = true;
}

static void process_free(struct process_table *table, struct process *process)
{
	process_clear_mappings(table, process);
	free(process);
}

struct process_table *process_table_free(struct process_table *table)
{
	struct process *process;
	size_t position = 0;

	if (!table)
		return NULL;
	while (table->by_pid && (process = process_table_next(table, &position)))
		process_free(table, process);
	hashmap_free(table->by_pid);
	intern_free(table->paths);
	free(table);
	return NULL;
}

struct process *process_table_find(struct process_table *table, uint32_t pid)
{
	struct process **slot = hashmap_find(table->by_pid, &pid);

	return slot ? *slot : NULL;
}

struct process *process_table_next(struct process_table *table, size_t *position)
{
	void *slot;

	if (!hashmap_next(table->by_pid, position, NULL, &slot))
		return NULL;
	return *(struct process **)slot;
}

int process_table_add(struct process_table *table, uint32_t pid, struct process **ret)
{
	struct process *process = process_table_find(table, pid);
	void *slot;
	int r;

	if (process) {
		*ret = process;
		return 0;
	}
	process = calloc(1, sizeof(*process));
	if (!process)
		return -ENOMEM;
	process->pid = pid;
	r = hashmap_add(table->by_pid, &pid, &slot);
	if (r < 0) {
		free(process);
		return r;
	}
	*(struct process **)slot = process;
	*ret = process;
	return 1;
}

bool process_is(const struct process *process, uint64_t start_ns, uint32_t exec_id)
{
	if (process->start_ns ? process->start_ns != start_ns : start_ns > process->since_ns)
		return false;
	return !process->exec_id || process->exec_id == exec_id;
}

/* What is left of a process when its memory is another one: its PID. */
static void process_restart(struct process_table *table, struct process *process, uint64_t since_ns)
{
	process_clear_mappings(table, process);
	process->maps_known = false;
	process->published = false;
	process->published_ns = 0;
	process->dirty = false;
	process->ended = false;
	process->ended_ns = 0;
	process->since_ns = since_ns;
}

void process_reset(struct process_table *table, struct process *process, uint64_t start_ns,
		   uint32_t exec_id)
{
	if (process->start_ns != start_ns)
		memset(process->ancestors, 0, sizeof(process->ancestors));
	process_restart(table, process, process->since_ns);
	process->start_ns = start_ns;
	process->exec_id = exec_id;
}

static int apply_fork(struct process_table *table, const struct notice *notice)
{
	struct process *parent, *child;
	int r = process_table_add(table, notice->pid, &child);

	if (r < 0)
		return r;
	/* Notices of a process that is not known yet may come before those of its start. */
	if (!r && notice->time_ns <= child->since_ns)
		return 0;
	process_restart(table, child, notice->time_ns);
	child->start_ns = 0;
	child->exec_id = 0;
	memset(child->ancestors, 0, sizeof(child->ancestors));
	child->ancestors[0] = notice->parent_pid;
	parent = process_table_find(table, notice->parent_pid);
	if (!parent || parent == child)
		return 1;
	memcpy(child->ancestors + 1, parent->ancestors,
	       sizeof(child->ancestors) - sizeof(child->ancestors[0]));
	if (!parent->maps_known)
		return 1;
	r = process_copy_mappings(table, child, parent);
	if (r < 0)
		return r;
	child->maps_known = true;
	child->exec_id = parent->exec_id;
	/* The kernel side copied what it had of the parent. */
	child->published = parent->published;
	child->dirty = parent->dirty;
	return 1;
}

static int apply_exec(struct process_table *table, const struct notice *notice)
{
	struct process *process;
	int r = process_table_add(table, notice->pid, &process);

	if (r < 0)
		return r;
	if (!r && notice->time_ns <= process->since_ns)
		return 0;
	/*
	 * In begin_new_exec() the notice comes after the old memory is gone and before
	 * anything of the new program is mapped, so all of its mappings follow.
	 */
	process_restart(table, process, notice->time_ns);
	process->maps_known = true;
	if (process->exec_id)
		process->exec_id++;
	return 1;
}

static int apply_mmap(struct process_table *table, const struct notice *notice)
{
	struct process *process = process_table_find(table, notice->pid);
	struct mapping mapping = { 0 };
	int r;

	if (notice->is_data && !table->keeps_all)
		return 0;
	if (!process || !process->maps_known || notice->time_ns <= process->since_ns)
		return 0;
	/* Its first thread had ended, but another one is still mapping. */
	process->ended = false;
	mapping.start = notice->address;
	mapping.end = notice->address + notice->length;
	mapping.offset = notice->offset;
	mapping.device = notice->device;
	mapping.inode = notice->inode;
	mapping.build_id = notice->build_id;
	mapping.path = notice->path;
	r = process_add_mapping(table, process, &mapping);
	if (r < 0)
		process->maps_known = false;
	return r;
}

static int apply_exit(struct process_table *table, const struct notice *notice)
{
	struct process *process = process_table_find(table, notice->pid);

	if (!process || notice->time_ns <= process->since_ns)
		return 0;
	process->ended = true;
	process->ended_ns = notice->time_ns;
	return 1;
}

int process_table_apply(struct process_table *table, const struct notice *notice)
{
	switch (notice->type) {
	case NOTICE_FORK:
		return apply_fork(table, notice);
	case NOTICE_EXEC:
		return apply_exec(table, notice);
	case NOTICE_MMAP:
		return apply_mmap(table, notice);
	case NOTICE_EXIT:
		return apply_exit(table, notice);
	}
	return 0;
}

void process_table_distrust(struct process_table *table)
{
	struct process *process;
	size_t position = 0;

	while ((process = process_table_next(table, &position)))
		process->maps_known = false;
}

/* Keep only the paths that are still used: programs come and go, a profiler stays. */
static void paths_renew(struct process_table *table)
{
	_cleanup_(intern_freep) struct intern *paths = intern_new();
	struct process *process;
	size_t position = 0;
	uint32_t number;

	if (!paths)
		return;
	while ((process = process_table_next(table, &position)))
		for (size_t i = 0; i < process->mapping_count; i++)
			if (intern_add_text(paths, process->mappings[i].path, &number) < 0)
				return;
	position = 0;
	while ((process = process_table_next(table, &position))) {
		for (size_t i = 0; i < process->mapping_count; i++) {
			/* Cannot fail: it is there. */
			intern_add_text(paths, process->mappings[i].path, &number);
			process->mappings[i].path = intern_text(paths, number);
		}
	}
	intern_free(table->paths);
	table->paths = take_ptr(paths);
}

size_t process_table_collect(struct process_table *table, uint64_t time_ns)
{
	_cleanup_free_ uint32_t *pids = NULL;
	size_t position = 0, capacity = 0, count = 0;
	struct process *process;

	while ((process = process_table_next(table, &position))) {
		if (!process->ended || process->ended_ns >= time_ns)
			continue;
		/* A walk allows no removal. Without memory the rest waits for the next time. */
		if (alloc_grow(&pids, &capacity, count + 1) < 0)
			break;
		pids[count++] = process->pid;
	}
	for (size_t i = 0; i < count; i++) {
		process_free(table, process_table_find(table, pids[i]));
		hashmap_remove(table->by_pid, &pids[i]);
	}
	if (count && intern_bytes(table->paths) > PATHS_SPARE_BYTES + table->mapping_bytes)
		paths_renew(table);
	return count;
}

size_t process_table_count(const struct process_table *table)
{
	return hashmap_count(table->by_pid);
}

size_t process_table_bytes(const struct process_table *table)
{
	return sizeof(*table) + hashmap_bytes(table->by_pid) + intern_bytes(table->paths) +
	       hashmap_count(table->by_pid) * sizeof(struct process) + table->mapping_bytes;
}
