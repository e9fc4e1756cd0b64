/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source_work.c - how long events take that a source counts, to see what counting slows them down by.
 *
 * Usage: source_work WORK DEPTH SPINS. Below a stack DEPTH deep it makes WORK's events, with so many
 * rounds of work between them, in chunks; prints the nanoseconds per event of the median chunk, of
 * those after the first WARM_NS, in which a profiler gets to know the program.
 * Everything is of the real-time class, as in fixed_work.c and for its reasons; so each run ends
 * after LIMIT_NS, whatever slows it down, and yields a while before the next one.
 */
#include <pthread.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <signal.h>
#include <unistd.h>

#include "profiler/base/clock.h"
#include "profiler/base/cleanup.h"
#include "tests/workloads/work.h"

#define CHUNKS_MIN 3
#define CHUNKS_MAX 150
#define WARM_NS 300000000ull
#define LIMIT_NS 1000000000ull
#define PAGE_BYTES 4096

static uint64_t times_ns[CHUNKS_MAX];
static uint64_t spins;

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void move_to_cpu(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		fail("cannot have a CPU of our own");
}

/* Below a stack of its own; threads have nothing above them but what starts them. */
NOINLINE static void recurse(int depth, void (*work)(void))
{
	if (depth > 1)
		recurse(depth - 1, work);
	else
		work();
	KEEP_FRAME();
}

static int stack_depth;

/* ---- switches: a byte to and fro between two processes ---- */

#define ROUND_TRIPS 500

static int there[2], back[2];

static void pass(int from, int to)
{
	char byte = 0;

	if (read(from, &byte, 1) != 1)
		_exit(0);
	work_spin(spins);
	if (write(to, &byte, 1) != 1)
		_exit(0);
}

static void echo(void)
{
	for (;;)
		pass(there[0], back[1]);
}

static void echo_begin(int cpu)
{
	if (pipe(there) || pipe(back))
		fail("pipe");
	switch (fork()) {
	case -1:
		fail("fork");
		break;
	case 0:
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		move_to_cpu(cpu);
		recurse(stack_depth, echo);
	}
	if (write(there[1], "", 1) != 1)
		fail("pipe");
}

static void switch_begin(void)
{
	echo_begin(1);
}

static void switch_between_begin(void)
{
	echo_begin(0);
}

static void switch_chunk(void)
{
	for (int i = 0; i < ROUND_TRIPS; i++)
		pass(back[0], there[1]);
}

/* ---- system calls ---- */

#define CALLS 20000

/* A function that does next to nothing, for who probes it. */
NOINLINE __attribute__((used)) static long probed_call(long number)
{
	KEEP_FRAME();
	return number + 1;
}

static void call_chunk(void)
{
	for (long i = 0; i < CALLS; i++) {
		probed_call(i);
		work_spin(spins);
	}
}

static void syscall_chunk(void)
{
	for (int i = 0; i < CALLS; i++) {
		syscall(SYS_getppid);
		work_spin(spins);
	}
}

/* Calls that do something, the page being in memory. */
static int page_file;

static void read_begin(void)
{
	char page[PAGE_BYTES] = { 0 };

	page_file = memfd_create("page", MFD_CLOEXEC);
	if (page_file < 0 || pwrite(page_file, page, sizeof(page), 0) != sizeof(page))
		fail("cannot make a file in memory");
}

static void read_chunk(void)
{
	char page[PAGE_BYTES];

	for (int i = 0; i < CALLS; i++) {
		if (pread(page_file, page, sizeof(page), 0) != sizeof(page))
			fail("pread");
		work_spin(spins);
	}
}

/* ---- page faults ---- */

#define PAGES 512
#define MAPPINGS 8
#define FAULTS (MAPPINGS * PAGES)

static void fault_chunk(void)
{
	for (int i = 0; i < MAPPINGS; i++) {
		char *pages = mmap(NULL, PAGES * PAGE_BYTES, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		if (pages == MAP_FAILED)
			fail("mmap");
		madvise(pages, PAGES * PAGE_BYTES, MADV_NOHUGEPAGE);
		for (size_t page = 0; page < PAGES; page++) {
			((volatile char *)pages)[page * PAGE_BYTES] = 1;
			work_spin(spins);
		}
		munmap(pages, PAGES * PAGE_BYTES);
	}
}

/* ---- a mutex ---- */

/*
 * Whoever has it lets the others run, on the same CPU, before it gives it back: each of them finds it
 * taken and waits, and each time it is had somebody has waited for it.
 */
#define TURNS 500
#define THREADS 4

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static volatile uint64_t turns;

static void turn_take(void)
{
	pthread_mutex_lock(&mutex);
	turns++;
	work_spin(spins);
	sched_yield();
	pthread_mutex_unlock(&mutex);
	sched_yield();
}

static void turns_take(void)
{
	for (;;)
		turn_take();
}

static void *mutex_thread(void *unused)
{
	recurse(stack_depth, turns_take);
	return unused;
}

static void mutex_begin(void)
{
	pthread_t thread;

	for (int i = 1; i < THREADS; i++)
		if (pthread_create(&thread, NULL, mutex_thread, NULL))
			fail("pthread_create");
}

static void mutex_chunk(void)
{
	for (uint64_t end = turns + TURNS; turns < end;)
		turn_take();
}

/* ---- all of them ---- */

static const struct work {
	const char *name;
	uint32_t events;		/* of a chunk */
	void (*begin)(void);
	void (*chunk)(void);
} works[] = {
	{ "switch", 2 * ROUND_TRIPS, switch_begin, switch_chunk },
	{ "switch-between", 2 * ROUND_TRIPS, switch_between_begin, switch_chunk },
	{ "syscall", CALLS, NULL, syscall_chunk },
	{ "read", CALLS, read_begin, read_chunk },
	{ "call", CALLS, NULL, call_chunk },
	{ "fault", FAULTS, NULL, fault_chunk },
	{ "mutex", TURNS, mutex_begin, mutex_chunk },
};

static const struct work *work_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(works); i++)
		if (!strcmp(works[i].name, name))
			return &works[i];
	return NULL;
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

static const struct work *measured;

static void measure(void)
{
	uint64_t begin_ns = clock_monotonic_ns(), start_ns, now_ns;
	size_t count = 0;

	do {
		measured->chunk();
		start_ns = clock_monotonic_ns();
	} while (start_ns - begin_ns < WARM_NS);
	while (count < CHUNKS_MAX && (count < CHUNKS_MIN || start_ns - begin_ns < LIMIT_NS)) {
		measured->chunk();
		now_ns = clock_monotonic_ns();
		times_ns[count++] = now_ns - start_ns;
		start_ns = now_ns;
	}
	qsort(times_ns, count, sizeof(*times_ns), compare);
	printf("%.1f\n", (double)times_ns[count / 2] / measured->events);
	fflush(stdout);
	/* The others of it, which never return, end with this. */
	_exit(0);
}

int main(int argc, char **argv)
{
	const struct sched_param priority = { .sched_priority = 1 };

	measured = argc == 4 ? work_find(argv[1]) : NULL;
	if (!measured) {
		fprintf(stderr, "usage: source_work WORK DEPTH SPINS\n");
		return 2;
	}
	stack_depth = atoi(argv[2]);
	spins = strtoull(argv[3], NULL, 10);
	move_to_cpu(1);
	if (sched_setscheduler(0, SCHED_FIFO, &priority))
		fail("cannot be of the real-time class");
	if (measured->begin)
		measured->begin();
	recurse(stack_depth, measure);
	return 0;
}
