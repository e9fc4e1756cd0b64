/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/strbuf.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/alloc.h"

/* Shared by all empty buffers; its capacity is 0, so that nothing is ever written to it. */
char strbuf_empty_[1];

/* Room for @size more bytes and a NUL; false once anything has failed. */
static bool strbuf_reserve(struct strbuf *buf, size_t size)
{
	char *data = buf->capacity ? buf->data : NULL;

	if (buf->error)
		return false;
	if (size >= SIZE_MAX - buf->size || alloc_grow(&data, &buf->capacity, buf->size + size + 1))
		buf->error = -ENOMEM;
	else
		buf->data = data;
	return !buf->error;
}

void strbuf_add(struct strbuf *buf, const void *bytes, size_t size)
{
	if (!size || !strbuf_reserve(buf, size))
		return;
	memcpy(buf->data + buf->size, bytes, size);
	buf->size += size;
	buf->data[buf->size] = '\0';
}

void strbuf_add_text(struct strbuf *buf, const char *text)
{
	strbuf_add(buf, text, strlen(text));
}

void strbuf_add_char(struct strbuf *buf, char c)
{
	strbuf_add(buf, &c, 1);
}

void strbuf_vprintf(struct strbuf *buf, const char *format, va_list args)
{
	size_t room = buf->capacity ? buf->capacity - buf->size : 0;
	va_list again;
	int size;

	if (buf->error)
		return;
	va_copy(again, args);
	size = vsnprintf(room ? buf->data + buf->size : NULL, room, format, args);
	if (size < 0) {
		buf->error = -ENOMEM;
	} else if ((size_t)size < room) {
		buf->size += (size_t)size;
	} else if (strbuf_reserve(buf, (size_t)size)) {
		vsnprintf(buf->data + buf->size, (size_t)size + 1, format, again);
		buf->size += (size_t)size;
	} else if (room) {
		buf->data[buf->size] = '\0';	/* no half of a text */
	}
	va_end(again);
}

void strbuf_printf(struct strbuf *buf, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	strbuf_vprintf(buf, format, args);
	va_end(args);
}

void strbuf_reset(struct strbuf *buf)
{
	buf->size = 0;
	buf->error = 0;
	if (buf->capacity)
		buf->data[0] = '\0';
}

char *strbuf_take(struct strbuf *buf)
{
	char *text = NULL;

	/* An empty buffer owns nothing yet, and the caller will free() what we return. */
	if (strbuf_reserve(buf, 0)) {
		buf->data[buf->size] = '\0';
		text = buf->data;
		buf->capacity = 0;
	}
	strbuf_done(buf);
	return text;
}

void strbuf_done(struct strbuf *buf)
{
	if (buf->capacity)
		free(buf->data);
	*buf = (struct strbuf)STRBUF_INIT;
}
