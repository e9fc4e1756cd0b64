/* SPDX-License-Identifier: BSD-2-Clause */
/* privileges.h - what the machine must let us do, and what is said where it does not. */
#ifndef WICK_PRIVILEGES_H
#define WICK_PRIVILEGES_H

#include <stdbool.h>
#include "profiler/base/error.h"

/* Whether this is a place to record from at all. Returns 0 or a negative errno with @err. */
int privileges_check(struct error *err);
/*
 * Whether @code, a negative errno of loading or attaching, is a lack of rights. A
 * kernel that is locked down does not say so: the helpers are unknown to it then.
 */
bool privileges_lack(int code);
/* Fills @err with "@what: reason; the fix". Returns @code. */
int privileges_refuse(struct error *err, int code, const char *what);

#endif
