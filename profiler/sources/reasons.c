/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/sources/reasons.h"

#include <string.h>

#include "bpf/sample_abi.h"
#include "profiler/base/cleanup.h"
#include "profiler/sources/syscalls.h"

/*
 * Functions of the kernel that wait, by how their names begin. In this order: a page fault may
 * wait for a disk, and is called one.
 */
static const struct {
	const char *prefix, *reason;
} by_function[] = {
	{ "do_user_addr_fault", "page-fault" }, { "exc_page_fault", "page-fault" },
	{ "asm_exc_page_fault", "page-fault" },
	{ "futex_", "futex" }, { "__futex_", "futex" }, { "do_futex", "futex" },
	{ "hrtimer_nanosleep", "sleep" }, { "do_nanosleep", "sleep" },
	{ "ep_poll", "poll" }, { "do_poll", "poll" }, { "do_sys_poll", "poll" },
	{ "do_select", "poll" }, { "poll_schedule_timeout", "poll" }, { "io_cqring_wait", "poll" },
	{ "pipe_", "pipe" }, { "anon_pipe_", "pipe" }, { "fifo_open", "pipe" },
	{ "wait_for_partner", "pipe" },
	{ "unix_", "socket" }, { "inet_", "network" }, { "tcp_", "network" },
	{ "udp_", "network" }, { "sk_wait_data", "network" }, { "__skb_wait", "network" },
	{ "sk_stream_wait", "network" }, { "__skb_recv", "network" }, { "sock_", "network" },
	{ "tty_", "terminal" }, { "n_tty_", "terminal" },
	{ "do_wait", "child" }, { "kernel_wait4", "child" },
	{ "do_sigtimedwait", "signal" }, { "sigsuspend", "signal" }, { "__do_sys_pause", "signal" },
	{ "do_signal_stop", "stopped" }, { "ptrace_stop", "stopped" },
	{ "do_freezer_trap", "frozen" },
	{ "io_schedule", "disk" }, { "folio_wait", "disk" }, { "wait_on_page", "disk" },
	{ "jbd2_", "disk" }, { "submit_bio_wait", "disk" }, { "blkdev_", "disk" },
	{ "fuse_", "fuse" }, { "request_wait_answer", "fuse" },
	{ "wait_for_vfork", "child" }, { "mutex_lock", "kernel-lock" },
	{ "__mutex_lock", "kernel-lock" }, { "rwsem_", "kernel-lock" },
	{ "down_", "kernel-lock" }, { "__down_", "kernel-lock" },
	{ "synchronize_rcu", "rcu" }, { "__wait_rcu_gp", "rcu" },
	{ "worker_thread", "kernel" }, { "kthread", "kernel" },
};

static const struct {
	const char *syscall, *reason;
} by_syscall[] = {
	{ "futex", "futex" }, { "nanosleep", "sleep" }, { "clock_nanosleep", "sleep" },
	{ "poll", "poll" }, { "ppoll", "poll" }, { "select", "poll" }, { "pselect6", "poll" },
	{ "epoll_wait", "poll" }, { "epoll_pwait", "poll" }, { "epoll_pwait2", "poll" },
	{ "io_uring_enter", "poll" }, { "wait4", "child" }, { "waitid", "child" },
	{ "vfork", "child" }, { "accept", "network" }, { "accept4", "network" },
	{ "connect", "network" }, { "recvfrom", "network" }, { "recvmsg", "network" },
	{ "sendto", "network" }, { "sendmsg", "network" }, { "fsync", "disk" },
	{ "fdatasync", "disk" }, { "sync", "disk" }, { "syncfs", "disk" }, { "msync", "disk" },
	{ "pause", "signal" }, { "rt_sigsuspend", "signal" }, { "rt_sigtimedwait", "signal" },
	{ "sched_yield", "yield" },
};

static const char *function_reason(const char *function)
{
	for (size_t i = 0; i < ARRAY_SIZE(by_function); i++)
		if (!strncmp(function, by_function[i].prefix, strlen(by_function[i].prefix)))
			return by_function[i].reason;
	return NULL;
}

static const char *syscall_reason(int number)
{
	const char *name = number < 0 ? NULL : syscall_name(number);

	for (size_t i = 0; name && i < ARRAY_SIZE(by_syscall); i++)
		if (!strcmp(name, by_syscall[i].syscall))
			return by_syscall[i].reason;
	return name;
}

const char *reason_text(unsigned int reason, int syscall, const char *const *functions,
			size_t count)
{
	static const char *const texts[] = {
#define REASON_TEXT(name, text) [WICK_REASON_##name] = text,
		WICK_REASONS(REASON_TEXT)
#undef REASON_TEXT
	};
	const char *found = NULL;

	if (reason == WICK_REASON_PREEMPTED)
		return texts[reason];
	/* The innermost that tells. */
	for (size_t i = 0; i < count && !found; i++)
		found = function_reason(functions[i]);
	if (found)
		return found;
	if (reason != WICK_REASON_DISK && reason != WICK_REASON_FAULT)
		found = syscall_reason(syscall);
	if (found)
		return found;
	return reason < WICK_REASON_COUNT ? texts[reason] : texts[WICK_REASON_UNKNOWN];
}
