/* SPDX-License-Identifier: BSD-2-Clause */
/* profile_value.h - which of a profile's values --value picks, and what --by finds in it. */
#ifndef WICK_PROFILE_VALUE_H
#define WICK_PROFILE_VALUE_H

#include "formats/profile.h"
#include "profiler/base/error.h"

/*
 * The value type called @name, or the profile's default without one. Returns 0,
 * or -ENOENT with @err, which lists those there are.
 */
int profile_value_find(const struct profile *profile, const char *name, uint32_t *ret,
		       struct error *err);
/* Says so when no sample has label @key. */
void profile_warn_key(const struct profile *profile, const char *key);

#endif
