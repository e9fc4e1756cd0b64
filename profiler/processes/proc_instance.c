/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/processes/proc_instance.h"

#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "profiler/processes/proc_stat.h"

#define NS_PER_SECOND 1000000000ll

bool proc_instance_is(uint32_t pid, uint64_t start_ns)
{
	struct timespec boot, monotonic;
	long long ticks_ns, offset_ns, apart_ns;
	long per_second = sysconf(_SC_CLK_TCK);
	unsigned long long ticks;

	if (proc_stat_read(pid, PROC_STAT_START, &ticks) < 0)
		return false;
	clock_gettime(CLOCK_BOOTTIME, &boot);
	clock_gettime(CLOCK_MONOTONIC, &monotonic);
	offset_ns = (boot.tv_sec - monotonic.tv_sec) * NS_PER_SECOND + boot.tv_nsec -
		    monotonic.tv_nsec;
	ticks_ns = ticks * (NS_PER_SECOND / per_second);
	apart_ns = (long long)start_ns + offset_ns - ticks_ns;
	return llabs(apart_ns) <= 2 * NS_PER_SECOND / per_second;
}
