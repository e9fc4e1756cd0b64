/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * security.c - executes, opens files and changes who it is, a known number of times.
 *
 *	security execs N		executes itself as "security end I", N times
 *	security opens N FOLDER		creates FOLDER/file-I, or opens FOLDER/none-I, which is not there
 *					(each third), N times
 *	security rights			in a child of its own each: becomes nobody and cannot go back; is
 *					traced; has a mount namespace of its own
 *
 * Linked statically, so that nothing else is opened. Prints what it did.
 */
/* BUILD: -static */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

static int run_execs(long n)
{
	long ended = 0;

	for (long i = 0; i < n; i++) {
		char number[24];
		char *const words[] = { "security", "end", number, NULL };
		int status;
		pid_t pid;

		snprintf(number, sizeof(number), "%ld", i);
		pid = vfork();
		if (!pid) {
			execv("/proc/self/exe", words);
			_exit(127);
		}
		ended += waitpid(pid, &status, 0) == pid && !status;
	}
	printf("execs %ld\n", ended);
	return 0;
}

static int run_opens(long n, const char *folder)
{
	long opened = 0, failed = 0;

	for (long i = 0; i < n; i++) {
		char path[4096];
		int fd;

		snprintf(path, sizeof(path), "%s/%s-%ld", folder, i % 3 ? "file" : "none", i);
		fd = i % 3 ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600) :
			     open(path, O_RDONLY);
		opened += fd >= 0;
		failed += fd < 0 && errno == ENOENT;
		if (fd >= 0)
			close(fd);
	}
	printf("opens %ld %ld\n", opened, failed);
	return 0;
}

static int become_nobody(void)
{
	if (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY))
		return 1;
	return setuid(0) == -1 && errno == EPERM ? 0 : 1;
}

static int be_traced(void)
{
	return ptrace(PTRACE_TRACEME, 0, NULL, NULL) ? 1 : 0;
}

static int leave_mounts(void)
{
	return unshare(CLONE_NEWNS) ? 1 : 0;
}

static int run_rights(void)
{
	static int (*const acts[])(void) = { become_nobody, be_traced, leave_mounts };
	int done = 0;

	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++) {
		int status;
		pid_t pid = fork();

		if (!pid)
			_exit(acts[i]());
		done += waitpid(pid, &status, 0) == pid && !status;
	}
	printf("rights %d\n", done);
	return 0;
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "";
	long n = argc > 2 ? atol(argv[2]) : 0;

	if (!strcmp(mode, "end"))
		return 0;
	if (!strcmp(mode, "execs"))
		return run_execs(n);
	if (!strcmp(mode, "opens") && argc > 3)
		return run_opens(n, argv[3]);
	if (!strcmp(mode, "rights"))
		return run_rights();
	return 2;
}
