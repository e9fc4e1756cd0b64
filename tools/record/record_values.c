/* SPDX-License-Identifier: BSD-2-Clause */
/* record_values.c - what --event and --by of wick record know, for help, man page and completion. */
#include <string.h>

#include "profiler/session.h"
#include "tools/record/record_options.h"

/* ---- options of events ---- */

static const char *option_of(size_t event, const char *option, const char **ret_help)
{
	const char *name;

	for (size_t i = 0; (name = session_event_option(event, i, ret_help)); i++)
		if (!strcmp(name, option))
			return name;
	return NULL;
}

static bool has_before(size_t event, const char *option)
{
	const char *help;

	while (event--)
		if (option_of(event, option, &help))
			return true;
	return false;
}

/* Each option once. NULL after the last. */
static const char *option_at(size_t index, const char **ret_help)
{
	const char *name, *unused;

	for (size_t event = 0; session_source_name(event, &unused); event++)
		for (size_t i = 0; (name = session_event_option(event, i, ret_help)); i++)
			if (!has_before(event, name) && !index--)
				return name;
	return NULL;
}

bool record_event_option(size_t index, struct strbuf *ret_name, struct strbuf *ret_help)
{
	const char *help, *name = option_at(index, &help), *event, *unused;
	const char *comma = "; of ";

	if (!name)
		return false;
	strbuf_add_text(ret_name, name);
	strbuf_add_text(ret_help, help);
	for (size_t i = 0; (event = session_source_name(i, &unused)); i++) {
		if (!option_of(i, name, &unused))
			continue;
		strbuf_printf(ret_help, "%s%s", comma, event);
		comma = ", ";
	}
	return true;
}

/* ---- keys of --by ---- */

const char *record_by_choice(size_t index, const char **ret_help)
{
	static const struct {
		const char *name, *help;
	} always[] = {
		{ "comm", "the name of the process" },
		{ "thread", "the name of the thread" },
		{ "pid", "the number of the process" },
		{ "tid", "the number of the thread" },
	};
	size_t labels = 0;

	if (index < ARRAY_SIZE(always)) {
		*ret_help = always[index].help;
		return always[index].name;
	}
	index -= ARRAY_SIZE(always);
	while (session_label_name(labels, ret_help))
		labels++;
	return index < labels ? session_label_name(index, ret_help) :
				session_own_label(index - labels, ret_help);
}
