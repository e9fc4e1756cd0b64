/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * process_root.h - the root folder of a process that sees other files than we do.
 */
#ifndef WICK_PROCESS_ROOT_H
#define WICK_PROCESS_ROOT_H

#include "profiler/processes/process.h"

/*
 * A descriptor by O_PATH of the root of @process, or of the nearest ancestor that is there,
 * for whoever looks for files by the paths it knows. Returns -ENOENT when that is our own
 * root and mount namespace, when nobody is there, or when its file system may never answer.
 */
int process_root_open(const struct process *process);

#endif
