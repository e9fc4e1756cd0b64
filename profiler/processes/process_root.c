/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/processes/process_root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "profiler/processes/remote_files.h"

/* Whether /proc/@a/@name and /proc/@b/@name are the same; "self" is us. */
static bool same_in_proc(const char *a, const char *b, const char *name)
{
	char path[64];
	struct stat x, y;

	snprintf(path, sizeof(path), "/proc/%s/%s", a, name);
	if (stat(path, &x) < 0)
		return false;
	snprintf(path, sizeof(path), "/proc/%s/%s", b, name);
	return stat(path, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static int root_open(uint32_t pid)
{
	char number[16], path[64];
	_cleanup_close_ int fd = -1;

	snprintf(number, sizeof(number), "%u", pid);
	snprintf(path, sizeof(path), "/proc/%u/root", pid);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -ESRCH;
	if (same_in_proc(number, "self", "ns/mnt") && same_in_proc(number, "self", "root"))
		return -ENOENT;
	return remote_files_has_path(pid, "/") ? -ENOENT : take_fd(fd);
}

int process_root_open(const struct process *process)
{
	uint32_t pids[PROCESS_ANCESTORS + 1] = { process->pid };
	int fd = -ESRCH;

	memcpy(pids + 1, process->ancestors, sizeof(process->ancestors));
	for (size_t i = 0; i < ARRAY_SIZE(pids) && pids[i] && fd == -ESRCH; i++)
		fd = root_open(pids[i]);
	return fd == -ESRCH ? -ENOENT : fd;
}
