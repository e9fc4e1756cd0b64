/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/targets.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "profiler/base/cleanup.h"
#include "profiler/processes/descendants.h"
#include "profiler/processes/proc_stat.h"

static int targets_add(const char *what, const pid_t *ids, size_t count, uint32_t state, int map_fd,
		       struct error *err)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t id = ids[i];
		char path[32];
		int r;

		/* /proc/TID exists for every thread, unlike its listing. */
		snprintf(path, sizeof(path), "/proc/%d", ids[i]);
		if (ids[i] <= 0 || access(path, F_OK))
			return error_set(err, ERROR_FAILED, -ESRCH,
					 "cannot profile: %s %d: no such %s", what, ids[i], what);
		r = bpf_map_update_elem(map_fd, &id, &state, BPF_ANY);
		if (r < 0)
			return error_set(err, ERROR_FAILED, r, "cannot profile: %s %d: %s", what,
					 ids[i], r == -E2BIG ? "too many" : strerror(-r));
	}
	return 0;
}

int targets_set(const struct session_options *options, const struct bpf_maps *maps,
		struct error *err)
{
	uint32_t state = options->wait_exec ? WICK_TARGET_AT_EXEC : WICK_TARGET_ACTIVE;
	int r = targets_add("process", options->pids, options->pid_count, state,
			    bpf_maps_fd(maps, "target_pids"), err);

	return r ?: targets_add("thread", options->tids, options->tid_count, WICK_TARGET_ACTIVE,
				bpf_maps_fd(maps, "target_tids"), err);
}

/* One that ended before the kernel side looked out for that would be waited for in vain. */
static void drop_ended(const pid_t *pids, size_t count, int map_fd)
{
	for (size_t i = 0; i < count; i++) {
		uint32_t id = pids[i];

		if (!proc_stat_lives(id))
			bpf_map_delete_elem(map_fd, &id);
	}
}

int targets_follow(const struct session_options *options, const struct bpf_maps *maps,
		   struct error *err)
{
	int map_fd = bpf_maps_fd(maps, "target_pids"), r;
	const uint32_t active = WICK_TARGET_ACTIVE;
	_cleanup_free_ pid_t *below = NULL;
	ssize_t count;

	if (!options->pid_count || options->wait_exec)
		return 0;
	drop_ended(options->pids, options->pid_count, map_fd);
	if (options->no_inherit)
		return 0;
	count = descendants_read(options->pids, options->pid_count, &below);
	if (count < 0)
		return count;
	for (ssize_t i = 0; i < count; i++) {
		uint32_t id = below[i];

		r = bpf_map_update_elem(map_fd, &id, &active, BPF_ANY);
		if (r < 0)
			return error_set(err, ERROR_FAILED, r, "cannot profile: process %u: %s", id,
					 r == -E2BIG ? "too many" : strerror(-r));
	}
	drop_ended(below, count, map_fd);
	return 0;
}

static bool map_has_keys(const struct bpf_maps *maps, const char *name)
{
	uint32_t key;

	return !bpf_map_get_next_key(bpf_maps_fd(maps, name), NULL, &key);
}

bool targets_live(const struct session_options *options, const struct bpf_maps *maps)
{
	if (!options->pid_count && !options->tid_count)
		return true;
	return map_has_keys(maps, "target_pids") || map_has_keys(maps, "target_tids");
}
