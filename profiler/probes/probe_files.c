/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/probes/probe_files.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "profiler/base/alloc.h"
#include "profiler/base/number.h"
#include "profiler/probes/probe_files_private.h"
#include "profiler/processes/proc_maps.h"
#include "profiler/processes/process_root.h"

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

/* Of a file that is none, or is damaged, it is empty. */
static int read_build_id(int fd, struct elf_build_id *ret)
{
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	int r = elf_file_open_fd(fd, &elf);

	if (!r)
		*ret = *elf_file_build_id(elf);
	return r == -ENOMEM ? r : 0;
}

/* Takes over @fd. Returns as probe_files_add(). */
static int add_fd(struct probe_files *files, int root, int fd, const char *path)
{
	_cleanup_close_ int own = fd;
	struct module_info info = { .id = files->count + 1, .path = path };
	struct module *module;
	struct stat st;
	int r;

	if (fstat(own, &st) || !S_ISREG(st.st_mode))
		return 0;
	if (has_file(files, &st))
		return 1;
	info.device = st.st_dev;
	info.inode = st.st_ino;
	r = read_build_id(own, &info.build_id);
	r = r ?: alloc_grow(&files->modules, &files->capacity, files->count + 1);
	if (r < 0)
		return r;
	module = module_new(&info, take_fd(own));
	if (!module)
		return -ENOMEM;
	/* Its debug file is looked for there, too. */
	if (root >= 0)
		module_set_root(module, fcntl(root, F_DUPFD_CLOEXEC, 3));
	files->modules[files->count++] = module;
	return 1;
}

/* A FIFO must not hold us up; an absolute link begins at @root. */
static int open_in(int root, const char *path)
{
	struct open_how how = { .flags = O_RDONLY | O_CLOEXEC | O_NONBLOCK,
				.resolve = RESOLVE_IN_ROOT };

	if (root < 0)
		return open(path, how.flags);
	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

int probe_files_add(struct probe_files *files, int root, const char *path)
{
	int fd = open_in(root, path);

	return fd < 0 ? 0 : add_fd(files, root, fd, path);
}

/* Of a process that sees other files than we do; -1: it sees ours. */
static int root_of(pid_t pid)
{
	const struct process process = { .pid = pid };
	int fd = process_root_open(&process);

	return fd < 0 ? -1 : fd;
}

/* ---- what is mapped ---- */

static int add_mapping(struct probe_files *files, pid_t pid, const struct proc_map *map)
{
	_cleanup_close_ int root = -1;
	char path[PROC_MAPS_LINK_BYTES];
	int fd;

	proc_maps_link((uint32_t)pid, map->start, map->end, path);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	root = root_of(pid);
	return fd >= 0 ? add_fd(files, root, fd, map->path) :
			 probe_files_add(files, root, map->path);
}

/* @name "": every file. */
static int add_mapped(struct probe_files *files, pid_t pid, const char *name)
{
	_cleanup_proc_maps_ struct proc_maps maps = PROC_MAPS_INIT;
	struct proc_map map;
	char path[64];
	int r;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	r = proc_maps_open(&maps, path);
	while (r >= 0 && (r = proc_maps_next_code(&maps, &map)) > 0) {
		if (!*name || probe_file_is_called(strrchr(map.path, '/') + 1, name))
			r = add_mapping(files, pid, &map);
	}
	return r == -ENOMEM ? r : 0;
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

/* ---- all together ---- */

/* What is not mapped yet may be later. */
static int add_of_target(struct probe_files *files, pid_t pid, const char *name)
{
	_cleanup_close_ int root = root_of(pid);
	size_t before = files->count;
	int r;

	if (*name == '/') {
		r = probe_files_add(files, root, name);
		return r < 0 ? r : 0;
	}
	r = add_mapped(files, pid, name);
	if (r || !*name || strchr(name, '/') || files->count > before)
		return r;
	return loaded_files_add(files, root, name);
}

static int add_all(struct probe_files *files, const char *name,
		   const struct probe_targets *targets)
{
	bool is_running = targets->pid_count && !targets->command;
	int r = 0;

	for (size_t i = 0; i < targets->pid_count && is_running && !r; i++)
		r = add_of_target(files, targets->pids[i], name);
	if (r || files->count)
		return r;
	if (strchr(name, '/'))
		r = probe_files_add(files, -1, name);
	else if (!*name)
		r = targets->command ? loaded_files_add_command(files, targets->command) : 0;
	else
		r = is_running ? 0 : add_mapped_by_any(files, name);
	if (r < 0 || !*name || strchr(name, '/') || is_running)
		return r < 0 ? r : 0;
	return loaded_files_add(files, -1, name);
}

int probe_files_find(const char *name, const struct probe_targets *targets,
		     struct probe_files *ret, struct error *err)
{
	int r;

	if (!*name && !targets->pid_count && !targets->command)
		return error_set(err, ERROR_USAGE, -EINVAL,
				 "no file named: give a path or a library's name, or a process "
				 "with -p");
	r = add_all(ret, name, targets);
	if (r < 0)
		return error_set(err, ERROR_FAILED, r, "no memory");
	if (ret->count)
		return 0;
	return error_set(err, ERROR_FAILED, -ENOENT, "no such file: %s: %s",
			 *name ? name : "of the target",
			 strchr(name, '/') ? "nothing is there" :
					     "no library or program of that name was found");
}
