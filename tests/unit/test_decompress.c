/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "formats/decompress.h"
#include "formats/sink.h"

#define TEXT "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa;b 1\n"
#define LARGE_BYTES ((size_t)3 << 20)

static const struct compression_case {
	const char *name;
	int (*open)(struct sink *below, int level, struct sink **ret);
} compression_cases[] = {
	{ "gzip", sink_open_gzip },
	{ "zstd", sink_open_zstd },
};

static void compress(const struct compression_case *c, const void *bytes, size_t size,
		     struct strbuf *ret)
{
	struct sink *memory, *sink;

	assert_int_equal(sink_open_memory(ret, &memory), 0);
	assert_int_equal(c->open(memory, 0, &sink), 0);
	assert_int_equal(sink_write(sink, bytes, size), 0);
	assert_int_equal(sink_close(sink), 0);
}

static void assert_text(const struct strbuf *bytes, const char *wanted)
{
	_cleanup_free_ uint8_t *text = NULL;
	size_t size;

	assert_int_equal(decompress(bytes->data, bytes->size, 1000, &text, &size), 0);
	assert_int_equal(size, strlen(wanted));
	assert_memory_equal(text, wanted, size);
}

/* Whole, two in a row, cut at every byte, and larger than what is allowed. */
static void compression_row(void **state)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT, large = STRBUF_INIT;
	_cleanup_free_ uint8_t *zeros = calloc(1, LARGE_BYTES), *text = NULL;
	const struct compression_case *c = *state;
	size_t size, i, whole;

	compress(c, TEXT, strlen(TEXT), &bytes);
	assert_true(decompress_detect(bytes.data, bytes.size));
	assert_text(&bytes, TEXT);
	whole = bytes.size;
	for (i = 0; i < whole; i++)
		assert_int_equal(decompress(bytes.data, i, 1000, &text, &size), -EBADMSG);
	compress(c, TEXT, strlen(TEXT), &bytes);
	assert_text(&bytes, TEXT TEXT);

	compress(c, zeros, LARGE_BYTES, &large);
	assert_int_equal(decompress(large.data, large.size, LARGE_BYTES - 1, &text, &size),
			 -EFBIG);
	assert_int_equal(decompress(large.data, large.size, LARGE_BYTES, &text, &size), 0);
	assert_int_equal(size, LARGE_BYTES);
	assert_memory_equal(text, zeros, LARGE_BYTES);
}

int main(void)
{
	return unit_run_rows("decompress", compression_row, UNIT_ROWS(compression_cases));
}
