/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/message.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "profiler/base/plain_text.h"

/* Longer than any message. */
#define TEXT_BYTES 4096

static void say(const char *kind, const char *format, va_list args)
{
	char text[TEXT_BYTES];

	vsnprintf(text, sizeof(text), format, args);
	plain_text_lines(text);
	/* As one call: threads that debug must not mix in their lines. */
	fprintf(stderr, "wick: %s%s\n", kind, text);
}

void message_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("", format, args);
	va_end(args);
}

void message_warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("warning: ", format, args);
	va_end(args);
}

int message_error(const struct error *err)
{
	message_note("%s", err->text);
	return err->kind;
}

int message_no_memory(struct error *err)
{
	return error_set(err, ERROR_FAILED, -ENOMEM, "out of memory");
}

int message_print(const struct strbuf *text)
{
	struct error err;

	if (text->error) {
		message_no_memory(&err);
		return message_error(&err);
	}
	if (fwrite(text->data, 1, text->size, stdout) == text->size && !fflush(stdout))
		return 0;
	error_set(&err, ERROR_FAILED, -errno, "cannot write: standard output: %s",
		  strerror(errno));
	return message_error(&err);
}
