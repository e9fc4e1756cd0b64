/* SPDX-License-Identifier: BSD-2-Clause */
/* BUILD: -pthread */
/*
 * calls.c - system calls of known number, length and result. Usage: calls FILE
 * Writes how many nanoseconds its naps took, and whether 32-bit calls work here.
 * "calls storm SECONDS PER_SECOND" makes cheap calls at a rate.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "work.h"

#define READS 2000
#define FAILURES 500
#define NAPS 100
#define NAP_US 2000
#define SIGNALS 50
#define CHILDREN 20	/* of each kind */
#define CHILD_WRITES 7
#define PAUSE_MS 200
#define OLD_CALLS 30

extern char **environ;

static char *self;

/* None of these calls is one that the dynamic loader makes, too, or not with that result. */

NOINLINE static void reading(void)
{
	char bytes[16];
	struct iovec vector = { bytes, sizeof(bytes) };
	int file = open(self, O_RDONLY | O_CLOEXEC);

	for (int i = 0; i < READS; i++)
		if (preadv(file, &vector, 1, 0) != sizeof(bytes))
			exit(1);
	close(file);
	KEEP_FRAME();
}

NOINLINE static void child_writing(void)
{
	int file = open("/dev/null", O_WRONLY | O_CLOEXEC);

	for (int i = 0; i < CHILD_WRITES; i++)
		if (pwrite(file, "", 1, 0) != 1)
			_exit(1);
	close(file);
	KEEP_FRAME();
}

NOINLINE static void failing(void)
{
	for (int i = 0; i < FAILURES; i++)
		if (openat(AT_FDCWD, "/dev/null/nowhere", O_RDONLY) >= 0)
			exit(1);
	KEEP_FRAME();
}

/* How long the naps took, by our own clock. */
NOINLINE static double napping(void)
{
	const struct timespec nap = { .tv_nsec = NAP_US * 1000 };
	double sum = 0;

	for (int i = 0; i < NAPS; i++) {
		double begin = work_now();

		nanosleep(&nap, NULL);
		sum += work_now() - begin;
	}
	return sum;
}

static void on_signal(int number)
{
}

/* Each is taken while it waits, and none before or after. */
NOINLINE static void signalled(void)
{
	sigset_t blocked, none;

	signal(SIGUSR1, on_signal);
	sigemptyset(&none);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	for (int i = 0; i < SIGNALS; i++) {
		raise(SIGUSR1);
		sigsuspend(&none);
	}
	KEEP_FRAME();
}

static void *thread_writes(void *unused)
{
	child_writing();
	return NULL;
}

static void *thread_sleeps(void *unused)
{
	pause();
	return NULL;
}

static void *thread_executes(void *unused)
{
	execl(self, self, "child", NULL);
	return NULL;
}

static void wait_for(pid_t pid)
{
	int status;

	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		exit(1);
}

/* By fork; by fork with a thread that is killed in its call; by vfork and execve. */
static void children(void)
{
	char *arguments[] = { self, "child", NULL };

	for (int i = 0; i < CHILDREN; i++) {
		pthread_t thread;
		pid_t pid = fork();

		if (!pid) {
			if (pthread_create(&thread, NULL, thread_sleeps, NULL))
				_exit(1);
			child_writing();
			_exit(0);
		}
		wait_for(pid);
		if (posix_spawn(&pid, self, NULL, NULL, arguments, environ))
			exit(1);
		wait_for(pid);
		if (pthread_create(&thread, NULL, thread_writes, NULL))
			exit(1);
		pthread_join(thread, NULL);
	}
}

/* A thread that is not the first executes a program, and gets the tid of the first, which sleeps. */
static void thread_children(void)
{
	for (int i = 0; i < CHILDREN; i++) {
		pthread_t thread;
		pid_t pid = fork();

		if (!pid) {
			if (!pthread_create(&thread, NULL, thread_executes, NULL))
				pause();
			_exit(1);
		}
		wait_for(pid);
	}
}

/* getpid() by the 32-bit table, where its number is that of writev() in the other. */
NOINLINE static void old_calls(void)
{
#ifdef __x86_64__
	for (int i = 0; i < OLD_CALLS; i++) {
		long result;

		__asm__ volatile("int $0x80"
				 : "=a"(result)
				 : "a"(20)
				 : "memory", "r8", "r9", "r10", "r11");
		if (result != getpid())
			_exit(1);
	}
#else
	_exit(1);
#endif
	KEEP_FRAME();
}

static int old_calls_work(void)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		old_calls();
		_exit(0);
	}
	return waitpid(pid, &status, 0) == pid && !status;
}

static int storm(double seconds, double rate)
{
	double begin = work_now(), now;
	long made = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while ((now = work_now() - begin) < seconds) {
		if (made > now * rate)
			continue;
		for (int i = 0; i < 10; i++)
			syscall(SYS_getppid);
		made += 10;
	}
	return 0;
}

int main(int argc, char **argv)
{
	double napped;
	FILE *report;
	int old;

	self = argv[0];
	if (argc == 4 && !strcmp(argv[1], "storm"))
		return storm(atof(argv[2]), atof(argv[3]));
	if (argc < 2)
		return 1;
	if (!strcmp(argv[1], "child")) {
		child_writing();
		return 0;
	}
	/* By then its tables are there, and the C library's, asked for by the first: stacks are whole. */
	for (int i = 0; i < 3; i++)
		poll(NULL, 0, PAUSE_MS);
	reading();
	failing();
	napped = napping();
	signalled();
	children();
	thread_children();
	old = old_calls_work();
	report = fopen(argv[1], "we");
	if (!report)
		return 1;
	fprintf(report, "%.0f %d\n", napped * 1e9, old);
	return fclose(report) ? 1 : 0;
}
