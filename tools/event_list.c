/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/event_list.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "profiler/base/strbuf.h"

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

/* Behind the quote that ends the one at @text, or NULL. */
static const char *skip_quoted(const char *text)
{
	const char *end = strchr(text + 1, *text);

	return end ? end + 1 : NULL;
}

/*
 * Behind the '>' that ends the '<' at @text, or NULL: then it is no bracket,
 * as in operator< or arg1<5. An arrow, and the '>' of operator>, end nothing.
 */
static const char *skip_angles(const char *text)
{
	size_t depth = 0;

	for (; *text; text++) {
		if (*text == '<')
			depth++;
		else if (*text == '>' && text[-1] != '-' && !--depth)
			return text + 1;
	}
	return NULL;
}

/* Behind the ')' that ends the '(' at @text, or NULL. */
static const char *skip_parentheses(const char *text)
{
	size_t depth = 0;

	while (text && *text) {
		if (*text == '"' || *text == '\'') {
			text = skip_quoted(text);
			continue;
		}
		if (*text == '(')
			depth++;
		else if (*text == ')' && !--depth)
			return text + 1;
		text++;
	}
	return NULL;
}

/* The comma or the end behind the item at @text; NULL with a reason when it is unfinished. */
static const char *skip_item(const char *text, const char **ret_reason)
{
	const char *next = NULL;

	for (; *text && *text != ','; text = next) {
		if (*text == '(') {
			next = skip_parentheses(text);
		} else if (*text == '"' || *text == '\'') {
			next = skip_quoted(text);
		} else {
			next = *text == '<' ? skip_angles(text) : NULL;
			if (!next)
				next = text + 1;
		}
		if (!next) {
			*ret_reason = *text == '(' ? "a ( without )" : "a quote without end";
			return NULL;
		}
	}
	return text;
}

static bool is_key_value(const char *item, size_t size)
{
	size_t key = strspn(item, NAME_CHARACTERS);

	return key && key < size && item[key] == '=';
}

static int append_setting(char **event, const char *item, size_t size)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	char *longer;

	strbuf_printf(&text, "%s,%.*s", *event, (int)size, item);
	longer = strbuf_take(&text);
	if (!longer)
		return -ENOMEM;
	free(*event);
	*event = longer;
	return 0;
}

static int add_item(struct text_list *list, const char *item, size_t size,
		    const char **ret_reason)
{
	if (!size) {
		*ret_reason = "an empty event";
		return -EINVAL;
	}
	if (!is_key_value(item, size))
		return text_list_add(list, item, size);
	if (!list->count) {
		*ret_reason = "KEY=VALUE before the first event";
		return -EINVAL;
	}
	return append_setting(&list->texts[list->count - 1], item, size);
}

int event_list_add(struct text_list *list, const char *text, const char **ret_reason)
{
	for (;;) {
		const char *end = skip_item(text, ret_reason);
		int r;

		if (!end)
			return -EINVAL;
		r = add_item(list, text, (size_t)(end - text), ret_reason);
		if (r < 0 || !*end)
			return r;
		text = end + 1;
	}
}

size_t event_name_size(const char *text)
{
	return strspn(text, NAME_CHARACTERS);
}
