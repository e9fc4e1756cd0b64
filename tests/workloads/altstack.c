/* SPDX-License-Identifier: BSD-2-Clause */
/* altstack.c - spins in a signal handler on an alternate stack. Usage: altstack SECONDS */
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>
#include "work.h"

static double end_time;
static char stack[1 << 16];

NOINLINE static void handler_work(void)
{
	while (work_now() < end_time)
		for (int i = 0; i < 200; i++)
			work_spin(1000);
	KEEP_FRAME();
}

static void handler(int signal_number)
{
	(void)signal_number;
	handler_work();
	KEEP_FRAME();
}

NOINLINE static void interrupted_caller(void)
{
	raise(SIGUSR1);
	KEEP_FRAME();
}

int main(int argc, char **argv)
{
	stack_t alternate = { .ss_sp = stack, .ss_size = sizeof(stack) };
	struct sigaction action = { .sa_handler = handler, .sa_flags = SA_ONSTACK };

	end_time = work_now() + (argc > 1 ? atof(argv[1]) : 1);
	sigaltstack(&alternate, NULL);
	sigaction(SIGUSR1, &action, NULL);
	interrupted_caller();
	return 0;
}
