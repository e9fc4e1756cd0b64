/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/tables/sleeper.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/uio.h>

#include "profiler/base/cleanup.h"

int sleeper_read(uint32_t tid, uint64_t address, void *to, size_t size)
{
	struct iovec local = { to, size }, remote = { (void *)address, size };
	ssize_t got = process_vm_readv((pid_t)tid, &local, 1, &remote, 1, 0);

	if (got < 0)
		return -errno;
	return (size_t)got == size ? 0 : -EFAULT;
}

uint64_t sleeper_arrivals(uint32_t pid, uint32_t tid)
{
	_cleanup_fclose_ FILE *file = NULL;
	uint64_t arrivals;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%" PRIu32 "/task/%" PRIu32 "/schedstat", pid, tid);
	file = fopen(path, "re");
	/* How long it ran, how long it waited for a CPU, how often it got one. */
	if (!file || fscanf(file, "%*u %*u %" SCNu64, &arrivals) != 1)
		return SLEEPER_ARRIVALS_UNKNOWN;
	return arrivals;
}
