/* SPDX-License-Identifier: BSD-2-Clause */
#include "formats/xml.h"

#include <string.h>

#define XML_REPLACEMENT "\uFFFD"

/* What stands for the character at @text, or NULL when it may stay; its size in @ret_size. */
static const char *xml_escape(const char *text, size_t size, size_t *ret_size)
{
	*ret_size = 1;
	switch (*text) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\t':
	case '\n':
		return NULL;
	case '\xef':
		/* U+FFFE and U+FFFF are the only characters of UTF-8 that XML forbids. */
		*ret_size = 3;
		return size >= 3 && text[1] == '\xbf' && (unsigned char)text[2] >= 0xbe ?
			       XML_REPLACEMENT :
			       NULL;
	default:
		return (unsigned char)*text < ' ' ? XML_REPLACEMENT : NULL;
	}
}

int xml_write_bytes(struct sink *sink, const char *text, size_t size)
{
	const char *plain = text, *end = text + size, *escaped;
	size_t step;

	for (; text < end; text += step) {
		escaped = xml_escape(text, (size_t)(end - text), &step);
		if (!escaped)
			continue;
		sink_write(sink, plain, (size_t)(text - plain));
		sink_text(sink, escaped);
		plain = text + step;
	}
	return plain < end ? sink_write(sink, plain, (size_t)(end - plain)) : sink_error(sink);
}

int xml_write_text(struct sink *sink, const char *text)
{
	return xml_write_bytes(sink, text, strlen(text));
}
