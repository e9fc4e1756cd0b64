/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/item.h"

#include <string.h>

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

const char *item_end(const char *text, const char **ret_reason)
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

char *item_next(char **rest)
{
	char *item = *rest, *end;
	const char *unused;

	if (!item)
		return NULL;
	/* What is unfinished is one item to its end: who reads it will say what is wrong. */
	end = (char *)item_end(item, &unused) ?: item + strlen(item);
	*rest = *end ? end + 1 : NULL;
	*end = 0;
	return item;
}
