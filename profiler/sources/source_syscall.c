/* SPDX-License-Identifier: BSD-2-Clause */
/* source_syscall.c - which system calls the syscall source is asked for: "read+write". */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/suggest.h"
#include "profiler/sources/source_rows.h"
#include "profiler/sources/syscalls.h"

static int refuse(const char *name, struct error *err)
{
	struct suggestion suggestion = { .wanted = name };
	const char *nearest;

	for (uint64_t i = 0; i < WICK_SYSCALL_WORDS * 64; i++)
		if (syscall_name(i))
			suggestion_offer(&suggestion, syscall_name(i));
	nearest = suggestion_get(&suggestion);
	return error_set(err, ERROR_USAGE, -EINVAL, "no such system call: %s: %s%s%s", name,
			 nearest ? "did you mean " : "see man 2 syscalls", nearest ? nearest : "",
			 nearest ? "?" : "");
}

int source_syscall_parse(const char *text, struct wick_settings *settings, struct error *err)
{
	_cleanup_free_ char *copy = strdup(text);
	char *rest = copy, *name;

	if (!copy)
		return error_set(err, ERROR_FAILED, -ENOMEM, "no memory");
	while ((name = strsep(&rest, "+"))) {
		int number = syscall_number(name);

		if (number < 0 || number >= WICK_SYSCALL_WORDS * 64)
			return refuse(name, err);
		settings->syscalls[number / 64] |= 1ull << number % 64;
	}
	settings->option[0] = 1;
	return 0;
}
