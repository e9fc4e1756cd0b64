/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * byte_reader.h - little-endian numbers out of untrusted bytes, one after the other.
 *
 * Reading past the end gives 0 and sets failed for good, to be checked once.
 */
#ifndef WICK_BYTE_READER_H
#define WICK_BYTE_READER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct byte_reader {
	const uint8_t *bytes;
	size_t size, position;
	bool failed;
};

static inline const uint8_t *byte_reader_skip(struct byte_reader *reader, uint64_t size)
{
	const uint8_t *bytes = reader->bytes + reader->position;

	if (reader->failed || size > reader->size - reader->position) {
		reader->failed = true;
		return NULL;
	}
	reader->position += size;
	return bytes;
}

/* @size is at most 8. */
static inline uint64_t byte_reader_fixed(struct byte_reader *reader, unsigned int size)
{
	const uint8_t *bytes = byte_reader_skip(reader, size);
	uint64_t value = 0;

	if (bytes)
		memcpy(&value, bytes, size);
	return value;
}

uint64_t byte_reader_uleb(struct byte_reader *reader);
int64_t byte_reader_sleb(struct byte_reader *reader);
/* A NUL-terminated text, NULL when it does not end. */
const char *byte_reader_text(struct byte_reader *reader);

#endif
