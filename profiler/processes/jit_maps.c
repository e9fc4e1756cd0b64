/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/processes/jit_maps.h"

#include <errno.h>
#include <string.h>

#include "profiler/base/hashmap.h"
#include "profiler/processes/proc_instance.h"
#include "profiler/processes/remote_files.h"
#include "profiler/window.h"
#include "symbolizer/perf_map.h"

/* Each holds a descriptor. */
#define MAPS_MAX 512

struct instance {
	uint64_t start_ns, pid;
};

struct jit_map {
	int fd;			/* -1: there is none */
	bool tried;		/* to read it */
	struct perf_map *map;
};

struct jit_maps {
	struct hashmap *known;	/* struct instance to struct jit_map */
};

struct jit_maps *jit_maps_new(void)
{
	struct jit_maps *maps = calloc(1, sizeof(*maps));

	if (!maps)
		return NULL;
	maps->known = hashmap_new(sizeof(struct instance), sizeof(struct jit_map));
	return maps->known ? maps : jit_maps_free(maps);
}

struct jit_maps *jit_maps_free(struct jit_maps *maps)
{
	size_t position = 0;
	void *value;

	if (!maps)
		return NULL;
	while (maps->known && hashmap_next(maps->known, &position, NULL, &value)) {
		struct jit_map *map = value;

		perf_map_free(map->map);
		if (map->fd >= 0)
			close(map->fd);
	}
	hashmap_free(maps->known);
	free(maps);
	return NULL;
}

void jit_maps_note(struct jit_maps *maps, const struct window *window)
{
	const struct window_stack *stack;
	size_t position = 0;

	while ((stack = window_next_stack(window, &position))) {
		struct instance instance = { .start_ns = stack->start_ns, .pid = stack->pid };
		struct jit_map *map;
		void *value;

		if (!stack->pid || hashmap_find(maps->known, &instance) ||
		    hashmap_count(maps->known) >= MAPS_MAX ||
		    hashmap_add(maps->known, &instance, &value) < 0)
			continue;
		map = value;
		/* Where the folder may not answer, names are not worth the wait. */
		map->fd = remote_files_has_path(stack->pid, "/tmp") ? -1 :
								      perf_map_open_fd(stack->pid);
		if (map->fd >= 0 && !proc_instance_is(stack->pid, stack->start_ns)) {
			close(map->fd);
			map->fd = -1;
		}
	}
}

const char *jit_maps_find(struct jit_maps *maps, uint32_t pid, uint64_t start_ns,
			  uint64_t address, uint64_t *ret_start)
{
	struct instance instance = { .start_ns = start_ns, .pid = pid };
	struct jit_map *map = hashmap_find(maps->known, &instance);

	if (!map || map->fd < 0)
		return NULL;
	if (!map->tried)
		perf_map_read(map->fd, &map->map);
	map->tried = true;
	return map->map ? perf_map_find(map->map, address, ret_start) : NULL;
}
