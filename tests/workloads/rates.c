/* SPDX-License-Identifier: BSD-2-Clause */
/* BUILD: -pthread */
/*
 * rates.c - makes events of one kind at a rate, politely (nice 10), and counts them. Usage:
 *
 *	rates KIND SECONDS PER_SECOND FILE
 *
 *	sleep	two threads of one CPU that wake each other by pipes: the kernel's count of how
 *		often they went to sleep
 *	switch	the same: how often they lost the CPU, which one may also do by waking the other
 *	futex	two threads that wait for each other: calls that wait
 *	call	system calls
 *	fault	pages touched for the first time: the kernel's count of minor faults
 *	signal	signals to itself, which ignores them
 *	packet	datagrams to itself: each raises a softirq
 *	disk	blocks read from a disk, past the page cache: each raises an interrupt
 *
 * FILE gets how many there were. Where there is no disk, there are no reads.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "work.h"

#define BATCH 10
#define PAGE_BYTES 4096ul
#define CHUNK_PAGES 4000ul
#define DISK_BLOCKS 256

static double begin, seconds, rate;

/* Whether @made events are not too many yet: waits for it. Returns 0 at the end. */
static int goes_on(long made)
{
	double now;

	while ((now = work_now() - begin) < seconds)
		if (made <= now * rate)
			return 1;
	return 0;
}

static long usage_count(long (*read)(const struct rusage *usage))
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return read(&usage);
}

/* ---- two threads ---- */

static int pipes[2][2];

/* Answers until it is sent an 'e'. */
static void *answer(void *unused)
{
	char byte;

	while (read(pipes[0][0], &byte, 1) == 1 && byte != 'e')
		if (write(pipes[1][1], &byte, 1) != 1)
			break;
	return unused;
}

static void pin_to_one(void)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
}

NOINLINE static void ping_pong(void)
{
	pthread_t thread;
	long made = 0;
	char byte = 'x';

	pin_to_one();
	if (pipe(pipes[0]) || pipe(pipes[1]) || pthread_create(&thread, NULL, answer, NULL))
		exit(1);
	while (goes_on(made))
		for (int i = 0; i < BATCH; i++, made += 2)
			if (write(pipes[0][1], &byte, 1) != 1 || read(pipes[1][0], &byte, 1) != 1)
				exit(1);
	byte = 'e';
	if (write(pipes[0][1], &byte, 1) != 1)
		exit(1);
	pthread_join(thread, NULL);
}

static long sleeps(const struct rusage *usage)
{
	return usage->ru_nvcsw;
}

static long make_sleeps(void)
{
	ping_pong();
	return usage_count(sleeps);
}

static long switches(const struct rusage *usage)
{
	return usage->ru_nvcsw + usage->ru_nivcsw;
}

static long make_switches(void)
{
	ping_pong();
	return usage_count(switches);
}

static int turn;			/* 1: the other thread's; 2: it is to end */
static long waits[2];			/* calls of each */

static void turn_wait(int who, int until_not)
{
	while (__atomic_load_n(&turn, __ATOMIC_ACQUIRE) == until_not) {
		syscall(SYS_futex, &turn, FUTEX_WAIT_PRIVATE, until_not, NULL, NULL, 0);
		waits[who]++;
	}
}

static void turn_give(int next)
{
	__atomic_store_n(&turn, next, __ATOMIC_RELEASE);
	syscall(SYS_futex, &turn, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

static void *take_turns(void *unused)
{
	for (;;) {
		turn_wait(1, 0);
		if (turn == 2)
			return unused;
		turn_give(0);
	}
}

NOINLINE static long make_waits(void)
{
	pthread_t thread;

	pin_to_one();
	if (pthread_create(&thread, NULL, take_turns, NULL))
		exit(1);
	while (goes_on(waits[0] + waits[1]))
		for (int i = 0; i < BATCH; i++) {
			turn_give(1);
			turn_wait(0, 1);
		}
	turn_give(2);
	pthread_join(thread, NULL);
	return waits[0] + waits[1];
}

/* ---- one thread ---- */

NOINLINE static long make_calls(void)
{
	long made = 0;

	while (goes_on(made))
		for (int i = 0; i < BATCH; i++, made++)
			syscall(SYS_getppid);
	return made;
}

static long faults(const struct rusage *usage)
{
	return usage->ru_minflt;
}

NOINLINE static long make_faults(void)
{
	unsigned long next = CHUNK_PAGES;
	volatile char *memory = NULL;
	long made = 0;

	while (goes_on(made)) {
		if (next == CHUNK_PAGES) {
			if (memory)
				munmap((void *)memory, CHUNK_PAGES * PAGE_BYTES);
			memory = mmap(NULL, CHUNK_PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE,
				      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			madvise((void *)memory, CHUNK_PAGES * PAGE_BYTES, MADV_NOHUGEPAGE);
			next = 0;
		}
		for (int i = 0; i < BATCH; i++, made++)
			memory[next++ * PAGE_BYTES] = 1;
	}
	return usage_count(faults);
}

NOINLINE static long make_signals(void)
{
	pid_t self = getpid();
	long made = 0;

	signal(SIGUSR1, SIG_IGN);
	while (goes_on(made))
		for (int i = 0; i < BATCH; i++, made++)
			kill(self, SIGUSR1);
	return made;
}

NOINLINE static long make_packets(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	socklen_t size = sizeof(address);
	long made = 0;
	char byte = 0;

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, size) ||
	    getsockname(fd, (struct sockaddr *)&address, &size) ||
	    connect(fd, (struct sockaddr *)&address, size))
		exit(1);
	while (goes_on(made))
		for (int i = 0; i < BATCH; i++, made++)
			if (send(fd, &byte, 1, 0) != 1 || recv(fd, &byte, 1, 0) != 1)
				exit(1);
	return made;
}

NOINLINE static long make_reads(void)
{
	static char block[PAGE_BYTES] __attribute__((aligned(PAGE_BYTES)));
	int fd = open(".", O_TMPFILE | O_RDWR | O_DIRECT, 0600);
	long made = 0;

	for (int i = 0; fd >= 0 && i < DISK_BLOCKS; i++)
		if (pwrite(fd, block, sizeof(block), i * PAGE_BYTES) != sizeof(block))
			return 0;
	while (fd >= 0 && goes_on(made))
		for (int i = 0; i < BATCH; i++, made++)
			if (pread(fd, block, sizeof(block), made % DISK_BLOCKS * PAGE_BYTES) < 0)
				return 0;
	return made;
}

static const struct kind {
	const char *name;
	long (*make)(void);
} kinds[] = {
	{ "sleep", make_sleeps }, { "switch", make_switches }, { "futex", make_waits },
	{ "call", make_calls },	  { "fault", make_faults },    { "signal", make_signals },
	{ "packet", make_packets }, { "disk", make_reads },
};

static long make(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (!strcmp(kinds[i].name, name))
			return kinds[i].make();
	return -1;
}

int main(int argc, char **argv)
{
	FILE *file;
	long made;

	/* Who started us may be killed, and a storm must not outlive the test. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (argc < 5 || nice(10) < 0)
		return 2;
	seconds = atof(argv[2]);
	rate = atof(argv[3]);
	begin = work_now();
	made = make(argv[1]);
	file = made < 0 ? NULL : fopen(argv[4], "we");
	if (!file)
		return 1;
	fprintf(file, "%ld\n", made);
	return fclose(file) ? 1 : 0;
}
