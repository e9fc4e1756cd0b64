/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe_files.h - which files a probe's FILE means.
 *
 * A path is that file, in the root of each target first. Another name is a library or program: all
 * files of that name that targets (without targets: any process) have mapped now, containers'
 * included, and the one that the next process would find (library folders, then $PATH): a probe sits
 * on the file, and so in processes that start later. What targets have not mapped is looked for where
 * they would find it. An empty one is all that the targets have mapped or, when they are about to execute
 * a command, that command and the libraries it is loaded with.
 */
#ifndef WICK_PROBE_FILES_H
#define WICK_PROBE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include "profiler/base/cleanup.h"
#include "profiler/base/error.h"
#include "symbolizer/elf/module.h"

struct probe_targets {
	const pid_t *pids;
	size_t pid_count;
	const char *
		command; /* what they will execute first, as a shell would find it; NULL: they run */
};

struct probe_files {
	/* Each once, with its build ID; those asked for by path before others. */
	struct module **modules;
	size_t count, capacity;
};

/* Returns 0, -ENOENT or -EINVAL with the sentence in @err, -ENOMEM. probe_files_done() in every case. */
int probe_files_find(const char *name, const struct probe_targets *targets,
		     struct probe_files *ret, struct error *err);
void probe_files_done(struct probe_files *files);
/* Whether a file called @basename is the library or program @name: "libc.so.6" and "libc-2.31.so" are "libc". */
bool probe_file_is_called(const char *basename, const char *name);

#endif
