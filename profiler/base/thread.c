/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/thread.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

void thread_begin(const char *name, int nice_value)
{
	pthread_setname_np(pthread_self(), name);
	/* A nice value belongs to a thread here, whatever POSIX says: setpriority(2). */
	if (nice_value)
		setpriority(PRIO_PROCESS, gettid(), nice_value);
}
