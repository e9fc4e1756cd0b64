/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/options/event_list.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "profiler/base/item.h"
#include "profiler/base/strbuf.h"

#define NAME_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

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
		const char *end = item_end(text, ret_reason);
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
