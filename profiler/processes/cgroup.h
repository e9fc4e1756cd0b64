/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cgroup.h - which hierarchy a cgroup folder belongs to, and the number the kernel knows it by.
 */
#ifndef WICK_CGROUP_H
#define WICK_CGROUP_H

#include <stdint.h>
#include "profiler/base/error.h"

struct btf;

struct cgroup_target {
	uint64_t id;		/* of the folder: its kernfs node, the inode number */
	int32_t subsystem;	/* v1: index of its controller in the kernel; -1: v2 */
};

/*
 * Look @path up. @kernel_btf tells the index of a v1 controller. Returns 0 or a negative
 * errno: it is not there, not a cgroup folder, or a v1 hierarchy without a controller.
 */
int cgroup_target_find(const char *path, const struct btf *kernel_btf, struct cgroup_target *ret,
		       struct error *err);

/*
 * The hierarchy that says most about tasks when none was asked for: version 2 if there is anything in
 * its folders, else one of version 1. Its subsystem, as in struct cgroup_target.
 */
int32_t cgroup_subsystem_choose(const struct btf *kernel_btf);
/* Where the hierarchy of @subsystem is mounted. The caller frees it; NULL: nowhere, or no memory. */
char *cgroup_folder_find(int32_t subsystem, const struct btf *kernel_btf);
/* What it is called in /proc/PID/cgroup: "memory", and "" for version 2. The same for the caller. */
char *cgroup_controller_find(int32_t subsystem, const struct btf *kernel_btf);

#endif
