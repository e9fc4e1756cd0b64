/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * utf8.h - make sure that text is UTF-8, which all our formats require.
 *
 * Names come from ELF files, from the kernel's comm and from anyone's
 * /proc/PID: nothing keeps them from holding arbitrary bytes.
 */
#ifndef WICK_UTF8_H
#define WICK_UTF8_H

#include <stddef.h>
#include "profiler/base/strbuf.h"

/* How many bytes at the start of @text are valid UTF-8, up to @size. */
size_t utf8_valid_bytes(const char *text, size_t size);
/* Append @text to @buf, each byte that fits no character replaced by U+FFFD. */
void utf8_repair(struct strbuf *buf, const char *text, size_t size);

#endif
