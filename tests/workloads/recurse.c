/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recurse.c - spins at the end of a recursion. Usage: recurse SECONDS DEPTH
 * Each frame holds FRAME_BYTES of locals.
 */
/* BUILD: -DFRAME_BYTES=16 */
/* BUILD recurse-fp: -DFRAME_BYTES=16 -fno-omit-frame-pointer -mno-omit-leaf-frame-pointer */
/* BUILD recurse-1k: -DFRAME_BYTES=1024 */
/* BUILD recurse-static: -DFRAME_BYTES=16 -static */
/* BUILD recurse-static-pie: -DFRAME_BYTES=16 -static-pie */
/* BUILD recurse-exec: -DFRAME_BYTES=16 -no-pie */
/* BUILD recurse-stripped: -DFRAME_BYTES=16 -s */
/* BUILD recurse-bare: -DFRAME_BYTES=16 -fno-asynchronous-unwind-tables */
/* BUILD recurse-musl: CC=musl-gcc -DFRAME_BYTES=16 -fno-asynchronous-unwind-tables */
/* BUILD recurse-debug-frame: -DFRAME_BYTES=16 -g -fno-asynchronous-unwind-tables -fno-exceptions */
#include <stdlib.h>
#include "work.h"

static double end_time;

NOINLINE int recurse_leaf(void)
{
	while (work_now() < end_time)
		for (int i = 0; i < 200; i++)
			work_spin(1000);
	return 1;
}

NOINLINE int recurse_down(int depth)
{
	volatile char locals[FRAME_BYTES];
	int r;

	locals[0] = depth;
	locals[FRAME_BYTES - 1] = depth;
	r = depth > 1 ? recurse_down(depth - 1) : recurse_leaf();
	return r + (locals[0] & 1) + (locals[FRAME_BYTES - 1] & 1);
}

int main(int argc, char **argv)
{
	end_time = work_now() + (argc > 1 ? atof(argv[1]) : 1);
	return recurse_down(argc > 2 ? atoi(argv[2]) : 40) < 0;
}
