/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/plain_text.h"

#define DELETE 0x7f

static char plain(char c)
{
	return (unsigned char)c < ' ' || c == DELETE ? '?' : c;
}

void plain_text(char *text)
{
	for (; *text; text++)
		*text = plain(*text);
}

void plain_text_lines(char *text)
{
	for (; *text; text++)
		if (*text != '\n')
			*text = plain(*text);
}

void strbuf_add_plain(struct strbuf *buf, const char *text)
{
	for (; *text; text++)
		strbuf_add_char(buf, plain(*text));
}
