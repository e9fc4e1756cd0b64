/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * storm.c - forks and executes itself at a rate. Usage: storm SECONDS RATE
 * A child (storm --child) spins a few milliseconds below child_work().
 */
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "work.h"

#define BURST_MAX 32

extern char **environ;

NOINLINE static void child_work(void)
{
	double end = work_now() + 0.004;

	while (work_now() < end)
		work_spin(1000);
	KEEP_FRAME();
}

static void start(char *self, int number)
{
	char *arguments[] = { self, "--child", NULL };
	pid_t pid;

	/* Every third by vfork (posix_spawn), the others by fork, one in two of which executes. */
	if (number % 3 == 0) {
		posix_spawn(&pid, self, NULL, NULL, arguments, environ);
		return;
	}
	pid = fork();
	if (pid)
		return;
	if (number % 3 == 1)
		execv(self, arguments);
	child_work();
	_exit(0);
}

int main(int argc, char **argv)
{
	double begin = work_now(), seconds = argc > 1 ? atof(argv[1]) : 1;
	double rate = argc > 2 ? atof(argv[2]) : 200;
	int started = 0;

	if (argc > 1 && !strcmp(argv[1], "--child")) {
		child_work();
		return 0;
	}
	/* Who started us may be killed, and a storm must not outlive the test. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (work_now() < begin + seconds) {
		int due = (work_now() - begin) * rate;

		/* Where the machine is too slow for the rate, what is missed is not made up for. */
		if (due - started > BURST_MAX)
			started = due - BURST_MAX;
		while (started < due)
			start(argv[0], started++);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		usleep(1000);
	}
	while (wait(NULL) > 0)
		;
	printf("%d\n", started);
	return 0;
}
