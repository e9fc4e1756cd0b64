/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe_show.h - what a probe read, as text for people.
 *
 * Knows how values are to be shown (enum probe_show); knows no events. Nothing that it writes is more
 * than a character to a terminal.
 */
#ifndef WICK_PROBE_SHOW_H
#define WICK_PROBE_SHOW_H

#include "profiler/base/strbuf.h"
#include "profiler/expressions/probe_expression.h"

void probe_show_number(const struct probe_value *value, uint64_t number, struct strbuf *ret);
/* @size bytes; @is_cut: there were more. */
void probe_show_bytes(const struct probe_value *value, const void *bytes, size_t size, bool is_cut,
		      struct strbuf *ret);
/* In quotes, as C has it: a quote, a backslash, control characters and what is not UTF-8 are escaped. */
void probe_show_quoted(const void *bytes, size_t size, struct strbuf *ret);
/*
 * What a system call returns to its caller: "-1 ENOENT (No such file or directory)", or
 * "? ERESTARTSYS (…)" of what no caller sees.
 */
void probe_show_error(int error, struct strbuf *ret);
/* "ENOENT", "ERESTARTSYS"; NULL: there is no such. */
const char *probe_error_name(int error);

#endif
