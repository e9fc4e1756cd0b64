/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz.h - what fuzz targets share.
 *
 * A target is a file fuzz_NAME.c with LLVMFuzzerTestOneInput(), which feeds any
 * bytes to one reader of foreign input and checks what must hold of every
 * answer. Linked with libFuzzer it searches (tests/fuzz/run); linked with
 * replay.c, by any compiler, it runs the committed inputs: corpus/NAME, where a
 * search begins, and found/NAME, each of which once broke something.
 */
#ifndef WICK_FUZZ_H
#define WICK_FUZZ_H

#include <stddef.h>
#include <stdint.h>

#include "profiler/base/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* A finding: says @what and dies. */
_Noreturn void fuzz_fail(const char *what);

static inline void fuzz_check(int holds, const char *what)
{
	if (!holds)
		fuzz_fail(what);
}

/* Read every byte, so that a sanitizer sees those that are not there. */
void fuzz_touch(const void *bytes, size_t size);
void fuzz_touch_text(const char *text);
/* A copy as a C string, which ends at the first NUL; the caller frees it. */
char *fuzz_text(const uint8_t *bytes, size_t size);
/* A file with these bytes; the caller closes it. */
int fuzz_file(const void *bytes, size_t size);

#endif
