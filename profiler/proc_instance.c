/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/proc_instance.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "profiler/base/cleanup.h"

#define NS_PER_SECOND 1000000000ll

/* The start of what is now @pid, in clock ticks since boot (proc(5), stat, field 22), or 0. */
static unsigned long long start_ticks(uint32_t pid)
{
	_cleanup_fclose_ FILE *f = NULL;
	unsigned long long ticks = 0;
	char path[64], line[1024], *after;

	snprintf(path, sizeof(path), "/proc/%u/stat", pid);
	f = fopen(path, "re");
	if (!f || !fgets(line, sizeof(line), f))
		return 0;
	/* The name before it may hold anything. */
	after = strrchr(line, ')');
	for (int field = 2; after && field < 22; field++)
		after = strchr(after + 1, ' ');
	return after && sscanf(after, "%llu", &ticks) == 1 ? ticks : 0;
}

bool proc_instance_is(uint32_t pid, uint64_t start_ns)
{
	struct timespec boot, monotonic;
	long long ticks_ns, offset_ns, apart_ns;
	long per_second = sysconf(_SC_CLK_TCK);

	clock_gettime(CLOCK_BOOTTIME, &boot);
	clock_gettime(CLOCK_MONOTONIC, &monotonic);
	offset_ns = (boot.tv_sec - monotonic.tv_sec) * NS_PER_SECOND + boot.tv_nsec -
		    monotonic.tv_nsec;
	ticks_ns = start_ticks(pid) * (NS_PER_SECOND / per_second);
	apart_ns = (long long)start_ns + offset_ns - ticks_ns;
	return ticks_ns && llabs(apart_ns) <= 2 * NS_PER_SECOND / per_second;
}
