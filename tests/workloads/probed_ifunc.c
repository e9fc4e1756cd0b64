/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probed_ifunc.c - functions that are chosen when a program is loaded (IFUNC).
 *
 *	probed_ifunc N		prints "ready"; after a line of input chosen(i), i from 0 on, N times
 *	probed_ifunc N early	the same after a first call of chosen(0)
 *	probed_ifunc-linked …	the same, of a library, whose slot is filled when it is first called
 *	probed_ifunc strlen N	strlen("a text of wick's") N times
 */
/* BUILD libprobed_ifunc.so: -g -shared -fPIC -DLIBRARY */
/* BUILD probed_ifunc-linked: -g -DLINKED -L$OUT -lprobed_ifunc -Wl,-z,lazy -Wl,-rpath,'$ORIGIN' */
/* BUILD: -g */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

long chosen(long i);

#ifndef LINKED
static volatile long sink;

__attribute__((noinline)) long chosen_fast(long i)
{
	sink += i;
	return i + 1;
}

/* Never taken, but the linker cannot know. */
__attribute__((noinline)) long chosen_slow(long i)
{
	sink -= i;
	return i + 2;
}

static long (*choose(void))(long i)
{
	__builtin_cpu_init();
	return __builtin_cpu_supports("sse2") ? chosen_fast : chosen_slow;
}

long chosen(long i) __attribute__((ifunc("choose")));
#endif

#ifndef LIBRARY
static int measure(long n)
{
	size_t (*volatile length)(const char *text) = strlen;
	const char *volatile text = "a text of wick's";
	size_t sum = 0;

	for (long i = 0; i < n; i++)
		sum += length(text);
	printf("strlen %zu\n", sum);
	return 0;
}

int main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 0, sum = 0;

	if (argc > 2 && !strcmp(argv[1], "strlen"))
		return measure(atol(argv[2]));
	if (argc > 2)
		sum += chosen(0) - 1;
	printf("ready\n");
	fflush(stdout);
	getchar();
	for (long i = 0; i < n; i++)
		sum += chosen(i);
	printf("chosen %ld\n", sum);
	return 0;
}
#endif
