/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cgroup_names.h - the numbers of cgroups as the paths people know, and what is in a path.
 *
 * One hierarchy, whose folders are walked when a number is new: they may be gone when names are
 * wanted. Used by the processing thread, later by whoever resolves its window.
 */
#ifndef WICK_CGROUP_NAMES_H
#define WICK_CGROUP_NAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"

struct cgroup_names;
struct wick_task;
struct window;

#define CGROUP_CONTAINER_BYTES 13

/*
 * @folder: where the hierarchy is mounted; @controller: what it is called in /proc/PID/cgroup, "" for
 * version 2. NULL: there is none. Returns NULL when there is no memory.
 */
struct cgroup_names *cgroup_names_new(const char *folder, const char *controller);
struct cgroup_names *cgroup_names_free(struct cgroup_names *names);
DEFINE_CLEANUP(struct cgroup_names *, cgroup_names_free)

/* Look up the cgroups that are new in @window. What is not there is deleted, and stays so. */
void cgroup_names_note(struct cgroup_names *names, const struct window *window);
/* "/system.slice/cron.service", or "[deleted cgroup]". It lives as long as @names. */
const char *cgroup_names_find(const struct cgroup_names *names, uint64_t id);

/* The path of the cgroup that @task is in now, or NULL when it is gone. It lives as long as @names. */
const char *cgroup_names_of_task(struct cgroup_names *names, const struct wick_task *task);
/* The path in a line of /proc/PID/cgroup, when it is that of @controller; else NULL. */
const char *cgroup_line_path(const char *line, const char *controller);

/*
 * The container that the cgroup @path belongs to: of its id the first 12 digits, as docker ps, podman
 * ps and crictl ps print it. Returns whether there is one.
 */
bool cgroup_path_container(const char *path, char ret[CGROUP_CONTAINER_BYTES]);
/*
 * The innermost systemd unit of @path, "cron.service", into @ret. Returns whether there is one that
 * fits.
 */
bool cgroup_path_unit(const char *path, char *ret, size_t size);

#endif
