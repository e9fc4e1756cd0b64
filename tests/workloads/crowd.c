/* SPDX-License-Identifier: BSD-2-Clause */
/* BUILD: -static */
/*
 * crowd COUNT SECONDS
 *
 * COUNT processes, each of which works for a moment once in ten seconds: together some per cent
 * of a CPU. Says "all" when they are there, or "NUMBER" when there can be no more.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "work.h"

NOINLINE static void member(unsigned int index)
{
	const struct timespec first = { .tv_sec = index % 10,
					.tv_nsec = index * 7919 % 1000 * 1000000 };
	const struct timespec pause = { .tv_sec = 10 };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	nanosleep(&first, NULL);
	for (;;) {
		work_spin(40000);
		nanosleep(&pause, NULL);
	}
}

int main(int argc, char **argv)
{
	unsigned int count = argc > 1 ? atoi(argv[1]) : 100, i;

	for (i = 0; i < count; i++) {
		pid_t pid = fork();

		if (!pid)
			member(i);
		if (pid < 0)
			break;
	}
	if (i == count)
		puts("all");
	else
		printf("%u\n", i);
	fflush(stdout);
	sleep(argc > 2 ? atoi(argv[2]) : 10);
	return 0;
}
