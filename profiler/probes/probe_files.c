/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/probes/probe_files.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "profiler/base/alloc.h"
#include "profiler/base/number.h"
#include "profiler/base/strbuf.h"
#include "profiler/processes/proc_maps.h"

/* Where a dynamic linker looks, as ld.so(8) and Debian's multiarch have it. */
static const char *const library_folders[] = {
	"/usr/local/lib/x86_64-linux-gnu", "/usr/local/lib", "/lib/x86_64-linux-gnu",
	"/usr/lib/x86_64-linux-gnu", "/lib64", "/usr/lib64", "/lib", "/usr/lib",
};

void probe_files_done(struct probe_files *files)
{
	for (size_t i = 0; i < files->count; i++)
		module_put(files->modules[i]);
	free(files->modules);
	*files = (struct probe_files){ 0 };
}

bool probe_file_is_called(const char *basename, const char *name)
{
	size_t size = strlen(name);
	const char *rest = basename + size;

	if (strncmp(basename, name, size))
		return false;
	if (!*rest || !strncmp(rest, ".so", 3))
		return true;
	/* An old C library's "libc-2.31.so"; not "libc-client.so". */
	return *rest == '-' && isdigit((unsigned char)rest[1]) && strstr(rest, ".so");
}

static bool has_file(const struct probe_files *files, const struct stat *st)
{
	for (size_t i = 0; i < files->count; i++) {
		const struct module_info *info = module_info(files->modules[i]);

		if (info->device == st->st_dev && info->inode == st->st_ino)
			return true;
	}
	return false;
}

/* Takes over @fd. Anything but a regular ELF file is passed by. */
static int add_fd(struct probe_files *files, int fd, const char *path)
{
	_cleanup_close_ int own = fd;
	struct module_info info = { .id = files->count + 1, .path = path };
	struct stat st;
	int r;

	if (fstat(own, &st) || !S_ISREG(st.st_mode) || has_file(files, &st))
		return 0;
	info.device = st.st_dev;
	info.inode = st.st_ino;
	r = alloc_grow(&files->modules, &files->capacity, files->count + 1);
	if (r < 0)
		return r;
	files->modules[files->count] = module_new(&info, take_fd(own));
	if (!files->modules[files->count])
		return -ENOMEM;
	files->count++;
	return 0;
}

/* Returns 0, also when it is not there. */
static int add_path(struct probe_files *files, const char *root, const char *path)
{
	_cleanup_strbuf_ struct strbuf whole = STRBUF_INIT;
	int fd;

	strbuf_printf(&whole, "%s%s", root, path);
	if (whole.error)
		return -ENOMEM;
	/* A FIFO must not hold us up. */
	fd = open(whole.data, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? 0 : add_fd(files, fd, path);
}

/* ---- what is mapped ---- */

static int add_mapping(struct probe_files *files, pid_t pid, const struct proc_map *map)
{
	char path[96];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, pid, map->start,
		 map->end);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd >= 0)
		return add_fd(files, fd, map->path);
	snprintf(path, sizeof(path), "/proc/%d/root", pid);
	return add_path(files, path, map->path);
}

/* @name "": every file. */
static int add_mapped(struct probe_files *files, pid_t pid, const char *name)
{
	_cleanup_fclose_ FILE *maps = NULL;
	_cleanup_free_ char *line = NULL;
	char path[64];
	size_t size = 0;
	int r = 0;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "re");
	while (maps && !r && getline(&line, &size, maps) > 0) {
		struct proc_map map;
		const char *basename;

		line[strcspn(line, "\n")] = 0;
		if (proc_maps_parse(line, &map) < 0 || !map.executable || map.path[0] != '/')
			continue;
		basename = strrchr(map.path, '/') + 1;
		if (!*name || probe_file_is_called(basename, name))
			r = add_mapping(files, pid, &map);
	}
	return r;
}

static int add_mapped_by_any(struct probe_files *files, const char *name)
{
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	int r = 0;

	while (proc && !r && (entry = readdir(proc))) {
		uint64_t pid;

		if (!number_parse_u64(entry->d_name, INT32_MAX, &pid))
			r = add_mapped(files, pid, name);
	}
	if (proc)
		closedir(proc);
	return r;
}

/* ---- what would be found ---- */

static int add_library(struct probe_files *files, const char *root, const char *folder,
		       const char *name)
{
	_cleanup_strbuf_ struct strbuf pattern = STRBUF_INIT;
	glob_t found = { 0 };
	int r = 0;

	strbuf_printf(&pattern, "%s%s/%s{,.so,.so.*,-[0-9]*.so}", root, folder, name);
	if (pattern.error)
		return -ENOMEM;
	if (!glob(pattern.data, GLOB_BRACE | GLOB_NOSORT, NULL, &found))
		for (size_t i = 0; i < found.gl_pathc && !r; i++)
			r = add_path(files, root, found.gl_pathv[i] + strlen(root));
	globfree(&found);
	return r;
}

static int add_program(struct probe_files *files, const char *root, const char *name)
{
	const char *folders = getenv("PATH") ?: "/usr/bin:/bin";
	size_t before = files->count;
	int r = 0;

	while (*folders && !r && files->count == before) {
		size_t size = strcspn(folders, ":");
		char path[4096];

		snprintf(path, sizeof(path), "%.*s/%s", (int)size, folders, name);
		r = add_path(files, root, path);
		folders += size + (folders[size] == ':');
	}
	return r;
}

static int add_found(struct probe_files *files, const char *root, const char *name)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(library_folders) && !r; i++)
		r = add_library(files, root, library_folders[i], name);
	return r ?: add_program(files, root, name);
}

/* ---- all together ---- */

static int add_of_target(struct probe_files *files, pid_t pid, const char *name)
{
	char root[64];

	snprintf(root, sizeof(root), "/proc/%d/root", pid);
	if (*name == '/')
		return add_path(files, root, name);
	return add_mapped(files, pid, name);
}

static int add_all(struct probe_files *files, const char *name,
		   const struct probe_targets *targets)
{
	int r = 0;

	for (size_t i = 0; i < targets->pid_count && !targets->command && !r; i++)
		r = add_of_target(files, targets->pids[i], name);
	if (r || (strchr(name, '/') && files->count))
		return r;
	if (strchr(name, '/'))
		return add_path(files, "", name);
	if (!*name)
		return targets->command ? add_program(files, "", targets->command) : 0;
	if (!targets->pid_count || targets->command)
		r = add_mapped_by_any(files, name);
	return r ?: add_found(files, "", name);
}

int probe_files_find(const char *name, const struct probe_targets *targets,
		     struct probe_files *ret, struct error *err)
{
	int r;

	if (!*name && !targets->pid_count)
		return error_set(err, ERROR_USAGE, -EINVAL,
				 "no file named: give a path or a library's name, or a process "
				 "with -p");
	r = add_all(ret, name, targets);
	if (r < 0)
		return error_set(err, ERROR_FAILED, r, "no memory");
	if (ret->count)
		return 0;
	return error_set(err, ERROR_FAILED, -ENOENT, "no such file: %s: %s",
			 *name ? name :
				 "of the "
				 "target",
			 strchr(name, '/') ? "nothing is there" :
					     "no library or program of that name was found");
}
