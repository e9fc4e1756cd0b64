/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/processes/module_open.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>

#include "profiler/base/alloc.h"
#include "profiler/processes/proc_maps.h"

/* A real one has one or two; more than this is a file made to waste memory. */
#define SEGMENTS_MAX 64

static uint64_t stat_mtime_ns(const struct stat *st)
{
	return (uint64_t)st->st_mtim.tv_sec * 1000000000 + (uint64_t)st->st_mtim.tv_nsec;
}

uint64_t module_mtime_ns(int fd)
{
	struct stat st;

	return fstat(fd, &st) < 0 ? 0 : stat_mtime_ns(&st);
}

void module_file_done(struct module_file *file)
{
	if (file->fd >= 0)
		close(file->fd);
	free(file->segments);
	file->fd = -1;
	file->segments = NULL;
}

int module_segments_address(const struct elf_segment *segments, size_t count, uint64_t offset,
			    uint64_t *ret)
{
	uint64_t page_mask = (uint64_t)sysconf(_SC_PAGESIZE) - 1;

	for (size_t i = 0; i < count; i++) {
		const struct elf_segment *s = &segments[i];
		uint64_t first = s->offset & ~page_mask;

		if (offset < first || offset - first >= s->offset - first + s->file_bytes)
			continue;
		*ret = s->address + (offset - s->offset);
		return 0;
	}
	return -ENOENT;
}

static int open_remote(struct remote_files *remote, const char *path, int handle,
		       struct module_file *ret)
{
	struct remote_file file;
	int r = remote_files_read(remote, path, handle, &file);

	if (r < 0)
		return r;
	ret->fd = file.fd;
	ret->device = file.device;
	ret->inode = file.inode;
	/* Of the copy: it stays as it is. */
	ret->mtime_ns = module_mtime_ns(file.fd);
	return 0;
}

/*
 * Open @path for reading if it is a regular file: a device must not even be opened.
 * @pid is who sees it, 0 for us; @is_link when the path leads straight to the file.
 */
static int open_regular(struct remote_files *remote, uint32_t pid, const char *path, bool is_link,
			struct module_file *ret)
{
	_cleanup_close_ int handle = -1;
	char self[64];
	struct stat st;

	handle = open(path, O_PATH | O_CLOEXEC);
	if (handle < 0)
		return -errno;
	if (is_link && remote_files_has_handle(pid, handle))
		return open_remote(remote, NULL, handle, ret);
	if (fstat(handle, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOEXEC;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", handle);
	ret->fd = open(self, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (ret->fd < 0)
		return -errno;
	ret->device = st.st_dev;
	ret->inode = st.st_ino;
	ret->mtime_ns = stat_mtime_ns(&st);
	return 0;
}

/* What there is to know of the ELF object @elf that is @file. */
static int module_file_describe(struct module_file *file, struct elf_file *elf)
{
	size_t count, capacity = 0;
	const struct elf_segment *segments = elf_file_segments(elf, &count);
	int r;

	file->build_id = *elf_file_build_id(elf);
	file->compat = elf_file_class(elf) == ELFCLASS32;
	for (size_t i = 0; i < count && file->segment_count < SEGMENTS_MAX; i++) {
		if (!segments[i].executable)
			continue;
		r = alloc_grow(&file->segments, &capacity, file->segment_count + 1);
		if (r < 0)
			return r;
		file->segments[file->segment_count++] = segments[i];
	}
	return 0;
}

/*
 * Without a build ID, device and inode are compared. Overlay and btrfs show other
 * numbers in maps than in stat; then the link in map_files, which is the mapped
 * file itself, must at least still have the path that was mapped (@link).
 */
static bool same_inode(const struct mapping *mapping, const struct module_file *file,
		       const char *link)
{
	char target[4096];
	ssize_t size;

	if (mapping->device == file->device && mapping->inode == file->inode)
		return true;
	if (!link)
		return false;
	size = readlink(link, target, sizeof(target) - 1);
	if (size <= 0)
		return false;
	target[size] = 0;
	proc_maps_clean_path(target);
	return !strcmp(target, mapping->path);
}

static bool same_file(const struct mapping *mapping, const struct module_file *file,
		      const char *link)
{
	if (!mapping->build_id.size)
		return same_inode(mapping, file, link);
	return mapping->build_id.size == file->build_id.size &&
	       !memcmp(mapping->build_id.bytes, file->build_id.bytes, file->build_id.size);
}

/* Take over the opened file @opened if it is the one mapped; @link as for same_inode(). */
static int take_same(const struct mapping *mapping, struct module_file *opened, const char *link,
		     struct module_file *ret)
{
	_cleanup_(module_file_done) struct module_file file = *opened;
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	int r;

	/* Before it is read: what is no ELF object may still be the right file, or not. */
	if (!mapping->build_id.size && !same_inode(mapping, &file, link))
		return -ESTALE;
	r = elf_file_open_fd(file.fd, &elf);
	if (r < 0)
		return mapping->build_id.size ? -ESTALE : r;
	r = module_file_describe(&file, elf);
	if (r < 0)
		return r;
	if (!same_file(mapping, &file, link))
		return -ESTALE;
	*ret = file;
	file = (struct module_file){ .fd = -1 };
	return 0;
}

static int open_link(const struct process *process, const struct mapping *mapping,
		     struct remote_files *remote, struct module_file *ret)
{
	struct module_file file = { .fd = -1 };
	char link[PROC_MAPS_LINK_BYTES];
	int r;

	proc_maps_link(process->pid, mapping->start, mapping->end, link);
	r = open_regular(remote, process->pid, link, true, &file);
	return r < 0 ? r : take_same(mapping, &file, link, ret);
}

/* @path as seen from the root of @pid, or from ours when @pid is 0. */
static int open_from_root(const struct mapping *mapping, uint32_t pid,
			  struct remote_files *remote, struct module_file *ret)
{
	struct module_file file = { .fd = -1 };
	char path[64 + 4096];
	int size, r;

	if (mapping->path[0] != '/')
		return -ENOENT;
	if (pid)
		size = snprintf(path, sizeof(path), "/proc/%u/root%s", pid, mapping->path);
	else
		size = snprintf(path, sizeof(path), "%s", mapping->path);
	if (size < 0 || (size_t)size >= sizeof(path))
		return -ENAMETOOLONG;
	/* There the way to the file may already take for ever. */
	if (remote_files_has_path(pid, mapping->path))
		r = open_remote(remote, path, -1, &file);
	else
		r = open_regular(remote, pid, path, false, &file);
	return r < 0 ? r : take_same(mapping, &file, NULL, ret);
}

/* Both failed: the reason that says more. A file that is not it beats one that is not there. */
static int worse(int a, int b)
{
	return a == -ESTALE || a == -ENOMEM ? a : b;
}

static bool is_final(int r)
{
	return !r || r == -ENOEXEC || r == -EBADMSG || r == -ENOMEM || r == -ETIMEDOUT;
}

int module_file_open(const struct process *process, const struct mapping *mapping,
		     struct remote_files *remote, struct module_file *ret)
{
	uint32_t pids[PROCESS_ANCESTORS + 2] = { process->pid };
	int r, next;

	r = open_link(process, mapping, remote, ret);
	memcpy(pids + 1, process->ancestors, sizeof(process->ancestors));
	for (size_t i = 0; i < ARRAY_SIZE(pids) && !is_final(r); i++) {
		/* The last one is our own root. */
		if (!pids[i] && i < ARRAY_SIZE(pids) - 1)
			continue;
		next = open_from_root(mapping, pids[i], remote, ret);
		r = next ? worse(r, next) : 0;
	}
	return r;
}

/* Our own mapping of it says how large it is. */
static int vdso_size(uint64_t start, size_t *ret)
{
	_cleanup_proc_maps_ struct proc_maps maps = PROC_MAPS_INIT;
	int r = proc_maps_open(&maps, "/proc/self/maps");
	struct proc_map map;

	while (r >= 0 && (r = proc_maps_next(&maps, &map)) > 0) {
		if (map.start != start)
			continue;
		*ret = map.end - map.start;
		return 0;
	}
	return r ?: -ENOENT;
}

int module_file_open_vdso(struct module_file *ret)
{
	_cleanup_(module_file_done) struct module_file file = { .fd = -1 };
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	unsigned long start = getauxval(AT_SYSINFO_EHDR);
	int r;

	if (!start)
		return -ENOENT;
	r = vdso_size(start, &file.image_size);
	if (r < 0)
		return r;
	file.image = (const void *)start;
	r = elf_file_open_memory(file.image, file.image_size, &elf);
	if (r < 0)
		return r;
	r = module_file_describe(&file, elf);
	if (r < 0)
		return r;
	*ret = file;
	file = (struct module_file){ .fd = -1 };
	return 0;
}
