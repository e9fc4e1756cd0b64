/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plain_text.h - texts that others chose (names of tasks, files, functions) for people to see.
 *
 * Nothing of them may act on a terminal: control characters become '?'.
 */
#ifndef WICK_PLAIN_TEXT_H
#define WICK_PLAIN_TEXT_H

#include "profiler/base/strbuf.h"

/* In place. */
void plain_text(char *text);
/* In place, but for the ends of lines. */
void plain_text_lines(char *text);
void strbuf_add_plain(struct strbuf *buf, const char *text);

#endif
