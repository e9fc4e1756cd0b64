/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source_parse.c - an event as it is written, "syscall:read+write,min=1ms", by the source table.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/number.h"
#include "profiler/session.h"
#include "profiler/sources/source.h"

int source_parse_duration(const char *text, void *field)
{
	return number_parse_duration_ns(text, field) < 0 ? -EINVAL : 0;
}

size_t source_name_size(const char *text)
{
	return strcspn(text, ":,");
}

static const struct source_option *option_find(const struct source *source, const char *name,
					       size_t size)
{
	for (const struct source_option *o = source->options; o && o->name; o++)
		if (strlen(o->name) == size && !memcmp(o->name, name, size))
			return o;
	return NULL;
}

bool source_has_flag(const struct source *source, const char *name, size_t size)
{
	const struct source_option *option = option_find(source, name, size);

	return option && !option->parse;
}

/* Names of the options, for the complaint about an unknown one. */
static void options_list(const struct source *source, char *ret, size_t size)
{
	size_t used = 0;

	ret[0] = 0;
	for (const struct source_option *o = source->options; o && o->name && used < size; o++)
		used += snprintf(ret + used, size - used, "%s%s%s", used ? ", " : "", o->name,
				 o->parse ? "=" : "");
}

static int parse_option(const struct source *source, char *item, struct wick_settings *settings,
			struct error *err)
{
	char *value = strchr(item, '='), known[256];
	size_t size = value ? (size_t)(value - item) : strlen(item);
	const struct source_option *option = option_find(source, item, size);
	void *field;

	if (!option) {
		options_list(source, known, sizeof(known));
		return error_set(err, ERROR_USAGE, -EINVAL, "unknown option of %s: %s: %s%s",
				 source->name, item, known[0] ? "it has " : "it has none", known);
	}
	field = (char *)settings + option->offset;
	if (!option->parse != !value)
		return error_set(err, ERROR_USAGE, -EINVAL, "bad option of %s: %s: %s",
				 source->name, item, value ? "takes no value" : "needs =VALUE");
	if (!value)
		*(uint32_t *)field = 1;
	else if (option->parse(value + 1, field) < 0)
		return error_set(err, ERROR_USAGE, -EINVAL, "bad option of %s: %s: %s",
				 source->name, item, option->help);
	return 0;
}

static int parse_options(const struct source *source, char *rest, struct wick_settings *settings,
			 struct error *err)
{
	char *item;
	int r = 0;

	while (!r && (item = strsep(&rest, ",")))
		r = parse_option(source, item, settings, err);
	if (!r && settings->value_max && settings->value_min > settings->value_max)
		r = error_set(err, ERROR_USAGE, -EINVAL,
			      "bad options of %s: min= is above max=: nothing would be left",
			      source->name);
	return r;
}

bool session_event_has_flag(const char *text, const char *item)
{
	_cleanup_free_ char *name = strndup(text, source_name_size(text));
	const struct source *source = name ? source_find(name) : NULL;

	return source && source_has_flag(source, item, strcspn(item, ","));
}

int session_event_check(const char *text, struct error *err)
{
	struct wick_settings unused = { 0 };
	const struct source *source;

	return source_parse(text, &source, &unused, err);
}

int source_parse(const char *text, const struct source **ret, struct wick_settings *settings,
		 struct error *err)
{
	_cleanup_free_ char *copy = strdup(text);
	char *rest = copy, *name, *argument;
	const struct source *source;
	int r = 0;

	if (!copy)
		return error_set(err, ERROR_FAILED, -ENOMEM, "no memory");
	name = strsep(&rest, ",");
	argument = strchr(name, ':');
	if (argument)
		*argument++ = 0;
	source = source_find(name);
	if (!source)
		return error_set(err, ERROR_USAGE, -ENOENT, "no such event: %s; see: wick list",
				 name);
	if (argument && !source->parse_argument)
		return error_set(err, ERROR_USAGE, -EINVAL, "bad event: %s: %s takes nothing "
				 "behind a colon", text, name);
	memcpy(settings->option, source->option, sizeof(settings->option));
	if (argument)
		r = source->parse_argument(argument, settings, err);
	r = r ?: parse_options(source, rest, settings, err);
	if (!r)
		*ret = source;
	return r;
}
