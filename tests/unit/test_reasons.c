/* SPDX-License-Identifier: BSD-2-Clause */
#include <sys/syscall.h>

#include "bpf/sample_abi.h"
#include "profiler/sources/reasons.h"
#include "tests/unit/unit.h"

static const struct reason_case {
	const char *name;
	unsigned int reason;
	int syscall;			/* -1: none */
	const char *functions[4];	/* of the kernel stack, leaf first */
	const char *text;
} cases[] = {
	{ "the kernel's function says it", WICK_REASON_SYSCALL, SYS_read,
	  { "schedule", "anon_pipe_read", "vfs_read" }, "pipe" },
	{ "the innermost that says something", WICK_REASON_SYSCALL, SYS_read,
	  { "schedule", "folio_wait_bit", "pipe_read" }, "disk" },
	{ "any reader may wait to be woken", WICK_REASON_SYSCALL, SYS_recvfrom,
	  { "wait_woken", "sk_wait_data", "tcp_recvmsg" }, "network" },
	{ "so may one of a terminal", WICK_REASON_SYSCALL, SYS_read,
	  { "wait_woken", "n_tty_read", "tty_read" }, "terminal" },
	{ "a prefix is one of the name, not within it", WICK_REASON_SYSCALL, SYS_getpid,
	  { "my_tcp_recvmsg" }, "getpid" },
	{ "without functions the system call says it", WICK_REASON_SYSCALL, SYS_epoll_wait,
	  { NULL }, "poll" },
	{ "functions that say nothing leave it to the system call", WICK_REASON_SYSCALL,
	  SYS_nanosleep, { "schedule", "entry_SYSCALL_64" }, "sleep" },
	{ "a system call without a word is its own", WICK_REASON_SYSCALL, SYS_read, { NULL },
	  "read" },
	{ "a system call without a name is one", WICK_REASON_SYSCALL, 4000, { NULL }, "syscall" },
	{ "none is one, too", WICK_REASON_SYSCALL, -1, { NULL }, "syscall" },
	{ "being preempted says more than where", WICK_REASON_PREEMPTED, SYS_read,
	  { "schedule", "pipe_read" }, "preempted" },
	{ "waiting for a disk says more than the system call", WICK_REASON_DISK, SYS_read,
	  { "schedule" }, "disk" },
	{ "a page fault within a system call is one", WICK_REASON_FAULT, SYS_read, { NULL },
	  "page-fault" },
	{ "a page fault that reads a file is of the disk", WICK_REASON_FAULT, -1,
	  { "io_schedule", "folio_wait_bit", "exc_page_fault" }, "disk" },
	{ "one that waits for something else is not", WICK_REASON_FAULT, -1,
	  { "schedule", "handle_userfault", "exc_page_fault" }, "page-fault" },
	{ "a signal stops what would else be a fault", WICK_REASON_FAULT, -1,
	  { "schedule", "do_signal_stop", "get_signal" }, "stopped" },
	{ "a kernel thread is the kernel", WICK_REASON_KERNEL, -1, { NULL }, "kernel" },
	{ "a number nobody knows is other", 99, -1, { NULL }, "other" },
};

static void test_reason(void **state)
{
	const struct reason_case *c = *state;
	size_t count = 0;

	while (count < 4 && c->functions[count])
		count++;
	assert_string_equal(reason_text(c->reason, c->syscall, c->functions, count), c->text);
}

int main(void)
{
	return unit_run_rows("reasons", test_reason, UNIT_ROWS(cases));
}
