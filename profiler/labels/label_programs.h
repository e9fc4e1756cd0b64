/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * label_programs.h - which file a process executes.
 *
 * Read from /proc when a process is first seen, because it may be gone when that is wanted; for one
 * that was gone already, or has executed another program by then, the stacks of its samples tell.
 * Used by the processing thread, later by whoever resolves its window.
 */
#ifndef WICK_LABEL_PROGRAMS_H
#define WICK_LABEL_PROGRAMS_H

#include "bpf/sample_abi.h"
#include "profiler/base/cleanup.h"

struct label_programs;
struct resolve_options;
struct window;

struct label_programs *label_programs_new(void);
struct label_programs *label_programs_free(struct label_programs *programs);
DEFINE_CLEANUP(struct label_programs *, label_programs_free)

/* Look up the processes that are new in @window. */
void label_programs_note(struct label_programs *programs, const struct window *window);
/* Learn from the stacks of the whole run what could not be looked up. Returns 0 or -ENOMEM. */
int label_programs_learn(struct label_programs *programs, const struct resolve_options *options);
/* "/usr/bin/bash", or NULL: not known, or a kernel thread. It lives as long as @programs. */
const char *label_programs_find(const struct label_programs *programs,
				const struct wick_task *task);

#endif
