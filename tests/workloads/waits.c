/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * waits.c - waits in known ways, and says how long by its own clocks. Usage: waits FILE PHASE...
 *
 * FILE gets "PHASE NS COUNT" for each phase: the time it was off the CPU, elapsed less CPU time, in
 * how many waits (0: not counted); "-" behind a phase that cannot be had here; and at last "end".
 * Each phase waits in a function of its own, wait_PHASE(). The files it reads have no names, in the
 * folder it is run in.
 */
/* BUILD: -pthread */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "work.h"

#define ROUNDS 10
#define ROUND_MS 20
#define NOT_HERE -1
#define DISK_BYTES (4 << 20)
#define DISK_SECONDS 0.3
#define PAGE 4096

static FILE *out;

static void sleep_ms(int ms)
{
	const struct timespec t = { ms / 1000, ms % 1000 * 1000000l };

	nanosleep(&t, NULL);
}

static double cpu_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* ---- that end by themselves ---- */

NOINLINE static int wait_sleep(void)
{
	for (int i = 0; i < ROUNDS; i++)
		sleep_ms(ROUND_MS);
	return ROUNDS;
}

NOINLINE static int wait_long(void)
{
	sleep_ms(1000);
	KEEP_FRAME();
	return 1;
}

NOINLINE static int wait_forever(void)
{
	fprintf(out, "began %.0f 0\n", work_now() * 1e9);
	pause();
	KEEP_FRAME();
	return 1;
}

NOINLINE static int wait_futex(void)
{
	const struct timespec limit = { .tv_nsec = ROUND_MS * 1000000l };
	static int word;

	for (int i = 0; i < ROUNDS; i++)
		syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &limit, NULL, 0);
	return ROUNDS;
}

NOINLINE static int wait_poll(void)
{
	for (int i = 0; i < ROUNDS; i++)
		poll(NULL, 0, ROUND_MS);
	return ROUNDS;
}

/* Every other one is short. */
NOINLINE static int wait_mixed(void)
{
	double sum = 0;
	int count = 0;

	for (int i = 0; i < 2 * ROUNDS; i++) {
		double start = work_now(), took;

		sleep_ms(i % 2 ? 2 * ROUND_MS : 2);
		took = work_now() - start;
		if (took < ROUND_MS / 1e3)
			continue;
		sum += took;
		count++;
	}
	fprintf(out, "mixed-long %.0f %d\n", sum * 1e9, count);
	return 2 * ROUNDS;
}

/* ---- that another thread ends ---- */

static void *feeder_run(void *fd)
{
	for (int i = 0; i < ROUNDS; i++) {
		sleep_ms(ROUND_MS);
		if (write((long)fd, "", 1) != 1)
			break;
	}
	return NULL;
}

static int feeder_start(pthread_t *thread, int fd)
{
	return pthread_create(thread, NULL, feeder_run, (void *)(long)fd);
}

NOINLINE static int wait_pipe(void)
{
	pthread_t thread;
	int fds[2];
	char byte;

	if (pipe(fds) || feeder_start(&thread, fds[1]))
		return NOT_HERE;
	for (int i = 0; i < ROUNDS && read(fds[0], &byte, 1) == 1; i++)
		KEEP_FRAME();
	pthread_join(thread, NULL);
	return 0;
}

NOINLINE static int wait_socket(void)
{
	pthread_t thread;
	int fds[2];
	char byte;

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) || feeder_start(&thread, fds[1]))
		return NOT_HERE;
	for (int i = 0; i < ROUNDS && recv(fds[0], &byte, 1, 0) == 1; i++)
		KEEP_FRAME();
	pthread_join(thread, NULL);
	return 0;
}

static int tcp_pair(int fds[2])
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int listener = socket(AF_INET, SOCK_STREAM, 0);

	fds[1] = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&address, size) || listen(listener, 1) ||
	    getsockname(listener, (struct sockaddr *)&address, &size) ||
	    connect(fds[1], (struct sockaddr *)&address, size))
		return -1;
	fds[0] = accept(listener, NULL, NULL);
	return fds[0] < 0 ? -1 : 0;
}

NOINLINE static int wait_network(void)
{
	pthread_t thread;
	int fds[2];
	char byte;

	if (tcp_pair(fds) || feeder_start(&thread, fds[1]))
		return NOT_HERE;
	for (int i = 0; i < ROUNDS && recv(fds[0], &byte, 1, 0) == 1; i++)
		KEEP_FRAME();
	pthread_join(thread, NULL);
	return 0;
}

NOINLINE static int wait_child(void)
{
	for (int i = 0; i < ROUNDS; i++) {
		pid_t pid = fork();

		if (!pid) {
			execlp("sleep", "sleep", "0.02", NULL);
			_exit(127);
		}
		waitpid(pid, NULL, 0);
	}
	return 0;
}

/* ---- of memory and disks ---- */

static int disk_file(void)
{
	int fd = open(".", O_TMPFILE | O_RDWR, 0600);
	static char block[DISK_BYTES];

	if (fd < 0)
		return -1;
	memset(block, 1, sizeof(block));
	if (write(fd, block, sizeof(block)) != sizeof(block) || fsync(fd))
		return -1;
	return fd;
}

NOINLINE static int wait_disk(void)
{
	double end = work_now() + DISK_SECONDS;
	int fd = disk_file();

	while (fd >= 0 && work_now() < end)
		if (pwrite(fd, "x", 1, 0) != 1 || fsync(fd))
			return NOT_HERE;
	return fd < 0 ? NOT_HERE : 0;
}

/* Pages of a file that are not in memory. */
NOINLINE static int wait_major(void)
{
	double end = work_now() + DISK_SECONDS;
	int fd = disk_file();
	volatile char *memory = mmap(NULL, DISK_BYTES, PROT_READ, MAP_SHARED, fd, 0);

	if (memory == MAP_FAILED)
		return NOT_HERE;
	madvise((void *)memory, DISK_BYTES, MADV_RANDOM);
	while (work_now() < end) {
		madvise((void *)memory, DISK_BYTES, MADV_DONTNEED);
		posix_fadvise(fd, 0, DISK_BYTES, POSIX_FADV_DONTNEED);
		for (int i = 0; i < DISK_BYTES; i += 64 * PAGE)
			work_result += memory[i];
	}
	return 0;
}

struct pager {
	int fd;
	char *memory;
};

/* Gives each page that is touched only after a while. */
static void *pager_run(void *argument)
{
	static char page[PAGE];
	struct pager *pager = argument;
	struct uffd_msg message;

	for (int i = 0; i < ROUNDS && read(pager->fd, &message, sizeof(message)) > 0; i++) {
		struct uffdio_copy copy = { .dst = (uintptr_t)pager->memory + i * PAGE,
					    .src = (uintptr_t)page, .len = PAGE };

		sleep_ms(ROUND_MS);
		ioctl(pager->fd, UFFDIO_COPY, &copy);
	}
	return NULL;
}

NOINLINE static int wait_fault(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct pager pager = { .fd = syscall(SYS_userfaultfd, O_CLOEXEC) };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	pthread_t thread;

	pager.memory = mmap(NULL, ROUNDS * PAGE, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	range.range.start = (uintptr_t)pager.memory;
	range.range.len = ROUNDS * PAGE;
	if (pager.fd < 0 || ioctl(pager.fd, UFFDIO_API, &api) ||
	    ioctl(pager.fd, UFFDIO_REGISTER, &range) ||
	    pthread_create(&thread, NULL, pager_run, &pager))
		return NOT_HERE;
	for (int i = 0; i < ROUNDS; i++)
		work_result += *(volatile char *)(pager.memory + i * PAGE);
	pthread_join(thread, NULL);
	return 0;
}

/* ---- of other threads ---- */

static int word_b, word_c;

static void word_wait(int *word, int old)
{
	while (__atomic_load_n(word, __ATOMIC_ACQUIRE) == old)
		syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, old, NULL, NULL, 0);
}

static void word_wake(int *word)
{
	__atomic_add_fetch(word, 1, __ATOMIC_RELEASE);
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

NOINLINE static void chain_b_wake(void)
{
	word_wake(&word_c);
	KEEP_FRAME();
}

static void *chain_b_run(void *unused)
{
	prctl(PR_SET_NAME, "chain-b");
	for (int i = 0; i < ROUNDS; i++) {
		word_wait(&word_b, i);
		chain_b_wake();
	}
	return NULL;
}

NOINLINE static void wait_chain_c(void)
{
	for (int i = 0; i < ROUNDS; i++)
		word_wait(&word_c, i);
	KEEP_FRAME();
}

static void *chain_c_run(void *unused)
{
	prctl(PR_SET_NAME, "chain-c");
	wait_chain_c();
	return NULL;
}

NOINLINE static void chain_a_wake(void)
{
	word_wake(&word_b);
	KEEP_FRAME();
}

/* This thread is A: it wakes B, which wakes C. */
NOINLINE static int wait_chain(void)
{
	pthread_t b, c;

	if (pthread_create(&b, NULL, chain_b_run, NULL) ||
	    pthread_create(&c, NULL, chain_c_run, NULL))
		return NOT_HERE;
	for (int i = 0; i < ROUNDS; i++) {
		sleep_ms(ROUND_MS);
		chain_a_wake();
	}
	pthread_join(b, NULL);
	pthread_join(c, NULL);
	return 0;
}

static void *spin_run(void *unused)
{
	double start = work_now(), cpu = cpu_now();

	while (work_now() < start + 0.5)
		work_spin(10000);
	fprintf(out, "spinner %.0f 0\n", (work_now() - start - (cpu_now() - cpu)) * 1e9);
	return NULL;
}

/* Two threads for one CPU. */
NOINLINE static int wait_preempted(void)
{
	pthread_t threads[2];
	cpu_set_t one, all;

	sched_getaffinity(0, sizeof(all), &all);
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	sched_setaffinity(0, sizeof(one), &one);
	for (int i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, spin_run, NULL))
			return NOT_HERE;
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	sched_setaffinity(0, sizeof(all), &all);
	return 0;
}

static void *cycle_run(void *unused)
{
	double start = work_now(), burnt;

	for (int i = 0; i < 2 * ROUNDS; i++) {
		sleep_ms(70);
		for (burnt = work_now() + 0.03; work_now() < burnt;)
			work_spin(1000);
	}
	fprintf(out, "cycle-%ld %.0f 0\n", syscall(SYS_gettid), (work_now() - start) * 1e9);
	return NULL;
}

/* Two threads that burn and sleep by turns. */
NOINLINE static int wait_cycles(void)
{
	pthread_t threads[2];

	for (int i = 0; i < 2; i++)
		if (pthread_create(&threads[i], NULL, cycle_run, NULL))
			return NOT_HERE;
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

static const struct phase {
	const char *name;
	int (*run)(void);
} phases[] = {
	{ "sleep", wait_sleep },     { "long", wait_long },	{ "forever", wait_forever },
	{ "futex", wait_futex },     { "poll", wait_poll },	{ "mixed", wait_mixed },
	{ "pipe", wait_pipe },	     { "socket", wait_socket }, { "network", wait_network },
	{ "child", wait_child },     { "disk", wait_disk },	{ "major", wait_major },
	{ "fault", wait_fault },     { "chain", wait_chain },	{ "preempted", wait_preempted },
	{ "cycles", wait_cycles },
};

static void phase_run(const char *name)
{
	for (size_t i = 0; i < sizeof(phases) / sizeof(phases[0]); i++) {
		double start = work_now(), cpu = cpu_now();
		int count;

		if (strcmp(phases[i].name, name))
			continue;
		count = phases[i].run();
		if (count == NOT_HERE)
			fprintf(out, "%s -\n", name);
		else
			fprintf(out, "%s %.0f %d\n", name,
				(work_now() - start - (cpu_now() - cpu)) * 1e9, count);
	}
}

int main(int argc, char **argv)
{
	out = fopen(argv[1], "w");
	if (!out)
		return 1;
	setvbuf(out, NULL, _IOLBF, 0);
	for (int i = 2; i < argc; i++)
		phase_run(argv[i]);
	fprintf(out, "end\n");
	return fclose(out);
}
