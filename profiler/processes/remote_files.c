/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/processes/remote_files.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "profiler/base/clock.h"

/* How long a file may take: much for a server, little for who waits for its profile. */
#define DEADLINE_MS 2000
/* A file system that let a deadline pass is not asked again for this long. */
#define BAN_NS (60 * 1000000000ull)
#define CHILDREN_MAX 16
#define BYTES_MAX (64u << 20)

/* Of a child that was not seen to end. */
struct remote_child {
	pid_t pid;		/* 0: it has ended */
	uint64_t device;
	uint64_t until_ns;	/* its device is banned; 0: it was in time */
};

struct remote_files {
	struct remote_child children[CHILDREN_MAX];
	size_t bytes;
};

/* What a child says, in one write. */
struct child_answer {
	int error;
	uint64_t device, inode, mtime_ns, size;
};

struct remote_files *remote_files_new(void)
{
	return calloc(1, sizeof(struct remote_files));
}

struct remote_files *remote_files_free(struct remote_files *files)
{
	for (size_t i = 0; files && i < CHILDREN_MAX; i++)
		if (files->children[i].pid)
			waitpid(files->children[i].pid, NULL, WNOHANG);
	free(files);
	return NULL;
}

size_t remote_files_bytes(const struct remote_files *files)
{
	return files->bytes;
}

/* ---- which file systems ---- */

static bool type_is_remote(const char *type)
{
	static const char *const types[] = { "nfs", "nfs4", "cifs", "smb3", "9p", "ceph", "afs",
					     "virtiofs", "lustre", "glusterfs", "gfs2", "ocfs2" };

	/* "fuse.sshfs", "fuseblk" */
	if (!strncmp(type, "fuse", 4))
		return strcmp(type, "fusectl") != 0;
	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		if (!strcmp(type, types[i]))
			return true;
	return false;
}

/* One line of mountinfo (proc(5)). */
struct mount {
	uint64_t device;
	char *point, *type;
};

/* Spaces and the like are octal there. In place. */
static void unescape(char *text)
{
	char *to = text;
	unsigned int code;

	while (*text) {
		if (*text == '\\' && sscanf(text, "\\%3o", &code) == 1) {
			*to++ = (char)code;
			text += 4;
		} else {
			*to++ = *text++;
		}
	}
	*to = 0;
}

static bool mount_parse(char *line, struct mount *ret)
{
	unsigned int major, minor;
	char *rest = strstr(line, " - "), *field, *save;

	if (!rest || sscanf(line, "%*u %*u %u:%u", &major, &minor) != 2)
		return false;
	*rest = 0;
	strtok_r(line, " ", &save);
	for (int i = 0; i < 4; i++)
		field = strtok_r(NULL, " ", &save);
	if (!field)
		return false;
	ret->device = makedev(major, minor);
	ret->point = field;
	unescape(ret->point);
	ret->type = strtok_r(rest + 3, " ", &save);
	return ret->type != NULL;
}

/* Whether @path is @point or below it. */
static bool is_below(const char *path, const char *point)
{
	size_t size = strlen(point);

	if (size && point[size - 1] == '/')
		size--;
	return !strncmp(path, point, size) && (path[size] == '/' || !path[size]);
}

static FILE *mounts_open(uint32_t pid)
{
	char path[64] = "/proc/self/mountinfo";

	if (pid)
		snprintf(path, sizeof(path), "/proc/%u/mountinfo", pid);
	return fopen(path, "re");
}

bool remote_files_has_path(uint32_t pid, const char *path)
{
	_cleanup_fclose_ FILE *file = mounts_open(pid);
	_cleanup_free_ char *line = NULL;
	size_t size = 0, longest = 0;
	bool remote = false;
	struct mount mount;

	while (file && getline(&line, &size, file) > 0) {
		if (!mount_parse(line, &mount) || !is_below(path, mount.point))
			continue;
		/* Of several at one place the last is on top. */
		if (strlen(mount.point) < longest)
			continue;
		longest = strlen(mount.point);
		remote = type_is_remote(mount.type);
	}
	return remote;
}

static bool has_device(uint32_t pid, uint64_t device)
{
	_cleanup_fclose_ FILE *file = mounts_open(pid);
	_cleanup_free_ char *line = NULL;
	size_t size = 0;
	struct mount mount;

	while (file && getline(&line, &size, file) > 0)
		if (mount_parse(line, &mount) && mount.device == device)
			return type_is_remote(mount.type);
	return false;
}

/* By what is known without asking the server. */
static int handle_device(int handle, uint64_t *ret)
{
	struct statx st;

	if (statx(handle, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &st) < 0)
		return -errno;
	*ret = makedev(st.stx_dev_major, st.stx_dev_minor);
	return 0;
}

bool remote_files_has_handle(uint32_t pid, int handle)
{
	uint64_t device;

	/* Disks have numbers of their own, and need no look at the mounts. */
	if (handle_device(handle, &device) < 0 || major(device))
		return false;
	return has_device(pid, device);
}

/* ---- the child: calls only what a child of a process with threads may ---- */

static int child_copy(int fd, int memory_fd, uint64_t bytes_max, struct child_answer *ret)
{
	struct stat st;
	ssize_t got;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -ENOEXEC;
	if ((uint64_t)st.st_size > bytes_max)
		return -EFBIG;
	*ret = (struct child_answer){
		.device = st.st_dev,
		.inode = st.st_ino,
		.mtime_ns = (uint64_t)st.st_mtim.tv_sec * 1000000000 +
			    (uint64_t)st.st_mtim.tv_nsec,
		.size = (uint64_t)st.st_size,
	};
	do {
		got = sendfile(memory_fd, fd, NULL, 1 << 20);
	} while (got > 0);
	return got < 0 ? -errno : 0;
}

static _Noreturn void child_run(const char *path, int memory_fd, int answer_fd, int handle,
				uint64_t bytes_max)
{
	struct child_answer answer = { 0 };
	int fd;

	/*
	 * Stuck, it would keep what we have open from being closed: programs would stay
	 * attached. All but three go.
	 */
	memory_fd = fcntl(memory_fd, F_DUPFD, 3);
	answer_fd = fcntl(answer_fd, F_DUPFD, 3);
	if (handle >= 0)
		dup2(handle, 2);
	dup2(memory_fd, 0);
	dup2(answer_fd, 1);
	syscall(SYS_close_range, handle >= 0 ? 3 : 2, ~0u, 0);
	/* A handle cannot be read from, but names the file. */
	fd = open(handle >= 0 ? "/proc/self/fd/2" : path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	answer.error = fd < 0 ? -errno : child_copy(fd, 0, bytes_max, &answer);
	(void)!write(1, &answer, sizeof(answer));
	_exit(0);
}

/* ---- its parent ---- */

static void children_reap(struct remote_files *files)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (files->children[i].pid &&
		    waitpid(files->children[i].pid, NULL, WNOHANG) != 0)
			files->children[i].pid = 0;
}

static bool device_is_banned(const struct remote_files *files, uint64_t device, uint64_t now_ns)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++) {
		const struct remote_child *child = &files->children[i];

		if (child->until_ns && child->device == device &&
		    (child->pid || now_ns < child->until_ns))
			return true;
	}
	return false;
}

static struct remote_child *child_find_free(struct remote_files *files, uint64_t now_ns)
{
	for (size_t i = 0; i < CHILDREN_MAX; i++)
		if (!files->children[i].pid && files->children[i].until_ns <= now_ns)
			return &files->children[i];
	return NULL;
}

static int answer_wait(int fd, struct child_answer *ret)
{
	struct pollfd wait = { .fd = fd, .events = POLLIN };
	int r;

	do {
		r = poll(&wait, 1, DEADLINE_MS);
	} while (r < 0 && errno == EINTR);
	if (r <= 0)
		return r ? -errno : -ETIMEDOUT;
	if (read(fd, ret, sizeof(*ret)) != sizeof(*ret))
		return -EIO;
	return ret->error;
}

static int child_start(const char *path, int memory_fd, int handle, uint64_t bytes_max,
		       struct remote_child *ret, int *ret_fd)
{
	_cleanup_close_ int read_fd = -1;
	int ends[2];
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return -errno;
	read_fd = ends[0];
	pid = fork();
	if (!pid)
		child_run(path, memory_fd, ends[1], handle, bytes_max);
	close(ends[1]);
	if (pid < 0)
		return -errno;
	ret->pid = pid;
	*ret_fd = take_fd(read_fd);
	return 0;
}

/* Copy it into @memory_fd. */
static int file_copy(struct remote_files *files, const char *path, int handle, int memory_fd,
		     struct child_answer *ret)
{
	uint64_t device = 0, now_ns = clock_monotonic_ns();
	_cleanup_close_ int answer_fd = -1;
	struct remote_child *child;
	int r;

	/* Of a path only its server knows the device: all paths together are one. */
	if (handle >= 0 && handle_device(handle, &device) < 0)
		return -errno;
	children_reap(files);
	if (device_is_banned(files, device, now_ns))
		return -ETIMEDOUT;
	child = child_find_free(files, now_ns);
	if (!child)
		return -ETIMEDOUT;
	*child = (struct remote_child){ .device = device };
	r = child_start(path, memory_fd, handle, BYTES_MAX - files->bytes, child, &answer_fd);
	if (r < 0)
		return r;
	r = answer_wait(answer_fd, ret);
	if (r == -ETIMEDOUT) {
		child->until_ns = clock_monotonic_ns() + BAN_NS;
		kill(child->pid, SIGKILL);
	}
	return r;
}

int remote_files_read(struct remote_files *files, const char *path, int handle,
		      struct remote_file *ret)
{
	_cleanup_close_ int memory_fd = memfd_create("wick-remote-file", MFD_CLOEXEC);
	struct child_answer answer = { 0 };
	int r;

	if (memory_fd < 0)
		return -errno;
	r = file_copy(files, path, handle, memory_fd, &answer);
	if (r < 0)
		return r;
	files->bytes += answer.size;
	*ret = (struct remote_file){ .fd = take_fd(memory_fd), .device = answer.device,
				     .inode = answer.inode, .mtime_ns = answer.mtime_ns };
	return 0;
}
