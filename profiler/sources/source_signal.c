/* SPDX-License-Identifier: BSD-2-Clause */
/* source_signal.c - the words of the signal and exit sources: names of signals, status of exits. */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "profiler/sources/source_rows.h"

void source_signal_name(uint64_t key, char *text, size_t size)
{
	const char *name = sigabbrev_np((int)key);

	if (name)
		snprintf(text, size, "SIG%s", name);
	else if (key >= (uint64_t)SIGRTMIN && key <= (uint64_t)SIGRTMAX)
		snprintf(text, size, "SIGRTMIN+%" PRIu64, key - SIGRTMIN);
	else
		snprintf(text, size, "%" PRIu64, key);
}

void source_exit_status(uint64_t key, char *text, size_t size)
{
	if (key <= WICK_EXIT_SIGNAL)
		snprintf(text, size, "%" PRIu64, key - 1);
	else
		source_signal_name(key - WICK_EXIT_SIGNAL, text, size);
}
