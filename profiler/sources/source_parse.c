/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source_parse.c - an event as it is written, "syscall:read+write,min=1ms", by the source table.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/item.h"
#include "profiler/base/number.h"
#include "profiler/probes/probe_kind.h"
#include "profiler/session.h"
#include "profiler/sources/source.h"

int source_parse_duration(const char *text, void *field)
{
	return number_parse_duration_ns(text, field) < 0 ? -EINVAL : 0;
}

int source_parse_text(const char *text, void *field)
{
	char **place = field, *copy = strdup(text);

	if (!copy)
		return -ENOMEM;
	free(*place);
	*place = copy;
	return 0;
}

int source_parse_count(const char *text, void *field)
{
	return number_parse_u64(text, UINT64_MAX, field) < 0 || !*(uint64_t *)field ? -EINVAL : 0;
}

int source_parse_one(const char *text, void *field)
{
	if (strcmp(text, "1"))
		return -EINVAL;
	*(uint32_t *)field = 1;
	return 0;
}

void source_request_done(struct source_request *request)
{
	char **texts[] = { &request->argument, &request->show, &request->sum, &request->unit,
			   &request->labels, &request->filter };

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		free(take_ptr(*texts[i]));
}

bool source_request_has_values(const struct source_request *request)
{
	return request->show || request->sum || request->labels || request->filter;
}

bool source_request_is_probe(struct source_request *request, bool shows_all)
{
	const struct source *with_values = request->source->with_values;

	if (with_values && (shows_all || source_request_has_values(request)))
		request->source = with_values;
	return request->source->probe;
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

static int parse_option(struct source_request *request, char *item, struct error *err)
{
	const struct source *source = request->source;
	char *value = strchr(item, '='), known[256];
	size_t size = value ? (size_t)(value - item) : strlen(item);
	const struct source_option *option = option_find(source, item, size);
	void *field;
	int r = 0;

	if (!option) {
		options_list(source, known, sizeof(known));
		return error_set(err, ERROR_USAGE, -EINVAL, "unknown option of %s: %s: %s%s",
				 source->name, item, known[0] ? "it has " : "it has none", known);
	}
	field = (char *)request + option->offset;
	if (!option->parse != !value)
		return error_set(err, ERROR_USAGE, -EINVAL, "bad option of %s: %s: %s",
				 source->name, item, value ? "takes no value" : "needs =VALUE");
	if (value)
		r = option->parse(value + 1, field);
	else
		*(uint32_t *)field = 1;
	if (r == -ENOMEM)
		return error_set(err, ERROR_FAILED, r, "no memory");
	return r < 0 ? error_set(err, ERROR_USAGE, -EINVAL, "bad option of %s: %s: %s",
				 source->name, item, option->help) : 0;
}

static int parse_options(struct source_request *request, char *rest, struct error *err)
{
	const struct wick_settings *settings = &request->settings;
	char *item;
	int r = 0;

	while (!r && (item = item_next(&rest)))
		r = parse_option(request, item, err);
	if (!r && settings->value_max && settings->value_min > settings->value_max)
		r = error_set(err, ERROR_USAGE, -EINVAL,
			      "bad options of %s: min= is above max=: nothing would be left",
			      request->source->name);
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
	_cleanup_request_ struct source_request unused = { 0 };

	return source_parse(text, &unused, err);
}

static int parse_argument(struct source_request *request, const char *text, struct error *err)
{
	const struct source *source = request->source;
	int r = 0;

	if (source->probe || source->with_values)
		r = probe_check(request, text, err);
	if (r < 0 || source->probe)
		return r;
	if (!text)
		return 0;
	if (!source->parse_argument)
		return error_set(err, ERROR_USAGE, -EINVAL, "bad event: %s:%s: %s takes nothing "
				 "behind a colon", source->name, text, source->name);
	return source->parse_argument(text, &request->settings, err);
}

int source_parse(const char *text, struct source_request *ret, struct error *err)
{
	_cleanup_free_ char *copy = strdup(text);
	char *rest = copy, *name, *argument;
	int r;

	if (!copy)
		return error_set(err, ERROR_FAILED, -ENOMEM, "no memory");
	name = item_next(&rest);
	argument = strchr(name, ':');
	if (argument)
		*argument++ = 0;
	ret->source = source_find(name);
	/* A tracepoint may go without its scheme, "sched:sched_switch". */
	if (!ret->source && argument) {
		argument[-1] = ':';
		argument = name;
		ret->source = source_find("tracepoint");
	}
	if (!ret->source)
		return error_set(err, ERROR_USAGE, -ENOENT, "no such event: %s; see: wick list",
				 name);
	memcpy(ret->settings.option, ret->source->option, sizeof(ret->settings.option));
	r = parse_options(ret, rest, err);
	return r ?: parse_argument(ret, argument, err);
}
