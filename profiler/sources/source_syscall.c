/* SPDX-License-Identifier: BSD-2-Clause */
/* source_syscall.c - which system calls the syscall source is asked for: "read+write". */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/sources/source_rows.h"
#include "profiler/sources/syscalls.h"

int source_syscall_parse(const char *text, struct wick_settings *settings, struct error *err)
{
	_cleanup_free_ char *copy = strdup(text);
	char *rest = copy, *name;

	if (!copy)
		return error_set(err, ERROR_FAILED, -ENOMEM, "no memory");
	while ((name = strsep(&rest, "+"))) {
		int number = syscall_number(name);

		if (number < 0 || number >= WICK_SYSCALL_WORDS * 64)
			return syscall_refuse(name, err);
		settings->syscalls[number / 64] |= 1ull << number % 64;
	}
	settings->option[0] = 1;
	return 0;
}
