/* SPDX-License-Identifier: BSD-2-Clause */
/* probe_files_private.h - adding files to those that were found; for probe_files.c and loaded_files.c only. */
#ifndef WICK_PROBE_FILES_PRIVATE_H
#define WICK_PROBE_FILES_PRIVATE_H

#include "profiler/probes/probe_files.h"

/*
 * @root: a descriptor of the root folder that @path begins at, borrowed; -1: ours. Returns 1, also when
 * it was added before, 0 when no regular file is there, or -ENOMEM.
 */
int probe_files_add(struct probe_files *files, int root, const char *path);

/* A library or program as the next process would find it. Returns 0 or -ENOMEM. */
int loaded_files_add(struct probe_files *files, int root, const char *name);
/* What a shell would execute for @command, with all the libraries that it is loaded with. */
int loaded_files_add_command(struct probe_files *files, const char *command);

#endif
