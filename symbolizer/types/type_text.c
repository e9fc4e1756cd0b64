/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/types/type_text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static void prepend(struct strbuf *buf, const char *text)
{
	size_t size = strlen(text);

	strbuf_add(buf, text, size);
	if (buf->error)
		return;
	memmove(buf->data + size, buf->data, buf->size - size);
	memcpy(buf->data, text, size);
}

static bool ends_with(const struct strbuf *buf, char c)
{
	return buf->size && buf->data[buf->size - 1] == c;
}

void type_text_base(struct type_text *text, const char *keyword, const char *name)
{
	strbuf_add_text(&text->before, keyword);
	if (*keyword)
		strbuf_add_char(&text->before, ' ');
	strbuf_add_text(&text->before, name);
}

void type_text_qualify(struct type_text *text, const char *qualifier)
{
	/* Of a pointer it stands behind the star, of others before the type. */
	if (ends_with(&text->before, '*')) {
		strbuf_add_text(&text->before, qualifier);
		return;
	}
	prepend(&text->before, " ");
	prepend(&text->before, qualifier);
}

void type_text_pointer(struct type_text *text, const char *mark)
{
	bool binds = text->after.size && strchr("[(", text->after.data[0]);

	if (!text->before.size || !strchr("*( ", text->before.data[text->before.size - 1]))
		strbuf_add_char(&text->before, ' ');
	if (binds) {
		strbuf_add_char(&text->before, '(');
		prepend(&text->after, ")");
	}
	strbuf_add_text(&text->before, mark);
}

void type_text_array(struct type_text *text, uint64_t count)
{
	char dimension[24] = "[]";

	if (count)
		snprintf(dimension, sizeof(dimension), "[%" PRIu64 "]", count);
	prepend(&text->after, dimension);
}

void type_text_function(struct type_text *text, const char *parameters)
{
	prepend(&text->after, ")");
	prepend(&text->after, parameters);
	prepend(&text->after, "(");
	if (!ends_with(&text->before, '*'))
		strbuf_add_char(&text->before, ' ');
}

const char *type_text_join(struct type_text *text)
{
	struct strbuf *before = &text->before;

	strbuf_add(before, text->after.data, text->after.size);
	return before->error || text->after.error ? NULL : before->data;
}

void type_text_reset(struct type_text *text)
{
	strbuf_reset(&text->before);
	strbuf_reset(&text->after);
}

void type_text_done(struct type_text *text)
{
	strbuf_done(&text->before);
	strbuf_done(&text->after);
}

const char *type_text_spelling(const char *name, size_t index)
{
	static const char *const spellings[][4] = {
		{ "short", "short int", "signed short" },
		{ "unsigned short", "short unsigned int", "unsigned short int" },
		{ "int", "signed", "signed int" },
		{ "unsigned int", "unsigned" },
		{ "long", "long int", "signed long" },
		{ "unsigned long", "long unsigned int", "unsigned long int" },
		{ "long long", "long long int", "signed long long" },
		{ "unsigned long long", "long long unsigned int", "unsigned long long int" },
		{ "bool", "_Bool" },
	};
	size_t row, i;

	for (row = 0; row < ARRAY_SIZE(spellings); row++) {
		for (i = 0; i < ARRAY_SIZE(spellings[row]) && spellings[row][i]; i++) {
			if (!strcmp(spellings[row][i], name))
				return index < ARRAY_SIZE(spellings[row]) ? spellings[row][index] :
									    NULL;
		}
	}
	return NULL;
}
