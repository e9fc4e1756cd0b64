/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/jit_maps.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include "profiler/base/hashmap.h"
#include "profiler/remote_files.h"
#include "profiler/window.h"
#include "symbolizer/perf_map.h"

/* Each holds a descriptor. */
#define MAPS_MAX 512
#define NS_PER_SECOND 1000000000ll

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

/* The start of what is now @pid, in clock ticks since boot (proc(5), stat, field 22), or 0. */
static unsigned long long start_ticks(uint32_t pid)
{
	_cleanup_fclose_ FILE *f = NULL;
	unsigned long long ticks = 0;
	char path[64], line[1024], *after;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	f = fopen(path, "re");
	if (!f || !fgets(line, sizeof(line), f))
		return 0;
	/* The name before it may hold anything. */
	after = strrchr(line, ')');
	for (int field = 2; after && field < 22; field++)
		after = strchr(after + 1, ' ');
	return after && sscanf(after, "%llu", &ticks) == 1 ? ticks : 0;
}

/* Whether @pid is still the process that started then, and not a later one. */
static bool is_same(uint32_t pid, uint64_t start_ns)
{
	struct timespec boot, monotonic;
	long long ticks_ns, offset_ns, apart_ns;
	long per_second = sysconf(_SC_CLK_TCK);

	clock_gettime(CLOCK_BOOTTIME, &boot);
	clock_gettime(CLOCK_MONOTONIC, &monotonic);
	offset_ns = (boot.tv_sec - monotonic.tv_sec) * NS_PER_SECOND + boot.tv_nsec -
		    monotonic.tv_nsec;
	ticks_ns = start_ticks(pid) * (NS_PER_SECOND / per_second);
	apart_ns = (long long)start_ns + offset_ns - ticks_ns;
	return ticks_ns && llabs(apart_ns) <= 2 * NS_PER_SECOND / per_second;
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
		if (map->fd >= 0 && !is_same(stack->pid, stack->start_ns)) {
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
