/* SPDX-License-Identifier: BSD-2-Clause */
/* syscall_flags.h - names of numbers that system calls take: flags, commands, kinds. */
#ifndef WICK_SYSCALL_FLAGS_H
#define WICK_SYSCALL_FLAGS_H

#include <stddef.h>
#include <stdint.h>

struct flag_name {
	uint64_t value;
	const char *name;
};

/*
 * Bits of @mask are one number, the others flags: those of several bits come before those they hold.
 * With the mask ~0 there are no flags, with 0 there is no such number.
 */
struct flag_set {
	uint64_t mask;
	const struct flag_name *names;	/* end with a NULL name */
};

extern const struct flag_set flags_open, flags_at, flags_unlink, flags_access, flags_protection,
	flags_mapping, flags_remap, flags_sync_mapping, flags_advice, flags_family, flags_socket,
	flags_message, flags_socket_level, flags_shutdown, flags_mask_how, flags_whence,
	flags_clock, flags_timer, flags_fcntl, flags_ioctl, flags_futex, flags_clone,
	flags_epoll_op, flags_epoll_create, flags_flock, flags_allocate, flags_rename, flags_pipe,
	flags_eventfd, flags_timerfd, flags_inotify, flags_random, flags_wait, flags_prctl,
	flags_arch, flags_resource, flags_usage, flags_ptrace, flags_bpf, flags_policy,
	flags_splice, flags_memfd, flags_mount, flags_unmount, flags_stat_mask, flags_fadvise,
	flags_membarrier, flags_accept, flags_priority, flags_wait_kind, flags_module,
	flags_module_end, flags_kexec, flags_kexec_file, flags_seccomp, flags_seccomp_filter;

#endif
