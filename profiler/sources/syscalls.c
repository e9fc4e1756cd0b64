/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/sources/syscalls.h"

#include <errno.h>
#include <fnmatch.h>
#include <stddef.h>
#include <string.h>

#include "profiler/base/cleanup.h"
#include "profiler/base/suggest.h"
#include "profiler/probes/probe_words.h"

static const char *const names[] = {
/* "[0] = "read"," and so on, from the C library's <sys/syscall.h>: the Makefile makes it. */
#include "profiler/sources/syscall_names.h"
};

const char *syscall_name(uint64_t number)
{
	return number < ARRAY_SIZE(names) ? names[number] : NULL;
}

uint64_t syscall_next(const char *pattern, uint64_t number)
{
	for (; number < SYSCALLS_MAX; number++)
		if (syscall_name(number) && !fnmatch(pattern, syscall_name(number), 0))
			break;
	return number;
}

/* What the kernel calls otherwise than the C library. */
static const char *const kernel_names[][2] = {
	{ "fstat", "newfstat" }, { "lstat", "newlstat" },      { "stat", "newstat" },
	{ "uname", "newuname" }, { "sendfile", "sendfile64" }, { "umount2", "umount" },
};

const char *syscall_kernel_name(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(kernel_names); i++)
		if (!strcmp(kernel_names[i][0], name))
			return kernel_names[i][1];
	return name;
}

int syscall_refuse(const char *pattern, struct error *err)
{
	struct suggestion suggestion = { .wanted = pattern };
	const char *nearest;

	if (probe_name_is_glob(pattern))
		return error_set(err, ERROR_USAGE, -EINVAL, "no system call matches: %s; see: wick "
				 "list 'syscall:*'", pattern);
	for (uint64_t i = 0; i < SYSCALLS_MAX; i++)
		if (syscall_name(i))
			suggestion_offer(&suggestion, syscall_name(i));
	nearest = suggestion_get(&suggestion);
	return error_set(err, ERROR_USAGE, -EINVAL, "no such system call: %s: %s%s%s", pattern,
			 nearest ? "did you mean " : "see: wick list 'syscall:*'",
			 nearest ? nearest : "", nearest ? "?" : "");
}
