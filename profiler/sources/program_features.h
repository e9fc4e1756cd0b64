/* SPDX-License-Identifier: BSD-2-Clause */
/* program_features.h - what this kernel's BPF can do for probes, found out by trying. */
#ifndef WICK_PROGRAM_FEATURES_H
#define WICK_PROGRAM_FEATURES_H

#include <stdbool.h>

/* Programs know by a cookie which attachment runs them (Linux 5.15). */
bool program_has_cookies(void);
/* Programs of uprobes may wait for memory (Linux 6.0). */
bool program_may_wait(void);

#endif
