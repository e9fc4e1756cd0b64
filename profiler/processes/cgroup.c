/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/processes/cgroup.h"

#include <bpf/btf.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

/* The enumerator NAME_cgrp_id of enum cgroup_subsys_id. */
static int subsystem_index(const struct btf *btf, const char *name, size_t name_size)
{
	int id = btf__find_by_name_kind(btf, "cgroup_subsys_id", BTF_KIND_ENUM);
	const struct btf_type *type = id < 0 ? NULL : btf__type_by_id(btf, id);
	const struct btf_enum *e = type ? btf_enum(type) : NULL;

	for (int i = 0; type && i < btf_vlen(type); i++) {
		const char *text = btf__name_by_offset(btf, e[i].name_off);

		if (strlen(text) == name_size + strlen("_cgrp_id") &&
		    !strncmp(text, name, name_size) && !strcmp(text + name_size, "_cgrp_id"))
			return e[i].val;
	}
	return -ENOENT;
}

/* Users of version 1 and the kernel have another name for it. */
static const struct {
	const char *option, *name;
} renamed[] = { { "blkio", "io" } };

/* The v1 mount options name the controllers: any of them will do. */
static int options_subsystem(const char *options, const struct btf *btf)
{
	while (*options) {
		size_t size = strcspn(options, ",");
		const char *name = options;
		size_t name_size = size;
		int index;

		for (size_t i = 0; i < ARRAY_SIZE(renamed); i++) {
			if (strlen(renamed[i].option) != size ||
			    strncmp(renamed[i].option, options, size))
				continue;
			name = renamed[i].name;
			name_size = strlen(name);
		}
		index = subsystem_index(btf, name, name_size);
		if (index >= 0)
			return index;
		options += size + (options[size] == ',');
	}
	return -ENOENT;
}

/* The controller of the v1 hierarchy mounted where device @device is. */
static int find_subsystem(dev_t device, const struct btf *btf)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *entry;
	int index = -ENOENT;

	if (!mounts)
		return -errno;
	while (index < 0 && (entry = getmntent(mounts))) {
		struct stat st;

		if (!strcmp(entry->mnt_type, "cgroup") && !stat(entry->mnt_dir, &st) &&
		    st.st_dev == device)
			index = options_subsystem(entry->mnt_opts, btf);
	}
	endmntent(mounts);
	return index;
}

int cgroup_target_find(const char *path, const struct btf *kernel_btf, struct cgroup_target *ret,
		       struct error *err)
{
	struct cgroup_target target = { .subsystem = -1 };
	struct statfs fs;
	struct stat st;

	if (stat(path, &st) || statfs(path, &fs))
		return error_set(err, ERROR_FAILED, -errno, "cannot use cgroup: %s: %s", path,
				 strerror(errno));
	if (!S_ISDIR(st.st_mode) ||
	    (fs.f_type != CGROUP2_SUPER_MAGIC && fs.f_type != CGROUP_SUPER_MAGIC))
		return error_set(err, ERROR_FAILED, -EINVAL,
				 "cannot use cgroup: %s: not a folder of a cgroup file system",
				 path);
	if (fs.f_type == CGROUP_SUPER_MAGIC) {
		target.subsystem = find_subsystem(st.st_dev, kernel_btf);
		if (target.subsystem < 0)
			return error_set(
				err, ERROR_NOT_SUPPORTED, -EOPNOTSUPP,
				"cannot use cgroup: %s: its v1 hierarchy has no controller", path);
	}
	target.id = st.st_ino;
	*ret = target;
	return 0;
}

char *cgroup_folder_find(int32_t subsystem, const struct btf *kernel_btf)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	struct mntent *entry;
	char *found = NULL;

	while (mounts && !found && (entry = getmntent(mounts))) {
		bool is_v2 = !strcmp(entry->mnt_type, "cgroup2");

		if (!is_v2 && strcmp(entry->mnt_type, "cgroup") != 0)
			continue;
		if (subsystem == (is_v2 ? -1 : options_subsystem(entry->mnt_opts, kernel_btf)))
			found = strdup(entry->mnt_dir);
	}
	if (mounts)
		endmntent(mounts);
	return found;
}

char *cgroup_controller_find(int32_t subsystem, const struct btf *kernel_btf)
{
	int id = btf__find_by_name_kind(kernel_btf, "cgroup_subsys_id", BTF_KIND_ENUM);
	const struct btf_type *type = id < 0 ? NULL : btf__type_by_id(kernel_btf, id);
	const struct btf_enum *e = type ? btf_enum(type) : NULL;

	if (subsystem < 0)
		return strdup("");
	for (int i = 0; type && i < btf_vlen(type); i++) {
		const char *text = btf__name_by_offset(kernel_btf, e[i].name_off);
		const char *end = strstr(text, "_cgrp_id");
		_cleanup_free_ char *name = end ? strndup(text, end - text) : NULL;

		if (e[i].val != subsystem || !name)
			continue;
		for (size_t j = 0; j < ARRAY_SIZE(renamed); j++)
			if (!strcmp(name, renamed[j].name))
				return strdup(renamed[j].option);
		return take_ptr(name);
	}
	return NULL;
}

/* Whether any process is in a cgroup below @folder, of version 2: those tell, at any depth. */
static bool is_populated(const char *folder)
{
	char pattern[PATH_MAX], line[64];
	bool populated = false;
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/*/cgroup.events", folder);
	if (glob(pattern, 0, NULL, &found))
		return false;
	for (size_t i = 0; i < found.gl_pathc && !populated; i++) {
		_cleanup_fclose_ FILE *f = fopen(found.gl_pathv[i], "re");

		while (f && !populated && fgets(line, sizeof(line), f))
			populated = !strcmp(line, "populated 1\n");
	}
	globfree(&found);
	return populated;
}

int32_t cgroup_subsystem_choose(const struct btf *kernel_btf)
{
	/* Where systemd and containers put tasks by default; its own hierarchy has no number. */
	static const char *const names[] = { "memory", "pids", "cpu", "devices", "io" };
	_cleanup_free_ char *folder = cgroup_folder_find(-1, kernel_btf);

	if (folder && is_populated(folder))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		int index = subsystem_index(kernel_btf, names[i], strlen(names[i]));
		_cleanup_free_ char *mounted =
			index < 0 ? NULL : cgroup_folder_find(index, kernel_btf);

		if (mounted)
			return index;
	}
	return -1;
}
