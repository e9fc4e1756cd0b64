/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reasons.h - what a task waits for, in a word: "futex", "disk", "sleep".
 */
#ifndef WICK_REASONS_H
#define WICK_REASONS_H

#include <stddef.h>

/*
 * @reason: an enum wick_reason. The functions of the kernel stack, leaf first, say more than the
 * number of the system call (-1: none), because a read may be of a disk, a pipe or a socket.
 * Returns a constant text.
 */
const char *reason_text(unsigned int reason, int syscall, const char *const *functions,
			size_t count);

#endif
