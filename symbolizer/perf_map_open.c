/* SPDX-License-Identifier: BSD-2-Clause */
/* perf_map_open.c - the file of perf_map.h, found and trusted. */
#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "symbolizer/perf_map.h"

/* What /proc/PID/status says of a process. */
struct owner {
	uid_t real, effective;
	pid_t inner_pid;	/* in its own PID namespace, which is the one its map is named by */
};

static void parse_status_line(const char *line, struct owner *owner)
{
	unsigned int real, effective;
	const char *last;

	if (sscanf(line, "Uid:\t%u\t%u", &real, &effective) == 2) {
		owner->real = real;
		owner->effective = effective;
	} else if (!strncmp(line, "NSpid:", 6)) {
		/* From the outermost namespace to the innermost. */
		last = strrchr(line, '\t');
		if (last)
			owner->inner_pid = atoi(last + 1);
	}
}

static int read_owner(pid_t pid, struct owner *ret)
{
	struct owner owner = { .real = (uid_t)-1, .effective = (uid_t)-1, .inner_pid = pid };
	char path[sizeof("/proc/-2147483648/status")], line[512];
	_cleanup_fclose_ FILE *f = NULL;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	if (!f)
		return errno == ENOENT ? -ESRCH : -errno;
	while (fgets(line, sizeof(line), f))
		parse_status_line(line, &owner);
	if (owner.real == (uid_t)-1)
		return -ESRCH;
	*ret = owner;
	return 0;
}

/*
 * Links, as of /tmp, are followed inside the root of the process only: an
 * absolute one would otherwise lead to our files. A pipe is not waited for.
 */
static int open_inside(pid_t pid, const char *path)
{
	struct open_how how = {
		.flags = O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	char root[sizeof("/proc/-2147483648/root")];
	_cleanup_close_ int root_fd = -1;
	long fd;

	snprintf(root, sizeof(root), "/proc/%d/root", pid);
	root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root_fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	fd = syscall(SYS_openat2, root_fd, path, &how, sizeof(how));
	if (fd < 0)
		return errno == ELOOP ? -EPERM : -errno;
	return (int)fd;
}

static int check_file(int fd, const struct owner *owner, size_t *ret_size)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EPERM;
	if (st.st_uid && st.st_uid != owner->real && st.st_uid != owner->effective)
		return -EPERM;
	if (st.st_size > (off_t)PERF_MAP_BYTES_MAX)
		return -EFBIG;
	*ret_size = (size_t)st.st_size;
	return 0;
}

static int read_all(int fd, char *buffer, size_t size, size_t *ret_used)
{
	size_t used = 0;
	ssize_t got;

	while (used < size) {
		got = read(fd, buffer + used, size - used);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			break;
		used += (size_t)got;
	}
	*ret_used = used;
	return 0;
}

int perf_map_open_fd(pid_t pid)
{
	char path[sizeof("tmp/perf--2147483648.map")];
	_cleanup_close_ int fd = -1;
	struct owner owner;
	size_t size;
	int r;

	r = read_owner(pid, &owner);
	if (r < 0)
		return r;
	snprintf(path, sizeof(path), "tmp/perf-%d.map", owner.inner_pid);
	fd = open_inside(pid, path);
	if (fd < 0)
		return fd;
	r = check_file(fd, &owner, &size);
	return r < 0 ? r : take_fd(fd);
}

int perf_map_read(int fd, struct perf_map **ret)
{
	_cleanup_free_ char *text = NULL;
	size_t used = 0;
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size > (off_t)PERF_MAP_BYTES_MAX)
		return -EFBIG;
	text = malloc((size_t)st.st_size + 1);
	if (!text)
		return -ENOMEM;
	/* What is written from now on is for the next snapshot. */
	r = read_all(fd, text, (size_t)st.st_size, &used);
	return r < 0 ? r : perf_map_parse(text, used, ret);
}

int perf_map_open(pid_t pid, struct perf_map **ret)
{
	_cleanup_close_ int fd = perf_map_open_fd(pid);

	return fd < 0 ? fd : perf_map_read(fd, ret);
}
