/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * syscall_arguments.h - what the arguments of system calls mean: flags, modes, signals, as strace has them.
 *
 * By the names that the kernel gives them (events/syscalls/sys_enter_NAME/format). One that is not in the
 * table is shown by its type.
 */
#ifndef WICK_SYSCALL_ARGUMENTS_H
#define WICK_SYSCALL_ARGUMENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "profiler/base/strbuf.h"
#include "symbolizer/types/type_info.h"

struct syscall_argument;

/* NULL: only its type is known. */
const struct syscall_argument *syscall_argument_find(const char *syscall, const char *name);
void syscall_argument_show(const struct syscall_argument *argument, uint64_t value,
			   struct strbuf *ret);
/*
 * @type, of a number, gets the names that the argument's numbers have as those of an enum: "O_CREAT",
 * "SIGKILL", "AT_FDCWD".
 */
void syscall_argument_name_type(const struct syscall_argument *argument, struct type_info *type);
/* Whether it is shown in words, and not as a number in some other base. */
bool syscall_argument_has_words(const struct syscall_argument *argument);

/* Whether the call takes it at all, when its flags are these; an argument that is not, holds anything. */
bool syscall_argument_is_used(const struct syscall_argument *argument, uint64_t flags);

/* Each row of the table, for tests: false after the last. The system call is NULL for all that have it. */
bool syscall_argument_at(size_t index, const char **ret_syscall, const char **ret_name);

#endif
