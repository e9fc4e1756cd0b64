/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/processes/descendants.h"

#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "profiler/base/alloc.h"
#include "profiler/base/cleanup.h"
#include "profiler/processes/proc_stat.h"

/* More generations than this are a circle: parents may change while they are read. */
#define GENERATIONS_MAX 1024

struct kin {
	pid_t pid, parent;
};

struct kin_list {
	struct kin *kin;		/* sorted by pid */
	size_t count, capacity;
};

static int kin_compare(const void *a, const void *b)
{
	const struct kin *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

static int kin_add(struct kin_list *list, pid_t pid)
{
	unsigned long long parent;

	if (proc_stat_read(pid, PROC_STAT_PARENT, &parent) < 0)
		return 0;	/* it has just ended */
	if (alloc_grow(&list->kin, &list->capacity, list->count + 1) < 0)
		return -ENOMEM;
	list->kin[list->count++] = (struct kin){ pid, (pid_t)parent };
	return 0;
}

static int kin_read(struct kin_list *list)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int r = 0;

	if (!proc)
		return -errno;
	while (!r && (entry = readdir(proc))) {
		pid_t pid = atoi(entry->d_name);

		if (pid > 0)
			r = kin_add(list, pid);
	}
	closedir(proc);
	if (list->count)
		qsort(list->kin, list->count, sizeof(*list->kin), kin_compare);
	return r;
}

static bool is_among(const pid_t *pids, size_t count, pid_t pid)
{
	for (size_t i = 0; i < count; i++)
		if (pids[i] == pid)
			return true;
	return false;
}

static bool is_below(const struct kin_list *list, struct kin kin, const pid_t *pids, size_t count)
{
	for (int i = 0; i < GENERATIONS_MAX; i++) {
		struct kin key = { .pid = kin.parent }, *parent;

		if (is_among(pids, count, kin.parent))
			return true;
		parent = bsearch(&key, list->kin, list->count, sizeof(key), kin_compare);
		if (!parent)
			return false;
		kin = *parent;
	}
	return false;
}

ssize_t descendants_read(const pid_t *pids, size_t count, pid_t **ret)
{
	_cleanup_free_ struct kin *kin = NULL;
	_cleanup_free_ pid_t *below = NULL;
	struct kin_list list = { 0 };
	ssize_t found = 0;
	int r = kin_read(&list);

	kin = list.kin;
	if (r < 0)
		return r;
	below = calloc(list.count + 1, sizeof(*below));
	if (!below)
		return -ENOMEM;
	for (size_t i = 0; i < list.count; i++)
		if (is_below(&list, kin[i], pids, count) && !is_among(pids, count, kin[i].pid))
			below[found++] = kin[i].pid;
	*ret = take_ptr(below);
	return found;
}
