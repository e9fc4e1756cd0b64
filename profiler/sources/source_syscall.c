/* SPDX-License-Identifier: BSD-2-Clause */
/* source_syscall.c - which system calls the syscall source is asked for: "read+write", "open*". */
#include <errno.h>
#include <string.h>

#include "profiler/sources/source_rows.h"
#include "profiler/sources/syscalls.h"

_Static_assert(SYSCALLS_MAX == WICK_SYSCALL_WORDS * 64, "each system call has a bit");

int source_syscall_parse(const char *text, struct wick_settings *settings, struct error *err)
{
	_cleanup_free_ char *copy = strdup(text);
	char *rest = copy, *pattern;

	if (!copy)
		return error_set(err, ERROR_FAILED, -ENOMEM, "no memory");
	while ((pattern = strsep(&rest, "+"))) {
		uint64_t i = syscall_next(pattern, 0);

		if (i == SYSCALLS_MAX)
			return syscall_refuse(pattern, err);
		for (; i < SYSCALLS_MAX; i = syscall_next(pattern, i + 1))
			settings->syscalls[i / 64] |= 1ull << i % 64;
	}
	settings->option[0] = 1;
	return 0;
}
