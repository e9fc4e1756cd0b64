/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "formats/sink.h"
#include "tests/unit/fail_alloc.h"

#define LARGE_BYTES 300000 /* more than any buffer on the way */

/* Not compressible to nothing, and the same each time. */
static void fill(unsigned char *bytes, size_t size)
{
	uint32_t x = 1;
	size_t i;

	for (i = 0; i < size; i++) {
		x = x * 1664525 + 1013904223;
		bytes[i] = (unsigned char)(x >> 28);
	}
}

static size_t gzip_decode(const struct strbuf *in, void *out, size_t size)
{
	z_stream stream = { .next_in = (unsigned char *)in->data,
			    .avail_in = (uInt)in->size,
			    .next_out = out,
			    .avail_out = (uInt)size };
	int r;

	if (inflateInit2(&stream, MAX_WBITS + 16) != Z_OK)
		return 0;
	r = inflate(&stream, Z_FINISH);
	inflateEnd(&stream);
	return r == Z_STREAM_END && !stream.avail_in ? stream.total_out : 0;
}

static size_t zstd_decode(const struct strbuf *in, void *out, size_t size)
{
	size_t r = ZSTD_decompress(out, size, in->data, in->size);

	return ZSTD_isError(r) ? 0 : r;
}

static const struct packed_case {
	const char *name;
	int (*open)(struct sink *below, int level, struct sink **ret);
	size_t (*decode)(const struct strbuf *in, void *out, size_t size);
	size_t size;
	size_t part; /* written at once */
} packed_cases[] = {
	{ "gzip of nothing", sink_open_gzip, gzip_decode, 0, 1 },
	{ "gzip of small writes", sink_open_gzip, gzip_decode, LARGE_BYTES, 7 },
	{ "gzip of one large write", sink_open_gzip, gzip_decode, LARGE_BYTES, LARGE_BYTES },
	{ "gzip of exactly one buffer", sink_open_gzip, gzip_decode, 16384, 16384 },
	{ "zstd of nothing", sink_open_zstd, zstd_decode, 0, 1 },
	{ "zstd of small writes", sink_open_zstd, zstd_decode, LARGE_BYTES, 7 },
	{ "zstd of one large write", sink_open_zstd, zstd_decode, LARGE_BYTES, LARGE_BYTES },
};

static int pack(const struct packed_case *c, const unsigned char *bytes, struct strbuf *ret)
{
	_cleanup_(sink_abortp) struct sink *below = NULL;
	struct sink *sink;
	size_t at, part;
	int r;

	r = sink_open_memory(ret, &below);
	if (r < 0)
		return r;
	r = c->open(below, 0, &sink);
	if (r < 0)
		return r;
	below = NULL;
	for (at = 0; at < c->size; at += part) {
		part = c->size - at < c->part ? c->size - at : c->part;
		sink_write(sink, bytes + at, part);
	}
	return sink_close(sink);
}

static void packed_row(void **state)
{
	const struct packed_case *c = *state;
	_cleanup_free_ unsigned char *bytes = malloc(LARGE_BYTES);
	_cleanup_free_ unsigned char *out = malloc(LARGE_BYTES);
	_cleanup_strbuf_ struct strbuf packed = STRBUF_INIT, again = STRBUF_INIT;

	fill(bytes, LARGE_BYTES);
	assert_int_equal(pack(c, bytes, &packed), 0);
	assert_int_equal(c->decode(&packed, out, LARGE_BYTES), c->size);
	assert_memory_equal(out, bytes, c->size);
	assert_true(!c->size || packed.size < c->size * 3 / 4);
	assert_int_equal(pack(c, bytes, &again), 0);
	assert_int_equal(packed.size, again.size);
	assert_memory_equal(packed.data, again.data, packed.size);
}

static void test_full(void **state)
{
	_cleanup_free_ unsigned char *bytes = malloc(LARGE_BYTES);
	struct sink *below, *sink;

	fill(bytes, LARGE_BYTES);
	assert_int_equal(sink_open_file("/dev/full", &below), 0);
	assert_int_equal(sink_open_zstd(below, 0, &sink), 0);
	sink_write(sink, bytes, LARGE_BYTES);
	assert_int_equal(sink_close(sink), -ENOSPC);
	assert_int_equal(sink_open_file("/dev/full", &below), 0);
	assert_int_equal(sink_open_gzip(below, 0, &sink), 0);
	sink_text(sink, "short");
	assert_int_equal(sink_close(sink), -ENOSPC);
}

static void test_abort(void **state)
{
	_cleanup_free_ unsigned char *bytes = malloc(LARGE_BYTES);
	_cleanup_strbuf_ struct strbuf buf = STRBUF_INIT;
	struct sink *below, *sink;

	fill(bytes, LARGE_BYTES);
	assert_int_equal(sink_open_memory(&buf, &below), 0);
	assert_int_equal(sink_open_gzip(below, 9, &sink), 0);
	sink_write(sink, bytes, LARGE_BYTES);
	assert_true(sink_written_bytes(sink) > 0);
	assert_true(sink_written_bytes(sink) < LARGE_BYTES);
	assert_null(sink_abort(sink));
	assert_int_equal(buf.size, 0);
}

static void test_bad_level(void **state)
{
	_cleanup_strbuf_ struct strbuf buf = STRBUF_INIT;
	struct sink *below, *sink = NULL;

	assert_int_equal(sink_open_memory(&buf, &below), 0);
	assert_int_equal(sink_open_gzip(below, 77, &sink), -EINVAL);
	assert_null(sink);
	sink_text(below, "still there");
	assert_int_equal(sink_close(below), 0);
	assert_string_equal(buf.data, "still there");
}

static int pack_small(void *arg)
{
	_cleanup_strbuf_ struct strbuf buf = STRBUF_INIT;
	const struct packed_case c = { .open = sink_open_gzip, .size = 10, .part = 1 };

	return pack(&c, (const unsigned char *)"0123456789", &buf);
}

static void test_no_memory(void **state)
{
	assert_true(fail_alloc_each(pack_small, NULL) > 2);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("a full disk is an error", test_full),
		UNIT_TEST("what is aborted is dropped below, too", test_abort),
		UNIT_TEST("a bad level leaves the sink below to its owner", test_bad_level),
		UNIT_TEST("each allocation may fail", test_no_memory),
	};

	return unit_run_rows("packed", packed_row, UNIT_ROWS(packed_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
