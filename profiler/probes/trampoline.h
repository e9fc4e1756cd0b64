/* SPDX-License-Identifier: BSD-2-Clause */
/* trampoline.h - whether a function of the kernel can be probed by fentry (Linux 5.5, where it is allowed). */
#ifndef WICK_TRAMPOLINE_H
#define WICK_TRAMPOLINE_H

#include <stdbool.h>

/* Attaches a program that does nothing, for a moment: what kernels allow is told by nothing else. */
bool trampoline_is_possible(const char *function);

#endif
