/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main_module.h - the program that a profile is of.
 *
 * Readers of pprof take the first mapping for it: go tool pprof prints it as "File:".
 */
#ifndef WICK_MAIN_MODULE_H
#define WICK_MAIN_MODULE_H

#include "profiler/resolve.h"

/*
 * The program most samples begin in, first of the target process and else of all; NULL
 * in *@ret without any, as when only the kernel ran. The reference is the caller's.
 * Returns 0 or -ENOMEM.
 */
int main_module_find(const struct resolve_options *options, struct module **ret);
/* The program the user stack @id begins in, or NULL. The reference is the caller's. */
struct module *main_module_of_stack(const struct resolve_options *options, uint64_t id);

#endif
