/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probed_many.c - four hundred functions, and one of them by two names.
 *
 *	probed_many N		calls each, many_100() to many_499(), N times
 */
/* BUILD: -g */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define TEN(X, p) X(p##0) X(p##1) X(p##2) X(p##3) X(p##4) X(p##5) X(p##6) X(p##7) X(p##8) X(p##9)
#define HUNDRED(X, p)                                                                             \
	TEN(X, p##0) TEN(X, p##1) TEN(X, p##2) TEN(X, p##3) TEN(X, p##4)                          \
	TEN(X, p##5) TEN(X, p##6) TEN(X, p##7) TEN(X, p##8) TEN(X, p##9)
#define ALL(X) HUNDRED(X, 1) HUNDRED(X, 2) HUNDRED(X, 3) HUNDRED(X, 4)

static volatile long sink;

#define DEFINE(number)                                                                            \
	__attribute__((noinline, noclone, used)) long many_##number(long i)                       \
	{                                                                                         \
		sink += number;                                                                   \
		return i + number;                                                                \
	}
ALL(DEFINE)

long many_too(long i) __attribute__((alias("many_100")));

#define POINTER(number) many_##number,
static long (*const all[])(long i) = { ALL(POINTER) };

int main(int argc, char **argv)
{
	long n = argc > 1 ? atol(argv[1]) : 0, sum = 0;

	for (long i = 0; i < n; i++)
		for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++)
			sum += all[k](i);
	printf("many %ld\n", sum);
	return 0;
}
