/* BUILD: -pthread */
/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * endings.c - sends signals and ends processes, a known number of times. Usage:
 *
 *	endings kills N		N times SIGUSR1 to a child called "receiver", after some SIGUSR2
 *	endings exits N		N children each that end with status 0, with 3 while they have threads,
 *				that abort, are killed by SIGTERM, by SIGKILL, and that crash in a
 *				thread
 *	endings segv		a bad address in crash_here()
 *	endings abort		abort() in give_up()
 */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include "work.h"

static volatile int *volatile nowhere;

NOINLINE static void crash_here(void)
{
	*nowhere = 1;
	KEEP_FRAME();
}

NOINLINE static void before_the_crash(void)
{
	crash_here();
	KEEP_FRAME();
}

NOINLINE static void give_up(void)
{
	abort();
}

NOINLINE static void send_signals(pid_t pid, int count)
{
	for (int i = 0; i < count; i++)
		kill(pid, SIGUSR1);
	KEEP_FRAME();
}

static void *sleep_for_ever(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static void *crash_thread(void *unused)
{
	before_the_crash();
	return unused;
}

static void threads_crash(void)
{
	pthread_t thread;

	for (int i = 0; i < 2; i++)
		pthread_create(&thread, NULL, sleep_for_ever, NULL);
	pthread_create(&thread, NULL, crash_thread, NULL);
	pthread_join(thread, NULL);
}

/* With threads of its own, all of which end at once. */
static void threads_exit(void)
{
	pthread_t thread;

	for (int i = 0; i < 3; i++)
		pthread_create(&thread, NULL, sleep_for_ever, NULL);
	exit(3);
}

/* A child that ends as it likes, or that waits for the signal. */
static void child(void (*end)(void), int number)
{
	pid_t pid = fork();

	if (!pid) {
		if (end)
			end();
		else if (!number)
			_exit(0);
		sleep_for_ever(NULL);
	}
	if (number)
		kill(pid, number);
	waitpid(pid, NULL, 0);
}

/* Until the unwind tables should be there. */
NOINLINE static void warm_up(pid_t pid)
{
	for (int i = 0; i < 25; i++) {
		kill(pid, SIGUSR2);
		usleep(20000);
	}
}

static void kills(int count)
{
	pid_t pid;

	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, SIG_IGN);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "receiver");
		sleep_for_ever(NULL);
	}
	usleep(100000);
	warm_up(pid);
	send_signals(pid, count);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void exits(int count)
{
	for (int i = 0; i < count; i++) {
		child(NULL, 0);
		child(threads_exit, 0);
		child(give_up, 0);
		child(NULL, SIGTERM);
		child(NULL, SIGKILL);
		child(threads_crash, 0);
	}
	/* The kernel frees the last of them a moment later. */
	usleep(200000);
}

int main(int argc, char **argv)
{
	const struct rlimit no_core = { 0, 0 };
	const char *what = argc > 1 ? argv[1] : "";
	int count = argc > 2 ? atoi(argv[2]) : 1;

	setrlimit(RLIMIT_CORE, &no_core);
	if (!strcmp(what, "kills"))
		kills(count);
	else if (!strcmp(what, "exits"))
		exits(count);
	else if (!strcmp(what, "segv"))
		before_the_crash();
	else
		give_up();
	return 0;
}
