/* SPDX-License-Identifier: BSD-2-Clause */
/* descendants.h - the processes below others, as /proc has them at this moment. */
#ifndef WICK_DESCENDANTS_H
#define WICK_DESCENDANTS_H

#include <stddef.h>
#include <sys/types.h>

/*
 * Children of @pids, their children and so on, without @pids themselves. The caller frees *@ret.
 * What is started while it reads may be missing. Returns how many, or a negative errno.
 */
ssize_t descendants_read(const pid_t *pids, size_t count, pid_t **ret);

#endif
