/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tracepoint_symbols.h - names of a field's numbers, from what the kernel prints of it.
 *
 * The kernel's "print fmt" is C: __print_symbolic(REC->reason, { 2, "NOT_SPECIFIED" }, …).
 */
#ifndef WICK_TRACEPOINT_SYMBOLS_H
#define WICK_TRACEPOINT_SYMBOLS_H

#include "profiler/base/arena.h"
#include "profiler/kernel_types/tracepoint_format.h"

/*
 * Fills in the enumerators of @field, in @arena; numbers that are written as something we do not
 * understand are left out. Returns 0 or -ENOMEM.
 */
int tracepoint_symbols_read(const char *print, struct arena *arena, struct tracepoint_field *field);
/* Of numbers that the kernel prints as such, of a few tracepoints: which capability, which signal. */
void tracepoint_symbols_known(const char *tracepoint, struct tracepoint_field *field);
/* Signals, as <signal.h> has them. */
const struct type_enumerator *tracepoint_symbols_signals(size_t *ret_count);

#endif
