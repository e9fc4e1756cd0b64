/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/targets.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "profiler/base/cleanup.h"
#include "profiler/base/log.h"
#include "profiler/iterator.h"
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

static int descendants_add(const struct session_options *options, int map_fd, struct error *err)
{
	const uint32_t active = WICK_TARGET_ACTIVE;
	_cleanup_free_ pid_t *below = NULL;
	ssize_t count = descendants_read(options->pids, options->pid_count, &below);

	if (count < 0)
		return count;
	for (ssize_t i = 0; i < count; i++) {
		uint32_t id = below[i];
		int r = bpf_map_update_elem(map_fd, &id, &active, BPF_ANY);

		if (r < 0)
			return error_set(err, ERROR_FAILED, r, "cannot profile: process %u: %s", id,
					 r == -E2BIG ? "too many" : strerror(-r));
	}
	return 0;
}

int targets_follow(const struct session_options *options, struct bpf_maps *maps, struct error *err)
{
	const struct bpf_program *program;
	int r = 0;

	if (options->wait_exec || (!options->pid_count && !options->tid_count))
		return 0;
	if (options->pid_count && !options->no_inherit)
		r = descendants_add(options, bpf_maps_fd(maps, "target_pids"), err);
	if (r < 0)
		return r;
	program = bpf_object__find_program_by_name(bpf_maps_process_object(maps),
						   "process_targets");
	/* Without it their first stacks are copied. */
	r = iterator_run(program);
	if (r < 0)
		log_debug(LOG_TABLES, "cannot look for the targets: %s", strerror(-r));
	return 0;
}

void targets_drop_ended(const struct bpf_maps *maps)
{
	int map_fd = bpf_maps_fd(maps, "target_pids");
	uint32_t id, next;
	bool more = !bpf_map_get_next_key(map_fd, NULL, &next);

	while (more) {
		id = next;
		more = !bpf_map_get_next_key(map_fd, &id, &next);
		if (!proc_stat_lives(id))
			bpf_map_delete_elem(map_fd, &id);
	}
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
