/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * stack_names.h - the texts of frames, each known by a number; only for stack_list.c.
 *
 * ";" and newlines, which separate frames and lines, become ":". Equal texts
 * have equal numbers, also where the profile's functions differ.
 */
#ifndef WICK_STACK_NAMES_H
#define WICK_STACK_NAMES_H

#include "formats/profile.h"
#include "profiler/base/intern.h"
#include "profiler/base/strbuf.h"

#define STACK_NAME_SEVERAL UINT32_MAX

struct stack_names {
	struct intern *texts;
	uint32_t *functions; /* by function index */
	uint32_t *locations; /* by location index; SEVERAL: one per line */
	uint32_t *tasks; /* by sample index, task_count each: comm, then labels */
	uint32_t task_count;
	struct strbuf text;
};

/* @by: NULL or label keys, ending with NULL. Returns 0 or -ENOMEM; call _done in any case. */
int stack_names_init(struct stack_names *names, const struct profile *profile,
		     const char *const *by);
void stack_names_done(struct stack_names *names);

#endif
