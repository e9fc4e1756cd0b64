/* SPDX-License-Identifier: BSD-2-Clause */
#include "formats/sink.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "formats/sink_impl.h"
#include "profiler/base/number.h"

#define FILE_BUFFER_BYTES (64 << 10)
#define FILE_LINKS_MAX 40 /* as in the kernel */
#define FILE_NAME_TRIES 100

struct sink_file {
	struct sink sink;
	int fd;
	char *path; /* to rename to; NULL when written in place */
	char *temporary; /* exists as long as this is set */
	size_t pending; /* bytes in @buffer */
	char buffer[FILE_BUFFER_BYTES];
};

static int fd_write_all(int fd, const char *bytes, size_t size)
{
	ssize_t n;

	while (size) {
		n = write(fd, bytes, size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		bytes += n;
		size -= (size_t)n;
	}
	return 0;
}

static int file_flush(struct sink_file *file)
{
	size_t size = file->pending;

	file->pending = 0;
	return fd_write_all(file->fd, file->buffer, size);
}

static int sink_file_write(struct sink *sink, const void *bytes, size_t size)
{
	struct sink_file *file = (struct sink_file *)sink;
	int r;

	if (size > sizeof(file->buffer) - file->pending) {
		r = file_flush(file);
		if (r < 0)
			return r;
	}
	if (size >= sizeof(file->buffer))
		return fd_write_all(file->fd, bytes, size);
	memcpy(file->buffer + file->pending, bytes, size);
	file->pending += size;
	return 0;
}

static int sink_file_finish(struct sink *sink)
{
	struct sink_file *file = (struct sink_file *)sink;
	int r = file_flush(file);

	if (r < 0)
		return r;
	/* Network file systems tell only here that the disk is full. */
	if (close(take_fd(file->fd)) < 0)
		return -errno;
	if (!file->path)
		return 0;
	if (rename(file->temporary, file->path) < 0)
		return -errno;
	free(take_ptr(file->temporary));
	return 0;
}

static void sink_file_free(struct sink *sink)
{
	struct sink_file *file = (struct sink_file *)sink;

	if (file->fd >= 0)
		close(file->fd);
	if (file->temporary)
		unlink(file->temporary);
	free(file->temporary);
	free(file->path);
	free(file);
}

static const struct sink_ops sink_file_ops = {
	.write = sink_file_write,
	.finish = sink_file_finish,
	.free = sink_file_free,
};

/*
 * The descriptor that @path is a name for, or -1. Opening such a name anew
 * would give another offset in a redirected file, and fails for a socket.
 */
static int path_descriptor(const char *path)
{
	static const char *const folders[] = { "/dev/fd/", "/proc/self/fd/" };
	uint64_t fd;
	size_t i;

	if (!strcmp(path, "-") || !strcmp(path, "/dev/stdout"))
		return STDOUT_FILENO;
	if (!strcmp(path, "/dev/stderr"))
		return STDERR_FILENO;
	for (i = 0; i < ARRAY_SIZE(folders); i++) {
		if (!strncmp(path, folders[i], strlen(folders[i])) &&
		    !number_parse_u64(path + strlen(folders[i]), INT_MAX, &fd))
			return (int)fd;
	}
	return -1;
}

/* The folder of @path with its slash, "" when there is none. */
static char *path_folder(const char *path)
{
	const char *slash = strrchr(path, '/');

	return strndup(path, slash ? (size_t)(slash - path) + 1 : 0);
}

/* Follow @path while it is a symbolic link, also to a file that does not exist yet. */
static int path_follow(const char *path, char **ret)
{
	_cleanup_free_ char *at = strdup(path);
	char link[PATH_MAX];
	ssize_t size;
	int i;

	for (i = 0; i < FILE_LINKS_MAX && at; i++) {
		_cleanup_free_ char *folder = NULL;
		char *next;

		size = readlink(at, link, sizeof(link) - 1);
		if (size < 0 && (errno == EINVAL || errno == ENOENT)) {
			*ret = take_ptr(at);
			return 0;
		}
		if (size < 0)
			return -errno;
		link[size] = '\0';
		folder = link[0] == '/' ? strdup("") : path_folder(at);
		if (!folder || asprintf(&next, "%s%s", folder, link) < 0)
			return -ENOMEM;
		free(at);
		at = next;
	}
	return at ? -ELOOP : -ENOMEM;
}

/*
 * A new file beside @file->path. Opened with 0666, so that the umask decides
 * about a new file's mode, which mkstemp() would not allow.
 */
static int file_open_temporary(struct sink_file *file)
{
	_cleanup_free_ char *folder = path_folder(file->path);
	uint64_t number;
	int i;

	if (!folder)
		return -ENOMEM;
	for (i = 0; i < FILE_NAME_TRIES; i++) {
		_cleanup_free_ char *name = NULL;

		if (getrandom(&number, sizeof(number), 0) != sizeof(number))
			return -EIO;
		if (asprintf(&name, "%s.wick-%016" PRIx64 ".tmp", folder, number) < 0) {
			name = NULL;
			return -ENOMEM;
		}
		file->fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (file->fd >= 0) {
			file->temporary = take_ptr(name);
			return 0;
		}
		if (errno != EEXIST)
			return -errno;
	}
	return -EEXIST;
}

/* @old: what is replaced, or NULL. */
static int file_open_beside(struct sink_file *file, const char *path, const struct stat *old)
{
	int r;

	r = path_follow(path, &file->path);
	if (r < 0)
		return r;
	/* A rename needs no right to write to the file itself; whoever protected it meant it. */
	if (old && faccessat(AT_FDCWD, file->path, W_OK, AT_EACCESS) < 0)
		return -errno;
	r = file_open_temporary(file);
	if (r < 0 || !old)
		return r;
	/*
	 * Only root can give a file away, and not to a user unknown in its
	 * namespace (EINVAL); else it becomes the writer's, as with any editor.
	 */
	if (fchown(file->fd, old->st_uid, old->st_gid) < 0 && errno != EPERM && errno != EINVAL)
		return -errno;
	return fchmod(file->fd, old->st_mode & 0777) < 0 ? -errno : 0;
}

static int file_open(struct sink_file *file, const char *path)
{
	int fd = path_descriptor(path);
	struct stat st;

	if (!*path) {
		return -ENOENT;
	} else if (fd >= 0) {
		file->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	} else if (stat(path, &st) < 0) {
		return errno == ENOENT ? file_open_beside(file, path, NULL) : -errno;
	} else if (S_ISDIR(st.st_mode)) {
		return -EISDIR;
	} else if (S_ISREG(st.st_mode)) {
		return file_open_beside(file, path, &st);
	} else {
		file->fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	}
	return file->fd < 0 ? -errno : 0;
}

int sink_open_file(const char *path, struct sink **ret)
{
	struct sink_file *file = malloc(sizeof(*file));
	int r;

	if (!file)
		return -ENOMEM;
	file->sink = (struct sink){ .ops = &sink_file_ops };
	file->fd = -1;
	file->path = NULL;
	file->temporary = NULL;
	file->pending = 0;
	r = file_open(file, path);
	if (r < 0) {
		sink_file_free(&file->sink);
		return r;
	}
	*ret = &file->sink;
	return 0;
}
