/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probed_late.c - a library that a program maps when it is told to.
 *
 *	probed_late LIBRARY N	prints "ready"; after a line of input late(i) of LIBRARY, N times
 *	probed_linked - N	the same of the library that it was linked with
 */
/* BUILD libprobed_late.so: -g -shared -fPIC -DLIBRARY */
/* BUILD probed_linked: -g -DLINKED -L$OUT -lprobed_late -Wl,-rpath,'$ORIGIN' */
/* BUILD: -g */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

long late(long i);

#ifdef LIBRARY
static volatile long sink;

__attribute__((noinline)) long late(long i)
{
	sink += i;
	return i + 1;
}
#else
static long (*find_late(const char *path))(long i)
{
#ifdef LINKED
	return late;
#else
	void *library;

	printf("ready\n");
	fflush(stdout);
	getchar();
	library = dlopen(path, RTLD_NOW);
	return library ? (long (*)(long))dlsym(library, "late") : NULL;
#endif
}

int main(int argc, char **argv)
{
	long (*call)(long i) = argc > 2 ? find_late(argv[1]) : NULL;
	long sum = 0;

	if (!call)
		return 2;
	for (long i = 0; i < atol(argv[2]); i++)
		sum += call(i);
	printf("late %ld\n", sum);
	return 0;
}
#endif
