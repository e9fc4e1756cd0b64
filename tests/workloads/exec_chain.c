/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exec_chain.c - works a moment and executes ./odd or ./even, links to itself, for ever. By the
 * name it was started as it works in chain_odd() or chain_even(). Usage: even SECONDS
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "work.h"

/* Not the same number as below, or the compiler makes both one function. */
NOINLINE static void chain_odd(void)
{
	work_spin(300001);
	KEEP_FRAME();
}

NOINLINE static void chain_even(void)
{
	work_spin(300000);
	KEEP_FRAME();
}

int main(int argc, char **argv)
{
	/* The end of all, as CLOCK_MONOTONIC has it; the first is told seconds. */
	double end = argc > 2 ? atof(argv[2]) : work_now() + (argc > 1 ? atof(argv[1]) : 1);
	int is_odd = strstr(argv[0], "odd") != NULL;
	char text[32];
	char *next[] = { is_odd ? "./even" : "./odd", "-", text, NULL };

	if (is_odd)
		chain_odd();
	else
		chain_even();
	gcvt(end, 15, text);
	if (work_now() < end)
		execv(next[0], next);
	return 0;
}
