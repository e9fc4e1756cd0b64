/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * jit_maps.h - the perf maps of processes whose stacks had code of no file.
 *
 * A map is opened when the first such stack is seen, because the process may be gone
 * when names are wanted, and read then, because it grows. Used by the processing thread,
 * later by whoever resolves its window.
 */
#ifndef WICK_JIT_MAPS_H
#define WICK_JIT_MAPS_H

#include <stdint.h>
#include "profiler/base/cleanup.h"

struct jit_maps;
struct window;

struct jit_maps *jit_maps_new(void);
struct jit_maps *jit_maps_free(struct jit_maps *maps);
DEFINE_CLEANUP(struct jit_maps *, jit_maps_free)

/* Open the maps of processes that are new in @window. What cannot be opened stays unnamed. */
void jit_maps_note(struct jit_maps *maps, const struct window *window);
/*
 * The name of the code at @address of the process @pid that started at @start_ns, or NULL.
 * It lives as long as @maps. @ret_start, when not NULL: where that code begins.
 */
const char *jit_maps_find(struct jit_maps *maps, uint32_t pid, uint64_t start_ns,
			  uint64_t address, uint64_t *ret_start);

#endif
