/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * message.h - what wick says to the person who runs it.
 *
 * Data goes to standard output, everything else to standard error, each line
 * behind "wick: ".
 */
#ifndef WICK_MESSAGE_H
#define WICK_MESSAGE_H

#include "profiler/base/error.h"
#include "profiler/base/strbuf.h"

void message_note(const char *format, ...) _printf_(1, 2);
void message_warn(const char *format, ...) _printf_(1, 2);
/* Returns the exit status that @err stands for. */
int message_error(const struct error *err);
/* Fills @err for a lack of memory. Returns -ENOMEM. */
int message_no_memory(struct error *err);
/* @text on standard output. Returns the exit status: a full disk or a closed pipe is a failure. */
int message_print(const struct strbuf *text);

#endif
