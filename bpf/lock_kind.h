/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * lock_kind.h - what the lock source says of a lock in WICK_DETAIL_KEY, for BPF and the host.
 *
 * Of the kernel's locks these are the flags of the tracepoint contention_begin (LCB_F_*,
 * include/trace/events/lock.h), which are not in its BTF, and a bit that keeps them from being 0.
 */
#ifndef WICK_LOCK_KIND_H
#define WICK_LOCK_KIND_H

#define WICK_LOCK_SPINS 0x01u
#define WICK_LOCK_READS 0x02u
#define WICK_LOCK_WRITES 0x04u
#define WICK_LOCK_RT 0x08u
#define WICK_LOCK_PERCPU 0x10u
#define WICK_LOCK_MUTEX 0x20u
#define WICK_LOCK_FLAGS 0x3fu

#define WICK_LOCK_OF_KERNEL 0x100u
#define WICK_LOCK_FUTEX 0x200u

#endif
