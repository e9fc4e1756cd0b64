/* SPDX-License-Identifier: BSD-2-Clause */
#include "formats/sink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "formats/sink_impl.h"

/*
 * On profiles level 3 gives nearly the size of 6 in a third of its time; see
 * the numbers of the benchmarks.
 */
#define GZIP_LEVEL 3
#define GZIP_HEADER 16 /* added to the window bits: gzip, not zlib */
#define GZIP_IN_BYTES (16 << 10)
#define GZIP_OUT_BYTES (64 << 10)

struct sink_gzip {
	struct sink sink;
	z_stream stream;
	size_t pending; /* bytes in @in; small writes would each cost a deflate() */
	unsigned char in[GZIP_IN_BYTES];
	unsigned char out[GZIP_OUT_BYTES];
};

/* Compress @bytes and hand on what comes out; with Z_FINISH all that is left. */
static int gzip_deflate(struct sink_gzip *gzip, const void *bytes, size_t size, int flush)
{
	z_stream *stream = &gzip->stream;
	int r;

	stream->next_in = (unsigned char *)bytes;
	stream->avail_in = (uInt)size;
	do {
		stream->next_out = gzip->out;
		stream->avail_out = sizeof(gzip->out);
		if (deflate(stream, flush) == Z_STREAM_ERROR)
			return -EIO;
		r = sink_write(gzip->sink.below, gzip->out, sizeof(gzip->out) - stream->avail_out);
		if (r < 0)
			return r;
	} while (!stream->avail_out);
	return 0;
}

static int gzip_flush(struct sink_gzip *gzip, int flush)
{
	size_t size = gzip->pending;

	gzip->pending = 0;
	return gzip_deflate(gzip, gzip->in, size, flush);
}

static int sink_gzip_write(struct sink *sink, const void *bytes, size_t size)
{
	struct sink_gzip *gzip = (struct sink_gzip *)sink;
	const unsigned char *from = bytes;
	size_t part;
	int r;

	while (size) {
		part = sizeof(gzip->in) - gzip->pending;
		if (part > size)
			part = size;
		memcpy(gzip->in + gzip->pending, from, part);
		gzip->pending += part;
		from += part;
		size -= part;
		if (gzip->pending < sizeof(gzip->in))
			break;
		r = gzip_flush(gzip, Z_NO_FLUSH);
		if (r < 0)
			return r;
	}
	return 0;
}

static int sink_gzip_finish(struct sink *sink)
{
	int r = gzip_flush((struct sink_gzip *)sink, Z_FINISH);

	return r < 0 ? r : sink_close(take_ptr(sink->below));
}

static void sink_gzip_free(struct sink *sink)
{
	struct sink_gzip *gzip = (struct sink_gzip *)sink;

	deflateEnd(&gzip->stream);
	sink_abort(sink->below);
	free(gzip);
}

static const struct sink_ops sink_gzip_ops = {
	.write = sink_gzip_write,
	.finish = sink_gzip_finish,
	.free = sink_gzip_free,
};

int sink_open_gzip(struct sink *below, int level, struct sink **ret)
{
	_cleanup_free_ struct sink_gzip *gzip = malloc(sizeof(*gzip));
	int r;

	if (!gzip)
		return -ENOMEM;
	gzip->sink = (struct sink){ .ops = &sink_gzip_ops, .below = below };
	gzip->stream = (z_stream){ 0 };
	gzip->pending = 0;
	r = deflateInit2(&gzip->stream, level ? level : GZIP_LEVEL, Z_DEFLATED,
			 MAX_WBITS + GZIP_HEADER, 8, Z_DEFAULT_STRATEGY);
	if (r != Z_OK)
		return r == Z_MEM_ERROR ? -ENOMEM : -EINVAL;
	*ret = &take_ptr(gzip)->sink;
	return 0;
}
