/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * syscalls.h - numbers of system calls and their names, of the machine this was built for.
 */
#ifndef WICK_SYSCALLS_H
#define WICK_SYSCALLS_H

#include <stdint.h>
#include "profiler/base/error.h"

/* Numbers are below it. */
#define SYSCALLS_MAX 512

/* NULL when there is none of that number. */
const char *syscall_name(uint64_t number);
/* The first from @number on whose name the glob @pattern matches, or SYSCALLS_MAX. */
uint64_t syscall_next(const char *pattern, uint64_t number);
/* Says that @pattern matches no system call, of a name with the nearest. Returns -EINVAL. */
int syscall_refuse(const char *pattern, struct error *err);
/* What the kernel's tracepoints call it: "newfstat" for fstat. */
const char *syscall_kernel_name(const char *name);

#endif
