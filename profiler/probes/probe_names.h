/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe_names.h - numbers that have names wherever they are seen: protocols, states and flags of TCP, errors.
 */
#ifndef WICK_PROBE_NAMES_H
#define WICK_PROBE_NAMES_H

#include "profiler/expressions/probe_expression.h"

/*
 * The number @name stands for in a value that is shown so: "tcp", "IPPROTO_TCP", "SYN", "ESTABLISHED",
 * "ENOENT" (2). Returns 0 or -ENOENT.
 */
int probe_name_find(enum probe_show show, const char *name, uint64_t *ret);
/* NULL: it has none. Of TCP_FLAGS the name of a single one; of ERRNO that of the positive number. */
const char *probe_name(enum probe_show show, uint64_t number);

#endif
