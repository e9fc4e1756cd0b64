/* SPDX-License-Identifier: BSD-2-Clause */
/* profile_checks.h - what must hold of every profile that was read, whatever it was read from. */
#ifndef WICK_PROFILE_CHECKS_H
#define WICK_PROFILE_CHECKS_H

#include "formats/profile.h"

/* All indices are valid, every writer can write it, and what pprof wrote reads as the same. */
void profile_check(const struct profile *profile);

#endif
