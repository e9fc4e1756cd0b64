/* SPDX-License-Identifier: BSD-2-Clause */
#include "formats/decompress.h"

#include <errno.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "profiler/base/alloc.h"
#include "profiler/base/cleanup.h"

#define STEP_BYTES ((size_t)64 << 10)
#define GZIP_WINDOW (15 + 16) /* 16: a gzip header, and nothing else */
#define ZSTD_WINDOW_LOG_MAX 27 /* what the command line tool takes, too: 128 MiB */
#define INPUT_STEP_MAX ((size_t)1 << 30) /* zlib counts in 32 bits */

struct output {
	uint8_t *bytes;
	size_t size, capacity, limit;
};

/* Room for at least one more byte. */
static int output_grow(struct output *output)
{
	if (output->size > output->limit)
		return -EFBIG;
	if (output->size < output->capacity)
		return 0;
	return alloc_grow(&output->bytes, &output->capacity, output->size + STEP_BYTES);
}

static void gzip_done(z_stream *stream)
{
	inflateEnd(stream);
}

static size_t smaller(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Inflate on, until there is no room or the member ends. Returns zlib's code. */
static int gzip_step(z_stream *stream, const uint8_t *end, struct output *output)
{
	size_t room = smaller(output->capacity - output->size, INPUT_STEP_MAX);
	int code;

	stream->avail_in = (uInt)smaller((size_t)(end - stream->next_in), INPUT_STEP_MAX);
	stream->next_out = output->bytes + output->size;
	stream->avail_out = (uInt)room;
	code = inflate(stream, Z_NO_FLUSH);
	output->size += room - stream->avail_out;
	return code;
}

static int gzip_decompress(const uint8_t *bytes, size_t size, struct output *output)
{
	_cleanup_(gzip_done) z_stream stream = { .next_in = (uint8_t *)bytes };
	const uint8_t *end = bytes + size;
	int code, r;

	if (inflateInit2(&stream, GZIP_WINDOW) != Z_OK)
		return -ENOMEM;
	for (;;) {
		r = output_grow(output);
		if (r < 0)
			return r;
		code = gzip_step(&stream, end, output);
		if (code == Z_STREAM_END && stream.next_in == end)
			return 0;
		if (code == Z_STREAM_END)
			code = inflateReset(&stream);
		if (code == Z_MEM_ERROR)
			return -ENOMEM;
		if (code != Z_OK)
			return -EBADMSG;
	}
}

static void zstd_freep(ZSTD_DCtx **context)
{
	ZSTD_freeDCtx(*context);
}

static int zstd_decompress(const uint8_t *bytes, size_t size, struct output *output)
{
	_cleanup_(zstd_freep) ZSTD_DCtx *context = ZSTD_createDCtx();
	ZSTD_inBuffer in = { .src = bytes, .size = size };
	ZSTD_outBuffer out;
	size_t left = 0, before;
	int r;

	if (!context)
		return -ENOMEM;
	ZSTD_DCtx_setParameter(context, ZSTD_d_windowLogMax, ZSTD_WINDOW_LOG_MAX);
	do {
		r = output_grow(output);
		if (r < 0)
			return r;
		before = in.pos;
		out = (ZSTD_outBuffer){ .dst = output->bytes, .size = output->capacity,
					.pos = output->size };
		left = ZSTD_decompressStream(context, &out, &in);
		if (ZSTD_isError(left))
			return -EBADMSG;
		/* It wants more, and there is none. */
		if (left && in.pos == size && in.pos == before && out.pos == output->size)
			return -EBADMSG;
		output->size = out.pos;
	} while (left || in.pos < size);
	return 0;
}

static const struct compression {
	unsigned char magic[4];
	size_t magic_size;
	int (*decompress)(const uint8_t *bytes, size_t size, struct output *output);
} compressions[] = {
	{ { 0x1f, 0x8b }, 2, gzip_decompress },
	{ { 0x28, 0xb5, 0x2f, 0xfd }, 4, zstd_decompress },
};

static const struct compression *find_compression(const void *bytes, size_t size)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(compressions); i++)
		if (size >= compressions[i].magic_size &&
		    !memcmp(bytes, compressions[i].magic, compressions[i].magic_size))
			return &compressions[i];
	return NULL;
}

bool decompress_detect(const void *bytes, size_t size)
{
	return find_compression(bytes, size) != NULL;
}

int decompress(const void *bytes, size_t size, size_t limit, uint8_t **ret, size_t *ret_size)
{
	const struct compression *compression = find_compression(bytes, size);
	struct output output = { .limit = limit };
	int r;

	if (!compression)
		return -EBADMSG;
	r = compression->decompress(bytes, size, &output);
	if (r >= 0 && output.size > limit)
		r = -EFBIG;
	if (r < 0) {
		free(output.bytes);
		return r;
	}
	*ret = output.bytes;
	*ret_size = output.size;
	return 0;
}
