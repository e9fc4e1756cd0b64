/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cost.c - what a command costs. Usage: cost FILE COMMAND [ARGUMENT]...
 *
 * Writes its CPU seconds and its peak KiB to FILE and ends as it does. A program of its own,
 * because the peak that the kernel counts begins with that of who forks.
 */
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static double seconds(struct timeval t)
{
	return t.tv_sec + t.tv_usec / 1e6;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	int status;
	FILE *file;
	pid_t pid;

	if (argc < 3)
		return 2;
	pid = fork();
	if (!pid) {
		execvp(argv[2], argv + 2);
		perror(argv[2]);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) < 0)
		return 1;
	file = fopen(argv[1], "we");
	if (!file)
		return 1;
	fprintf(file, "%.6f %ld\n", seconds(usage.ru_utime) + seconds(usage.ru_stime),
		usage.ru_maxrss);
	fclose(file);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
