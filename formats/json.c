/* SPDX-License-Identifier: BSD-2-Clause */
#include "formats/json.h"

#include <string.h>

#include "formats/utf8.h"

static void add_escaped(struct strbuf *buf, const char *text)
{
	for (; *text; text++) {
		const unsigned char c = (unsigned char)*text;

		if (c == '"' || c == '\\')
			strbuf_add_char(buf, '\\');
		if (c == '\n')
			strbuf_add_text(buf, "\\n");
		else if (c < ' ' || c == 0x7f)
			strbuf_printf(buf, "\\u%04x", c);
		else
			strbuf_add_char(buf, *text);
	}
}

void json_add_text(struct strbuf *buf, const char *text)
{
	_cleanup_strbuf_ struct strbuf repaired = STRBUF_INIT;

	if (!text) {
		strbuf_add_text(buf, "null");
		return;
	}
	if (utf8_valid_bytes(text, strlen(text)) != strlen(text)) {
		utf8_repair(&repaired, text, strlen(text));
		if (repaired.error)
			buf->error = repaired.error;
		text = repaired.data;
	}
	strbuf_add_char(buf, '"');
	add_escaped(buf, text);
	strbuf_add_char(buf, '"');
}
