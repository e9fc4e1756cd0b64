/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * go_prologue.h - how a function of Go begins: it looks whether its stack is large enough.
 *
 * Where it is not, or the scheduler wants the goroutine to stop, the function calls runtime.morestack and
 * begins again at its first byte (cmd/internal/obj/x86, stacksplit()). What is hit once a call is what
 * comes behind that: nothing of the arguments and the stack has changed by then.
 */
#ifndef WICK_GO_PROLOGUE_H
#define WICK_GO_PROLOGUE_H

#include <stddef.h>
#include <stdint.h>

/* As many of a function's first bytes as are looked at. */
#define GO_PROLOGUE_BYTES 48

/* How many of the @size first bytes of a function are that, of x86-64; 0: it does not begin so. */
size_t go_prologue_bytes(const uint8_t *bytes, size_t size);

#endif
