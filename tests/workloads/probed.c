/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probed.c - functions that are called a known number of times, with known arguments and returns.
 *
 *	probed args N		add_up(i, -i, "name-I", i mod 256, { i, { 2 i } }, 7, 8, 9) N times
 *	probed recurse DEPTH N	go_down(DEPTH) N times, each of DEPTH + 1 frames
 *	probed jump N		leave_early(i) N times; odd ones leave by longjmp
 *	probed fork N		a child that calls tiny() and exits, N times
 *	probed vfork N		the same by vfork and an exec of "true"
 *	probed threads T N	N calls of tiny() in each of T threads
 *	probed loop		calls of tiny() for ever
 *	probed sleep N US	doze(US) N times
 *	probed inline N		begins_inlined(i) N times, called by calls_last(), which is inlined
 *
 * Prints what came out of it, to be compared with what it is without a probe.
 */
/* BUILD: -g -pthread */
/* BUILD probed-O0: -g -O0 -pthread */
/* BUILD probed-clang: CC=clang -g -pthread */
/* BUILD probed-nodebug: -pthread */
#include <pthread.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef __clang__
#define keep __attribute__((noinline, used))
#else
#define keep __attribute__((noinline, noclone, used))
#endif
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct inner {
	long twice;
};

struct point {
	int x;
	struct inner *inner;
	char label[16];
};

enum color { RED, GREEN = 5, BLUE };

static volatile long sink;
static jmp_buf back;

keep long add_up(int a, long b, const char *name, unsigned char c, const struct point *p,
		 enum color color, int seventh, long eighth, short ninth)
{
	sink += strlen(name) + color;
	return a * 2L + b + c + p->x + p->inner->twice + seventh + eighth + ninth;
}

keep double half(double value)
{
	sink++;
	return value / 2;
}

keep long go_down(long depth)
{
	long below = depth ? go_down(depth - 1) : 0;

	sink += depth;
	return below + 1;
}

keep int leave_early(int i)
{
	sink += i;
	if (i & 1)
		longjmp(back, 1);
	return i;
}

keep int tiny(int i)
{
	sink += i;
	return i + 1;
}

keep int doze(unsigned int us)
{
	usleep(us);
	return (int)us;
}

/* Inlined where a function begins. */
static inline __attribute__((always_inline)) long at_begin(long i)
{
	return sink + i;
}

keep long begins_inlined(long i)
{
	long got = at_begin(i);

	sink = got;
	return got + 1;
}

/* Inlined, and the call is the last of it: what that returns to is its caller's again. */
static inline __attribute__((always_inline)) void calls_last(long i)
{
	begins_inlined(i);
}

static void run_args(long n, long unused)
{
	long sum = 0;

	for (long i = 0; i < n; i++) {
		struct inner inner = { 2 * i };
		struct point point = { .x = (int)i, .inner = &inner };
		char name[32];

		snprintf(name, sizeof(name), "name-%ld", i);
		snprintf(point.label, sizeof(point.label), "p%ld", i % 10);
		sum += add_up((int)i, -i, name, i % 256, &point, i % 2 ? GREEN : BLUE, 7, 8, 9);
		sink += half((double)i) > 3;
	}
	printf("args %ld\n", sum);
}

static void run_recurse(long depth, long n)
{
	long sum = 0;

	for (long i = 0; i < n; i++)
		sum += go_down(depth);
	printf("recurse %ld\n", sum);
}

static void run_jump(long n, long unused)
{
	volatile long returned = 0, jumped = 0;

	for (volatile long i = 0; i < n; i++) {
		if (setjmp(back)) {
			jumped++;
			continue;
		}
		leave_early((int)i);
		returned++;
	}
	printf("jump %ld %ld\n", returned, jumped);
}

static void run_fork(long n, long unused)
{
	long sum = 0;

	for (long i = 0; i < n; i++) {
		int status;
		pid_t pid = fork();

		if (!pid)
			_exit(tiny((int)i) & 0x7f);
		waitpid(pid, &status, 0);
		sum += WEXITSTATUS(status);
	}
	printf("fork %ld\n", sum);
}

static void run_vfork(long n, long unused)
{
	long sum = 0;

	for (long i = 0; i < n; i++) {
		int status;
		pid_t pid = vfork();

		if (!pid) {
			execlp("true", "true", (char *)NULL);
			_exit(1);
		}
		sum += tiny((int)i);
		waitpid(pid, &status, 0);
		sum += WEXITSTATUS(status);
	}
	printf("vfork %ld\n", sum);
}

static void *thread_run(void *argument)
{
	for (long i = 0; i < (long)argument; i++)
		tiny((int)i);
	return NULL;
}

static void run_threads(long count, long n)
{
	pthread_t threads[64];

	for (long i = 0; i < count && i < 64; i++)
		pthread_create(&threads[i], NULL, thread_run, (void *)n);
	for (long i = 0; i < count && i < 64; i++)
		pthread_join(threads[i], NULL);
	printf("threads %ld\n", count * n);
}

static void run_loop(long unused, long unused_too)
{
	for (int i = 0;; i++)
		tiny(i & 0xffff);
}

static void run_sleep(long n, long us)
{
	long sum = 0;

	for (long i = 0; i < n; i++)
		sum += doze((unsigned int)us);
	printf("sleep %ld\n", sum);
}

static void run_inline(long n, long unused)
{
	for (long i = 0; i < n; i++)
		calls_last(i);
	printf("inline %ld\n", sink);
}

static const struct {
	const char *name;
	void (*run)(long a, long b);
} modes[] = {
	{ "args", run_args },	  { "recurse", run_recurse }, { "jump", run_jump },
	{ "fork", run_fork },	  { "vfork", run_vfork },     { "threads", run_threads },
	{ "loop", run_loop },	  { "sleep", run_sleep },     { "inline", run_inline },
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < ARRAY_SIZE(modes); i++) {
		if (strcmp(modes[i].name, argv[1]))
			continue;
		modes[i].run(argc > 2 ? atol(argv[2]) : 0, argc > 3 ? atol(argv[3]) : 0);
		return 0;
	}
	return 2;
}
