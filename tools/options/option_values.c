/* SPDX-License-Identifier: BSD-2-Clause */
/* The kinds of fields that options of every command have. */
#include "tools/options/options.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "profiler/base/number.h"
#include "profiler/base/strbuf.h"
#include "profiler/base/suggest.h"

static int refuse_memory(struct error *err)
{
	return error_set(err, ERROR_FAILED, -ENOMEM, "out of memory");
}

int option_refuse(const struct option_row *row, const char *value, struct error *err,
		  const char *reason, ...)
{
	const char letter[] = { row->letter, '\0' };
	char text[256];
	va_list args;

	va_start(args, reason);
	vsnprintf(text, sizeof(text), reason, args);
	va_end(args);
	return error_set(err, ERROR_USAGE, -EINVAL, "bad value: %s%s %s: %s",
			 row->name ? "--" : "-", row->name ? row->name : letter, value, text);
}

int option_refuse_choice(const struct option_row *row, const char *value, struct error *err)
{
	struct suggestion suggestion = { .wanted = value };
	_cleanup_strbuf_ struct strbuf known = STRBUF_INIT;
	const char *name, *help;
	size_t i;

	for (i = 0; (name = row->choice(i, &help)); i++) {
		strbuf_printf(&known, "%s%s", i ? ", " : "", name);
		suggestion_offer(&suggestion, name);
	}
	if (suggestion_get(&suggestion))
		return option_refuse(row, value, err, "did you mean %s?",
				     suggestion_get(&suggestion));
	return option_refuse(row, value, err, "known are %s", known.data);
}

int option_split(const struct option_row *row, const char *value, void *field, struct error *err,
		 option_parse_fn *parse)
{
	const char *rest = value;
	int r;

	for (;;) {
		size_t size = strcspn(rest, ",");
		_cleanup_free_ char *item = strndup(rest, size);

		if (!item)
			return refuse_memory(err);
		if (!size)
			return option_refuse(row, value, err, "an empty %s",
					     *value ? "item in the list" : "value");
		r = parse(row, item, field, err);
		if (r < 0 || !rest[size])
			return r;
		rest += size + 1;
	}
}

int text_list_add(struct text_list *list, const char *text, size_t size)
{
	_cleanup_free_ char *copy = strndup(text, size);

	if (!copy || alloc_grow(&list->texts, &list->capacity, list->count + 1) < 0)
		return -ENOMEM;
	list->texts[list->count++] = take_ptr(copy);
	return 0;
}

void text_list_done(struct text_list *list)
{
	size_t i;

	for (i = 0; i < list->count; i++)
		free(list->texts[i]);
	free(list->texts);
	*list = (struct text_list){ 0 };
}

void process_list_done(struct process_list *list)
{
	free(list->ids);
	*list = (struct process_list){ 0 };
}

int option_parse_flag(const struct option_row *row, const char *value, void *field,
		      struct error *err)
{
	*(bool *)field = true;
	return 0;
}

int option_parse_u32(const struct option_row *row, const char *value, void *field,
		     struct error *err)
{
	uint64_t max = row->max ? row->max : UINT32_MAX, number;

	if (number_parse_u64(value, max, &number) < 0 || number < row->min)
		return option_refuse(row, value, err, "not a number from %" PRIu64 " to %" PRIu64,
				     row->min, max);
	*(uint32_t *)field = (uint32_t)number;
	return 0;
}

int option_parse_duration(const struct option_row *row, const char *value, void *field,
			  struct error *err)
{
	uint64_t ns;

	if (number_parse_duration_ns(value, &ns) < 0)
		return option_refuse(row, value, err, "not a time such as 10, 500ms or 2m");
	if (ns < row->min)
		return option_refuse(row, value, err, "too short");
	*(uint64_t *)field = ns;
	return 0;
}

int option_parse_size(const struct option_row *row, const char *value, void *field,
		      struct error *err)
{
	uint64_t bytes;

	if (number_parse_size_bytes(value, &bytes) < 0)
		return option_refuse(row, value, err, "not a size such as 64M or 1G");
	if (bytes < row->min)
		return option_refuse(row, value, err, "less than %" PRIu64 " bytes", row->min);
	*(uint64_t *)field = bytes;
	return 0;
}

int option_parse_text(const struct option_row *row, const char *value, void *field,
		      struct error *err)
{
	if (!*value)
		return option_refuse(row, value, err, "an empty value");
	*(const char **)field = value;
	return 0;
}

static int parse_list_text(const struct option_row *row, const char *value, void *field,
			   struct error *err)
{
	if (!*value)
		return option_refuse(row, value, err, "an empty value");
	if (text_list_add(field, value, strlen(value)) < 0)
		return refuse_memory(err);
	return 0;
}

int option_parse_texts(const struct option_row *row, const char *value, void *field,
		       struct error *err)
{
	if (row->is_list)
		return option_split(row, value, field, err, parse_list_text);
	return parse_list_text(row, value, field, err);
}

int option_parse_choice(const struct option_row *row, const char *value, void *field,
			struct error *err)
{
	const char *name, *help;
	int i;

	for (i = 0; (name = row->choice((size_t)i, &help)); i++) {
		if (strcmp(name, value))
			continue;
		*(int *)field = i;
		return 0;
	}
	return option_refuse_choice(row, value, err);
}

static int parse_process(const struct option_row *row, const char *value, void *field,
			 struct error *err)
{
	struct process_list *list = field;
	uint64_t id;

	if (number_parse_u64(value, INT_MAX, &id) < 0 || !id)
		return option_refuse(row, value, err, "not the number of a process or thread");
	if (alloc_grow(&list->ids, &list->capacity, list->count + 1) < 0)
		return refuse_memory(err);
	list->ids[list->count++] = (pid_t)id;
	return 0;
}

int option_parse_processes(const struct option_row *row, const char *value, void *field,
			   struct error *err)
{
	return option_split(row, value, field, err, parse_process);
}
