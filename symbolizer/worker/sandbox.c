/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/worker/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "profiler/base/cleanup.h"

#define NOBODY 65534
/* What it is sent, and copies that libelf's users make. */
#define FILES_MAX 64

/* What others see, too: the kernel's maps among it, which are written without a system call. */
static int drop_shared_memory(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/maps", "re");
	_cleanup_free_ char *line = NULL;
	unsigned long start, end;
	size_t size = 0;
	char shared;

	if (!f)
		return -errno;
	while (getline(&line, &size, f) > 0) {
		if (sscanf(line, "%lx-%lx %*3c%c", &start, &end, &shared) != 3 || shared != 's')
			continue;
		if (munmap((void *)start, end - start))
			return -errno;
	}
	return 0;
}

/* Of what is mapped now: sanitizers map terabytes. */
static int memory_bytes(uint64_t *ret)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/statm", "re");
	unsigned long pages;

	if (!f)
		return -errno;
	if (fscanf(f, "%lu", &pages) != 1)
		return -EIO;
	*ret = pages * (uint64_t)sysconf(_SC_PAGESIZE);
	return 0;
}

static int limit_resources(uint64_t more_bytes)
{
	struct {
		int resource;
		rlim_t most;
	} limits[] = {
		{ RLIMIT_AS, 0 },
		{ RLIMIT_CORE, 0 },
		{ RLIMIT_NPROC, 0 },
		{ RLIMIT_MEMLOCK, 0 },
		{ RLIMIT_NOFILE, FILES_MAX },
	};
	uint64_t bytes = 0;
	int r = memory_bytes(&bytes);

	if (r < 0)
		return r;
	limits[0].most = bytes + more_bytes;
	for (size_t i = 0; i < ARRAY_SIZE(limits); i++) {
		struct rlimit limit = { limits[i].most, limits[i].most };

		/* A lower one than ours is as good. */
		if (setrlimit(limits[i].resource, &limit) && errno != EPERM)
			return -errno;
	}
	return 0;
}

/* By plain system calls: the C library would ask threads to do the same that are not in this process. */
static int drop_privileges(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	/* Who is not root and has only capabilities keeps its user. */
	if (!geteuid()) {
		if (syscall(SYS_setgroups, 0, NULL) ||
		    syscall(SYS_setresgid, NOBODY, NOBODY, NOBODY) ||
		    syscall(SYS_setresuid, NOBODY, NOBODY, NOBODY))
			return -errno;
	}
	if (syscall(SYS_capset, &header, none))
		return -errno;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return -errno;
	return 0;
}

/* Files come by the socket and are read where they are told; memory; and the end. */
static const int allowed[] = {
	SCMP_SYS(read),		  SCMP_SYS(readv),	   SCMP_SYS(pread64),
	SCMP_SYS(write),	  SCMP_SYS(sendto),	   SCMP_SYS(sendmsg),
	SCMP_SYS(recvfrom),	  SCMP_SYS(recvmsg),	   SCMP_SYS(poll),
	SCMP_SYS(ppoll),	  SCMP_SYS(close),	   SCMP_SYS(lseek),
	SCMP_SYS(fstat),	  SCMP_SYS(fcntl),	   SCMP_SYS(brk),
	SCMP_SYS(munmap),	  SCMP_SYS(mremap),	   SCMP_SYS(madvise),
	SCMP_SYS(futex),	  SCMP_SYS(getrandom),	   SCMP_SYS(clock_gettime),
	SCMP_SYS(gettimeofday),	  SCMP_SYS(nanosleep),	   SCMP_SYS(clock_nanosleep),
	SCMP_SYS(sched_yield),	  SCMP_SYS(getpid),	   SCMP_SYS(gettid),
	SCMP_SYS(rt_sigaction),	  SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigreturn),
	SCMP_SYS(sigaltstack),	  SCMP_SYS(restart_syscall), SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

static int filter_add(scmp_filter_ctx filter)
{
	/* Those by which glibc before 2.39 asks for the size of a file that is open. */
	const struct scmp_arg_cmp of_open_file = SCMP_A3(SCMP_CMP_EQ, AT_EMPTY_PATH);
	const struct scmp_arg_cmp not_executable = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	int r = 0;

	for (size_t i = 0; i < ARRAY_SIZE(allowed) && !r; i++)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	r = r ?: seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1,
					&of_open_file);
	r = r ?: seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
					&not_executable);
	return r ?: seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
					   &not_executable);
}

/* Refused, not killed: libdw looks for files of its own accord, and goes on without them. */
static int filter_calls(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(EACCES));
	int r;

	if (!filter)
		return -ENOMEM;
	r = filter_add(filter);
	r = r ?: seccomp_load(filter);
	seccomp_release(filter);
	return r;
}

int sandbox_enter(uint64_t more_bytes)
{
	pid_t parent = getppid();
	int r = drop_shared_memory();

	r = r ?: limit_resources(more_bytes);
	r = r ?: drop_privileges();
	if (r < 0)
		return r;
	/* After the change of user, which forgets it. */
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0))
		return -errno;
	if (getppid() != parent)
		return -ESRCH;
	return filter_calls();
}
