/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe_list.h - every probe that matches, with its arguments, of the kernel and of any file.
 *
 * Reads. Only where one function of the kernel is asked for, a program that does nothing is attached to it
 * for a moment.
 */
#ifndef WICK_PROBE_LIST_H
#define WICK_PROBE_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include "profiler/base/cleanup.h"
#include "profiler/base/error.h"
#include "profiler/probes/probe_files.h"

struct probe_list;

struct probe_entry {
	const char *event;	/* for -e: "kprobe:vfs_read" */
	const char *
		arguments; /* "struct file * file, size_t count"; "" when there are none, or not known */
	const char *result;	/* "ssize_t"; "" */
	/* Of a function of the kernel that is asked for by its own name: why it is a kprobe; NULL: by fentry. */
	bool has_way;
	const char *kprobe_reason;
};

/*
 * @pattern: "tracepoint:sched:*", "uprobe:libc:mem*", "usdt:python3:*", "syscall:*at"; without a scheme
 * ("*tcp*") all of the kernel's. Returns 0, also when nothing matches; -ENOENT, -EINVAL with the
 * sentence in @err; -ENOMEM.
 */
int probe_list_read(const char *pattern, const struct probe_targets *targets,
		    struct probe_list **ret, struct error *err);
struct probe_list *probe_list_free(struct probe_list *list);
DEFINE_CLEANUP(struct probe_list *, probe_list_free)
size_t probe_list_count(const struct probe_list *list);
const struct probe_entry *probe_list_at(const struct probe_list *list, size_t index);
/*
 * "the debug information of /bin/x made its reader die": why arguments are missing, of the last such file.
 * NULL: none are.
 */
const char *probe_list_note(const struct probe_list *list);

#endif
