/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/kernel_types/tracepoint_format.h"

#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <linux/magic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/vfs.h>

#include "profiler/base/alloc.h"
#include "profiler/base/strbuf.h"
#include "profiler/sources/syscalls.h"

#define PATH_BYTES 256
#define READ_BYTES 4096
/* All names of a kernel with every driver are a tenth of it. */
#define FILE_BYTES_MAX ((size_t)4 << 20)

static const char *const mount_points[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };

/* What is there may be the empty folder that it is mounted on elsewhere. */
static int open_mounted(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs statfs;

	if (fd < 0)
		return -errno;
	if (fstatfs(fd, &statfs) < 0)
		return -errno;
	return statfs.f_type == TRACEFS_MAGIC ? take_fd(fd) : -ENOENT;
}

static int mount_own(void)
{
	_cleanup_close_ int context = fsopen("tracefs", FSOPEN_CLOEXEC);
	int fd;

	if (context < 0)
		return -errno;
	if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	fd = fsmount(context, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	return fd < 0 ? -errno : fd;
}

int tracefs_open(struct error *err)
{
	int r, denied = 0;

	for (size_t i = 0; i < ARRAY_SIZE(mount_points); i++) {
		r = open_mounted(mount_points[i]);
		if (r >= 0)
			return r;
		if (r == -EACCES)
			denied = r;
	}
	r = mount_own();
	if (r >= 0)
		return r;
	if (denied || r == -EPERM)
		return error_set(err, ERROR_NOT_SUPPORTED, denied ? denied : r,
				 "cannot read tracefs: %s: run as root",
				 strerror(denied ? EACCES : EPERM));
	return error_set(err, ERROR_NOT_SUPPORTED, r,
			 "cannot mount tracefs: %s: a kernel with CONFIG_TRACING has it",
			 strerror(-r));
}

/* Its size is not known before it was read. */
static int read_file(int folder, const char *path, struct strbuf *buf)
{
	_cleanup_close_ int fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
	char bytes[READ_BYTES];
	ssize_t size;

	if (fd < 0)
		return errno == ENOTDIR ? -ENOENT : -errno;
	while ((size = read(fd, bytes, sizeof(bytes))) > 0) {
		strbuf_add(buf, bytes, size);
		if (buf->size > FILE_BYTES_MAX)
			return -EBADMSG;
	}
	return size < 0 ? -errno : buf->error;
}

static bool is_name(const char *name)
{
	return *name && !strchr(name, '/') && strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
}

int tracepoint_format_read(int tracefs, const char *category, const char *name,
			   struct tracepoint_format **ret)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	char path[PATH_BYTES];
	int r;

	if (!is_name(category) || !is_name(name))
		return -ENOENT;
	r = snprintf(path, sizeof(path), "events/%s/%s/format", category, name);
	if ((size_t)r >= sizeof(path))
		return -ENOENT;
	r = read_file(tracefs, path, &text);
	return r < 0 ? r : tracepoint_format_parse(text.data, text.size, ret);
}

int tracepoint_format_read_named(int tracefs, const char *name, struct tracepoint_format **ret)
{
	const char *colon = strchr(name, ':');
	char category[PATH_BYTES];

	if (!colon || (size_t)(colon - name) >= sizeof(category))
		return -ENOENT;
	snprintf(category, sizeof(category), "%.*s", (int)(colon - name), name);
	return tracepoint_format_read(tracefs, category, colon + 1, ret);
}

int tracepoint_format_read_syscall(int tracefs, const char *name, struct tracepoint_format **ret)
{
	char entry[PATH_BYTES];

	snprintf(entry, sizeof(entry), "sys_enter_%s", syscall_kernel_name(name));
	return tracepoint_format_read(tracefs, "syscalls", entry, ret);
}

struct names {
	char **names;
	size_t count, capacity;
};

void tracepoint_names_free(char **names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		free(names[i]);
	free(names);
}

static void names_done(struct names *names)
{
	tracepoint_names_free(names->names, names->count);
}

static int names_add(struct names *names, const char *name)
{
	char *copy;

	if (alloc_grow(&names->names, &names->capacity, names->count + 1) < 0)
		return -ENOMEM;
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	names->names[names->count++] = copy;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* A line of available_events, "sched:sched_switch". */
static int add_matching(struct names *names, char *line, const char *category_glob,
			const char *name_glob)
{
	char *colon = strchr(line, ':');
	bool matches;

	if (!colon)
		return 0;
	*colon = '\0';
	matches = fnmatch(category_glob, line, 0) == 0 && fnmatch(name_glob, colon + 1, 0) == 0;
	*colon = ':';
	return matches ? names_add(names, line) : 0;
}

int tracepoint_names(int tracefs, const char *category_glob, const char *name_glob, char ***ret,
		     size_t *ret_count)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	_cleanup_(names_done) struct names names = { 0 };
	char *rest, *line;
	int r;

	/* One file, instead of a folder for each of thousands. */
	r = read_file(tracefs, "available_events", &text);
	if (r < 0)
		return r;
	rest = text.size ? text.data : NULL;
	while ((line = strsep(&rest, "\n"))) {
		r = add_matching(&names, line, category_glob, name_glob);
		if (r < 0)
			return r;
	}
	if (names.count)
		qsort(names.names, names.count, sizeof(names.names[0]), compare_names);
	*ret_count = names.count;
	names.count = 0;
	*ret = take_ptr(names.names);
	return 0;
}
