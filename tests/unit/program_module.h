/* SPDX-License-Identifier: BSD-2-Clause */
/* program_module.h - modules over programs that are there: installed ones, and workloads of the tests. */
#ifndef WICK_PROGRAM_MODULE_H
#define WICK_PROGRAM_MODULE_H

#include "symbolizer/elf/module.h"

/* A path, or the name of a workload. NULL: it cannot be opened, as one in a language that is missing here. */
struct module *program_module(const char *name);

#endif
