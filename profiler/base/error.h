/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * error.h - a failure with the sentence the user will read.
 *
 * Libraries do not print: they fill a struct error and return its negative
 * errno; tools print it once. The text has the form
 * "what we tried: object: reason", and for a lack of rights the exact fix.
 */
#ifndef WICK_ERROR_H
#define WICK_ERROR_H

#include "profiler/base/cleanup.h"

enum error_kind {
	ERROR_FAILED = 1,		/* exit status 1 */
	ERROR_USAGE = 2,		/* exit status 2 */
	ERROR_NOT_SUPPORTED = 3,	/* exit status 3: not permitted or not supported here */
};

struct error {
	enum error_kind kind;
	int code;		/* negative errno */
	char text[1024];
};

/* Fills @err (which may be NULL) and returns @code, a negative errno. */
int error_set(struct error *err, enum error_kind kind, int code, const char *format, ...)
	_printf_(4, 5);

#endif
