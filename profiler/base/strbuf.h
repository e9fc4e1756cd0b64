/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * strbuf.h - a growing string that remembers its first failure.
 *
 * Start from STRBUF_INIT, append, then check strbuf_error() once. data is
 * always NUL-terminated (also when empty: it then points to a constant).
 */
#ifndef WICK_STRBUF_H
#define WICK_STRBUF_H

#include <stdarg.h>
#include <stddef.h>
#include "profiler/base/cleanup.h"

struct strbuf {
	char *data;
	size_t size;		/* bytes without the terminating NUL */
	size_t capacity;
	int error;		/* 0, or -ENOMEM once an append failed */
};

extern char strbuf_empty_[1];
#define STRBUF_INIT { .data = strbuf_empty_ }

void strbuf_add(struct strbuf *buf, const void *bytes, size_t size);
void strbuf_add_text(struct strbuf *buf, const char *text);
void strbuf_add_char(struct strbuf *buf, char c);
void strbuf_printf(struct strbuf *buf, const char *format, ...) _printf_(2, 3);
void strbuf_vprintf(struct strbuf *buf, const char *format, va_list args);
/* Empties it and keeps the memory; forgets the error. */
void strbuf_reset(struct strbuf *buf);
/* The text, now the caller's to free(); NULL after an error. @buf is as from STRBUF_INIT. */
char *strbuf_take(struct strbuf *buf);
void strbuf_done(struct strbuf *buf);
#define _cleanup_strbuf_ _cleanup_(strbuf_done)

#endif
