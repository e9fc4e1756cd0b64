/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shares.c - 60, 30 and 10 percent of the CPU time by construction: the same
 * instructions, 6, 3 and 1 times. Usage: shares SECONDS
 */
#include <stdlib.h>
#include "work.h"

NOINLINE void share_60(void)
{
	work_spin(60000);
	KEEP_FRAME();
}
NOINLINE void share_30(void)
{
	work_spin(30000);
	KEEP_FRAME();
}
NOINLINE void share_10(void)
{
	work_spin(10000);
	KEEP_FRAME();
}

int main(int argc, char **argv)
{
	double end = work_now() + (argc > 1 ? atof(argv[1]) : 1);

	while (work_now() < end) {
		for (int i = 0; i < 20; i++) {
			share_60();
			share_30();
			share_10();
		}
	}
	return 0;
}
