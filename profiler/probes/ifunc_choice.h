/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ifunc_choice.h - which function running processes call in place of an IFUNC.
 *
 * The resolver is not asked: what it chose lies in the slots of processes that have the file mapped, of
 * which wick itself may be one.
 */
#ifndef WICK_IFUNC_CHOICE_H
#define WICK_IFUNC_CHOICE_H

#include "profiler/probes/probe_files.h"
#include "symbolizer/code/function_list.h"

/*
 * In *@ret what @ifunc of @mod is in the first of @targets that tells or, if none does, in any process;
 * its name stays the IFUNC's, its size is 0 where nothing says it. Returns 0, -ENOENT when nobody
 * tells, -ENOMEM.
 */
int ifunc_choice_read(struct module *mod, const struct function_entry *ifunc,
		      const struct probe_targets *targets, struct function_entry *ret);

#endif
