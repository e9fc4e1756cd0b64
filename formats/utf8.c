/* SPDX-License-Identifier: BSD-2-Clause */
#include "formats/utf8.h"

#include <stdint.h>
#include <string.h>

#define UTF8_REPLACEMENT "\xef\xbf\xbd"
#define UTF8_HIGH_BITS 0x8080808080808080ULL

/*
 * Table 3-7 of the Unicode standard: the second byte's range is what keeps
 * out overlong forms, surrogates and anything above U+10FFFF.
 */
static const struct utf8_form {
	unsigned char first_min, first_max;
	unsigned char second_min, second_max;
	unsigned char size;
} utf8_forms[] = {
	{ 0xc2, 0xdf, 0x80, 0xbf, 2 }, { 0xe0, 0xe0, 0xa0, 0xbf, 3 }, { 0xe1, 0xec, 0x80, 0xbf, 3 },
	{ 0xed, 0xed, 0x80, 0x9f, 3 }, { 0xee, 0xef, 0x80, 0xbf, 3 }, { 0xf0, 0xf0, 0x90, 0xbf, 4 },
	{ 0xf1, 0xf3, 0x80, 0xbf, 4 }, { 0xf4, 0xf4, 0x80, 0x8f, 4 },
};

/* The size of the character at the start of @text, or 0 when there is none. */
static size_t utf8_character(const unsigned char *text, size_t size)
{
	const struct utf8_form *form;
	size_t i, k;

	if (text[0] < 0x80)
		return 1;
	for (i = 0; i < ARRAY_SIZE(utf8_forms); i++) {
		form = &utf8_forms[i];
		if (text[0] >= form->first_min && text[0] <= form->first_max)
			break;
	}
	if (i == ARRAY_SIZE(utf8_forms) || form->size > size)
		return 0;
	if (text[1] < form->second_min || text[1] > form->second_max)
		return 0;
	for (k = 2; k < form->size; k++) {
		if ((text[k] & 0xc0) != 0x80)
			return 0;
	}
	return form->size;
}

size_t utf8_valid_bytes(const char *text, size_t size)
{
	size_t at = 0;
	size_t step;
	uint64_t word;

	while (at < size) {
		/* Nearly every name is ASCII: eight bytes at a time. */
		if (size - at >= sizeof(word)) {
			memcpy(&word, text + at, sizeof(word));
			if (!(word & UTF8_HIGH_BITS)) {
				at += sizeof(word);
				continue;
			}
		}
		step = utf8_character((const unsigned char *)text + at, size - at);
		if (!step)
			break;
		at += step;
	}
	return at;
}

void utf8_repair(struct strbuf *buf, const char *text, size_t size)
{
	size_t valid;

	for (;;) {
		valid = utf8_valid_bytes(text, size);
		strbuf_add(buf, text, valid);
		if (valid == size)
			return;
		strbuf_add_text(buf, UTF8_REPLACEMENT);
		text += valid + 1;
		size -= valid + 1;
	}
}
