/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/processes/cgroup_names.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "profiler/base/hashmap.h"
#include "profiler/base/intern.h"
#include "profiler/base/strbuf.h"
#include "profiler/processes/proc_instance.h"
#include "profiler/window.h"

#define DELETED "[deleted cgroup]"
#define CONTAINER_ID_DIGITS 64
/* Each level holds a descriptor while its folder is read. */
#define DEPTH_MAX 64

struct cgroup_names {
	char *folder, *controller;
	struct hashmap *paths;		/* id to the number of its text */
	struct intern *texts;
};

struct cgroup_names *cgroup_names_new(const char *folder, const char *controller)
{
	_cleanup_(cgroup_names_freep) struct cgroup_names *names = calloc(1, sizeof(*names));

	if (!names)
		return NULL;
	names->paths = hashmap_new(sizeof(uint64_t), sizeof(uint32_t));
	names->texts = intern_new();
	names->folder = folder ? strdup(folder) : NULL;
	names->controller = controller ? strdup(controller) : NULL;
	if (!names->paths || !names->texts || (folder && !names->folder) ||
	    (controller && !names->controller))
		return NULL;
	return take_ptr(names);
}

struct cgroup_names *cgroup_names_free(struct cgroup_names *names)
{
	if (!names)
		return NULL;
	hashmap_free(names->paths);
	intern_free(names->texts);
	free(names->folder);
	free(names->controller);
	free(names);
	return NULL;
}

/* ---- the walk ---- */

/* The first name stays: the number of a deleted folder is not given out again. */
static void add_path(struct cgroup_names *names, uint64_t id, const char *path)
{
	uint32_t text;
	void *value;

	if (intern_add_text(names->texts, path, &text) < 0 ||
	    hashmap_add(names->paths, &id, &value) <= 0)
		return;
	*(uint32_t *)value = text;
}

static bool is_child(const struct dirent *entry)
{
	return entry->d_type == DT_DIR && strcmp(entry->d_name, ".") != 0 &&
	       strcmp(entry->d_name, "..") != 0;
}

/* The children of the folder @name in that of @parent, whose path is @path. */
static void walk_folder(struct cgroup_names *names, int parent, const char *name,
			const char *path, int depth)
{
	_cleanup_close_ int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *folder = fd < 0 || depth > DEPTH_MAX ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!folder)
		return;
	fd = -1;
	while ((entry = readdir(folder))) {
		_cleanup_strbuf_ struct strbuf child = STRBUF_INIT;

		if (!is_child(entry))
			continue;
		strbuf_printf(&child, "%s/%s", path, entry->d_name);
		add_path(names, entry->d_ino, child.data);
		walk_folder(names, dirfd(folder), entry->d_name, child.data, depth + 1);
	}
	closedir(folder);
}

static void walk(struct cgroup_names *names)
{
	struct stat st;

	if (!names->folder || stat(names->folder, &st))
		return;
	add_path(names, st.st_ino, "/");
	walk_folder(names, AT_FDCWD, names->folder, "", 0);
}

void cgroup_names_note(struct cgroup_names *names, const struct window *window)
{
	const struct wick_detail *detail;
	size_t position = 0;
	bool walked = false;

	while ((detail = window_next_detail(window, &position))) {
		uint64_t id = detail->value[WICK_DETAIL_CGROUP];

		if (!(detail->present & WICK_DETAIL_BIT(CGROUP)) ||
		    hashmap_find(names->paths, &id))
			continue;
		if (!walked)
			walk(names);
		walked = true;
		add_path(names, id, DELETED);
	}
}

const char *cgroup_names_find(const struct cgroup_names *names, uint64_t id)
{
	const uint32_t *text = hashmap_find(names->paths, &id);

	return text ? intern_text(names->texts, *text) : DELETED;
}

/* ---- by /proc ---- */

/* "4:memory:/a/b", "2:cpu,cpuacct:/", and for version 2 "0::/a/b". */
const char *cgroup_line_path(const char *line, const char *controller)
{
	const char *names = strchr(line, ':'), *end = names ? strchr(names + 1, ':') : NULL;
	size_t wanted = strlen(controller);

	if (!end)
		return NULL;
	for (names++;; names++) {
		size_t size = strcspn(names, ",:");

		if (size == wanted && !memcmp(names, controller, size))
			return end + 1;
		names += size;
		if (names == end)
			return NULL;
	}
}

const char *cgroup_names_of_task(struct cgroup_names *names, const struct wick_task *task)
{
	_cleanup_fclose_ FILE *f = NULL;
	_cleanup_free_ char *line = NULL;
	const char *found = NULL;
	size_t size = 0;
	char path[64];
	uint32_t text;

	snprintf(path, sizeof(path), "/proc/%u/task/%u/cgroup", task->pid, task->tid);
	f = names->controller ? fopen(path, "re") : NULL;
	while (f && !found && getline(&line, &size, f) > 0)
		found = cgroup_line_path(line, names->controller);
	/* Asked afterwards: by then the number could be another process's. */
	if (!found || !proc_instance_is(task->pid, task->start_ns))
		return NULL;
	line[strcspn(line, "\n")] = '\0';
	return intern_add_text(names->texts, found, &text) < 0 ? NULL :
								 intern_text(names->texts, text);
}

/* ---- what a path says ---- */

static size_t component_size(const char *text)
{
	return strcspn(text, "/");
}

/* Where 64 digits stand alone between other characters, or NULL. */
static const char *find_id(const char *text, size_t size)
{
	size_t digits = 0;

	for (size_t i = 0; i <= size; i++) {
		if (i < size && isxdigit((unsigned char)text[i]) &&
		    !isupper((unsigned char)text[i])) {
			digits++;
			continue;
		}
		if (digits == CONTAINER_ID_DIGITS)
			return text + i - digits;
		digits = 0;
	}
	return NULL;
}

bool cgroup_path_container(const char *path, char ret[CGROUP_CONTAINER_BYTES])
{
	const char *found = NULL;

	for (size_t size; *path; path += size + (path[size] == '/')) {
		const char *id;

		size = component_size(path);
		id = find_id(path, size);
		/* The process that watches a container has a cgroup beside it: "crio-conmon-ID". */
		if (id && !memmem(path, size, "-conmon-", strlen("-conmon-")))
			found = id;
	}
	if (!found)
		return false;
	snprintf(ret, CGROUP_CONTAINER_BYTES, "%s", found);
	return true;
}

static bool is_unit(const char *name, size_t size)
{
	static const char *const suffixes[] = { ".service", ".scope", ".slice", ".mount", ".socket",
						".swap" };

	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		size_t suffix_size = strlen(suffixes[i]);

		if (size > suffix_size &&
		    !memcmp(name + size - suffix_size, suffixes[i], suffix_size))
			return true;
	}
	return false;
}

bool cgroup_path_unit(const char *path, char *ret, size_t size)
{
	const char *found = NULL;
	size_t found_size = 0;

	for (size_t length; *path; path += length + (path[length] == '/')) {
		length = component_size(path);
		if (!is_unit(path, length))
			continue;
		found = path;
		found_size = length;
	}
	if (!found || found_size >= size)
		return false;
	memcpy(ret, found, found_size);
	ret[found_size] = '\0';
	return true;
}
