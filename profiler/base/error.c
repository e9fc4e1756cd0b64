/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/error.h"

#include <stdarg.h>
#include <stdio.h>

int error_set(struct error *err, enum error_kind kind, int code, const char *format, ...)
{
	va_list args;

	if (!err)
		return code;
	va_start(args, format);
	err->kind = kind;
	err->code = code;
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return code;
}
