/* SPDX-License-Identifier: BSD-2-Clause */
#include "formats/sink.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "formats/sink_impl.h"

struct sink_memory {
	struct sink sink;
	struct strbuf *buf;
	size_t start; /* what @buf held before us */
	bool finished;
};

int sink_write(struct sink *sink, const void *bytes, size_t size)
{
	if (!sink->error && size) {
		sink->error = sink->ops->write(sink, bytes, size);
		if (!sink->error)
			sink->written_bytes += size;
	}
	return sink->error;
}

int sink_text(struct sink *sink, const char *text)
{
	return sink_write(sink, text, strlen(text));
}

int sink_printf(struct sink *sink, const char *format, ...)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	char small[256];
	va_list args;
	int size;

	va_start(args, format);
	size = vsnprintf(small, sizeof(small), format, args);
	va_end(args);
	if (size >= 0 && (size_t)size < sizeof(small))
		return sink_write(sink, small, (size_t)size);
	va_start(args, format);
	strbuf_vprintf(&text, format, args);
	va_end(args);
	if (!sink->error)
		sink->error = text.error;
	return sink_write(sink, text.data, text.size);
}

int sink_error(const struct sink *sink)
{
	return sink->error;
}

uint64_t sink_written_bytes(const struct sink *sink)
{
	while (sink->below)
		sink = sink->below;
	return sink->written_bytes;
}

int sink_close(struct sink *sink)
{
	int r = sink->error;

	if (!r)
		r = sink->ops->finish(sink);
	sink->ops->free(sink);
	return r;
}

struct sink *sink_abort(struct sink *sink)
{
	if (sink)
		sink->ops->free(sink);
	return NULL;
}

static int sink_memory_write(struct sink *sink, const void *bytes, size_t size)
{
	struct strbuf *buf = ((struct sink_memory *)sink)->buf;

	strbuf_add(buf, bytes, size);
	return buf->error;
}

static int sink_memory_finish(struct sink *sink)
{
	((struct sink_memory *)sink)->finished = true;
	return 0;
}

static void sink_memory_free(struct sink *sink)
{
	struct sink_memory *memory = (struct sink_memory *)sink;

	if (!memory->finished && memory->buf->size > memory->start) {
		memory->buf->size = memory->start;
		memory->buf->data[memory->start] = '\0';
	}
	free(memory);
}

static const struct sink_ops sink_memory_ops = {
	.write = sink_memory_write,
	.finish = sink_memory_finish,
	.free = sink_memory_free,
};

int sink_open_memory(struct strbuf *buf, struct sink **ret)
{
	struct sink_memory *memory = calloc(1, sizeof(*memory));

	if (!memory)
		return -ENOMEM;
	memory->sink.ops = &sink_memory_ops;
	memory->buf = buf;
	memory->start = buf->size;
	*ret = &memory->sink;
	return 0;
}

static int sink_borrowed_write(struct sink *sink, const void *bytes, size_t size)
{
	return sink_write(sink->below, bytes, size);
}

static int sink_borrowed_finish(struct sink *sink)
{
	return sink->below->error;
}

static void sink_borrowed_free(struct sink *sink)
{
	free(sink);
}

static const struct sink_ops sink_borrowed_ops = {
	.write = sink_borrowed_write,
	.finish = sink_borrowed_finish,
	.free = sink_borrowed_free,
};

int sink_open_borrowed(struct sink *below, struct sink **ret)
{
	struct sink *sink = calloc(1, sizeof(*sink));

	if (!sink)
		return -ENOMEM;
	sink->ops = &sink_borrowed_ops;
	sink->below = below;
	*ret = sink;
	return 0;
}
