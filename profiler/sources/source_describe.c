/* SPDX-License-Identifier: BSD-2-Clause */
/* source_describe.c - the source table in words: what there is, and what may be asked of it. */
#include <stdio.h>
#include <string.h>

#include "profiler/labels/labels.h"
#include "profiler/session.h"
#include "profiler/sources/source.h"
#include "profiler/sources/source_probe.h"

const char *session_source_name(size_t index, const char **ret_help)
{
	for (size_t i = 0; i <= index; i++)
		if (!source_table[i].name)
			return NULL;
	*ret_help = source_table[index].help;
	return source_table[index].name;
}

bool session_event_value(const char *text, size_t index, char ret[SESSION_VALUE_BYTES])
{
	_cleanup_request_ struct source_request request = { 0 };
	const struct source_value *values;
	const char *unit;

	_Static_assert(SOURCE_PROBE_VALUE_BYTES == SESSION_VALUE_BYTES, "it is written there");
	if (source_parse(text, &request, NULL) < 0)
		return false;
	if (source_request_is_probe(&request, false))
		return source_probe_value(&request, index, ret, &unit);
	values = request.source->values;
	if (index >= SOURCE_VALUES_MAX || !values[index].type)
		return false;
	snprintf(ret, SESSION_VALUE_BYTES, "%s", values[index].type);
	return true;
}

const char *session_event_option(size_t event, size_t index, const char **ret_help)
{
	const struct source_option *option = source_table[event].options;

	for (; option && option->name; option++) {
		if (index--)
			continue;
		*ret_help = option->help;
		return option->shown ?: option->name;
	}
	return NULL;
}

/* ---- labels ---- */

static const char *own_label(const struct source *source, size_t index, const char **ret_help)
{
	const struct {
		const char *name, *help;
	} own[] = {
		{ source->key_label, source->key_help },
		{ source->peer_label, source->peer_help },
	};

	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		if (!own[i].name || index--)
			continue;
		*ret_help = own[i].help;
		return own[i].name;
	}
	return NULL;
}

/* Whether a row before @source has it, too. */
static bool is_known(const struct source *source, const char *label)
{
	const char *name, *help;

	for (const struct source *s = source_table; s < source; s++)
		for (size_t i = 0; (name = own_label(s, i, &help)); i++)
			if (!strcmp(name, label))
				return true;
	return false;
}

const char *session_own_label(size_t index, const char **ret_help)
{
	const char *name;

	for (const struct source *s = source_table; s->name; s++)
		for (size_t i = 0; (name = own_label(s, i, ret_help)); i++)
			if (!is_known(s, name) && !index--)
				return name;
	return NULL;
}

/* Of a composite those of its parts. */
static uint64_t source_labels(const struct source *source)
{
	uint64_t labels = source->labels;

	for (size_t i = 0; i < SOURCE_PARTS_MAX && source->parts[i]; i++)
		labels |= source_find(source->parts[i])->labels;
	return labels;
}

const char *session_event_label(size_t event, size_t index)
{
	const struct source *source = &source_table[event];
	uint64_t labels = source_labels(source);
	const char *name, *help;
	size_t own = 0;

	while (own_label(source, own, &help))
		own++;
	if (index < own)
		return own_label(source, index, &help);
	index -= own;
	for (size_t i = 0; (name = session_label_name(i, &help)); i++) {
		uint64_t wanted = labels_details(session_label_bit(name));

		if (wanted && !(wanted & ~labels) && !index--)
			return name;
	}
	return NULL;
}
