/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/elf/byte_reader.h"

uint64_t byte_reader_uleb(struct byte_reader *reader)
{
	uint64_t value = 0;
	unsigned int shift;
	uint8_t byte;

	for (shift = 0; !reader->failed; shift += 7) {
		byte = (uint8_t)byte_reader_fixed(reader, 1);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			break;
	}
	return value;
}

int64_t byte_reader_sleb(struct byte_reader *reader)
{
	uint64_t value = 0;
	unsigned int shift = 0;
	uint8_t byte;

	do {
		byte = (uint8_t)byte_reader_fixed(reader, 1);
		if (shift < 64)
			value |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
	} while (byte & 0x80 && !reader->failed);
	if (shift < 64 && byte & 0x40)
		value |= UINT64_MAX << shift;
	return (int64_t)value;
}

const char *byte_reader_text(struct byte_reader *reader)
{
	const uint8_t *start = reader->bytes + reader->position, *end;

	end = reader->failed ? NULL : memchr(start, '\0', reader->size - reader->position);
	if (!end) {
		reader->failed = true;
		return NULL;
	}
	reader->position += (size_t)(end - start) + 1;
	return (const char *)start;
}
