/* SPDX-License-Identifier: BSD-2-Clause */
/* list_probes.h - wick list PATTERN: the probes that match, a line each, with their arguments. */
#ifndef WICK_LIST_PROBES_H
#define WICK_LIST_PROBES_H

#include <stdbool.h>
#include "tools/options/options.h"

/* Returns the exit status. Prints nothing but an error when nothing matches. */
int list_probes(const char *pattern, const struct process_list *pids, bool json);

#endif
