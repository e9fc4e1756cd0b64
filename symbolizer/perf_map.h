/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * perf_map.h - names of code that a process made itself, by its /tmp/perf-PID.map.
 *
 * Node, Java agents and others write there a line for each function that their
 * JIT has compiled: "START SIZE NAME", numbers in hexadecimal. Memory is used
 * again, so of lines about the same address the last counts. The file is the
 * process's word, and hostile: who owns it, what it is and its size are
 * checked, and it is reached through the root of the process without following
 * links out of there. A snapshot, read-only once made.
 */
#ifndef WICK_PERF_MAP_H
#define WICK_PERF_MAP_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "profiler/base/cleanup.h"

struct perf_map;

/* A larger file is refused: it would be held in memory. Node's has some MiB. */
#define PERF_MAP_BYTES_MAX ((size_t)64 << 20)

/*
 * Read the map of process @pid, as this PID namespace calls it. Returns 0,
 * -ENOENT when it has none, -ESRCH when there is no such process, -EPERM when
 * the file is not the process's own (or root's) or no regular file, -EFBIG,
 * -ENOMEM, or another negative errno.
 */
int perf_map_open(pid_t pid, struct perf_map **ret);
/* Its two halves: the checked file, to be read when the process may be gone; and its reading. */
int perf_map_open_fd(pid_t pid);
int perf_map_read(int fd, struct perf_map **ret);
/* The same of @size bytes of text, which are copied. Lines of another form are passed over. */
int perf_map_parse(const char *text, size_t size, struct perf_map **ret);
struct perf_map *perf_map_free(struct perf_map *map);
DEFINE_CLEANUP(struct perf_map *, perf_map_free)

/*
 * The name of the code at @address, a virtual address of the process, as in
 * the file; it lives as long as the map. NULL when no line covers it. @ret_start,
 * when not NULL, is set to where that code begins.
 */
const char *perf_map_find(const struct perf_map *map, uint64_t address, uint64_t *ret_start);
size_t perf_map_count(const struct perf_map *map);
size_t perf_map_bytes(const struct perf_map *map);

#endif
