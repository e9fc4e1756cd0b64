/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/record/record_options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/suggest.h"
#include "tools/message.h"
#include "tools/options/event_list.h"

#define BY_KEYS_MAX 15	/* as many as writers take */
#define EVENT_DEFAULT "cpu"

void record_options_init(struct record_options *options)
{
	*options = (struct record_options){
		.frequency_hz = 99,
		.stacks = SESSION_STACKS_USER | SESSION_STACKS_KERNEL,
		.top = 20,
	};
}

void record_options_done(struct record_options *options)
{
	process_list_done(&options->pids);
	process_list_done(&options->tids);
	text_list_done(&options->events);
	text_list_done(&options->outputs);
	text_list_done(&options->by);
	free(take_ptr(options->session_events));
}

/*
 * Names only: what follows them is for the source to understand. Here, because
 * a typo should be said to be one before anything needs a privilege.
 */
static int check_event(const char *text, struct error *err)
{
	size_t size = event_name_size(text), i;
	_cleanup_free_ char *wanted = strndup(text, size);
	struct suggestion suggestion = { .wanted = wanted };
	const char *name, *help, *nearest;

	if (!wanted)
		return message_no_memory(err);
	for (i = 0; (name = session_source_name(i, &help)); i++) {
		if (event_name_size(name) == size && !memcmp(name, text, size))
			return session_event_check(text, err);
		suggestion_offer(&suggestion, name);
	}
	nearest = suggestion_get(&suggestion);
	/* As perf has it: a tracepoint may go without its scheme. */
	if (!nearest && text[size] == ':')
		return session_event_check(text, err);
	return error_set(err, ERROR_USAGE, -EINVAL, "unknown event: %s: %s%s%s", text,
			 nearest ? "did you mean " : "see wick list",
			 nearest ? nearest : "", nearest ? "?" : "");
}

static bool is_event(const char *text)
{
	const char *name, *help;
	size_t i;

	for (i = 0; (name = session_source_name(i, &help)); i++)
		if (event_name_size(text) == strlen(name) && !strncmp(name, text, strlen(name)))
			return true;
	return false;
}

/* "offcpu,waker" is one event with an option, not two: only the sources know. */
static int join_flags(struct text_list *events, struct error *err)
{
	size_t kept = 0, i;

	for (i = 0; i < events->count; i++) {
		char *text = events->texts[i], *joined;

		if (!kept || is_event(text) ||
		    !session_event_has_flag(events->texts[kept - 1], text)) {
			events->texts[kept++] = text;
			continue;
		}
		if (asprintf(&joined, "%s,%s", events->texts[kept - 1], text) < 0)
			return message_no_memory(err);
		free(events->texts[kept - 1]);
		free(text);
		events->texts[kept - 1] = joined;
	}
	events->count = kept;
	return 0;
}

static int make_events(struct record_options *options, struct error *err)
{
	size_t i;
	int r = join_flags(&options->events, err);

	if (r < 0)
		return r;
	options->session_events = calloc(options->events.count + 1, sizeof(struct session_event));
	if (!options->session_events)
		return message_no_memory(err);
	for (i = 0; i < options->events.count; i++) {
		r = check_event(options->events.texts[i], err);
		if (r < 0)
			return r;
		options->session_events[i].text = options->events.texts[i];
	}
	return 0;
}

/* Whether event @text has the value @name; adds those it has to @known. */
static bool event_has_value(const char *text, const char *name, struct strbuf *known)
{
	char value[SESSION_VALUE_BYTES];
	bool found = false;
	size_t i;

	for (i = 0; session_event_value(text, i, value); i++) {
		strbuf_printf(known, "%s%s", known->size ? ", " : "", value);
		found = found || !strcmp(value, name);
	}
	return found;
}

/* Found out at the end, it would have cost the recording. */
static int check_value(const struct record_options *options, struct error *err)
{
	_cleanup_strbuf_ struct strbuf known = STRBUF_INIT;
	bool found = !options->value;
	size_t i;

	if (!found && !options->events.count)
		found = event_has_value(EVENT_DEFAULT, options->value, &known);
	for (i = 0; i < options->events.count && !found; i++)
		found = event_has_value(options->events.texts[i], options->value, &known);
	if (found)
		return 0;
	return error_set(err, ERROR_USAGE, -EINVAL, "bad value: --value %s: there will be %.500s",
			 options->value, known.data);
}

bool record_options_is_shown(const struct record_options *options)
{
	return options->histogram || (!options->stacks && options->by.count &&
				      !options->outputs.count && !options->format);
}

static int check_shown(const struct record_options *options, struct error *err)
{
	if (options->json && !record_options_is_shown(options))
		return error_set(err, ERROR_USAGE, -EINVAL, "bad options: --json: it goes with "
				 "--histogram, or with --stacks none and --by");
	for (size_t i = 0; i < options->outputs.count && options->histogram; i++)
		if (!strcmp(options->outputs.texts[i], "-"))
			return error_set(err, ERROR_USAGE, -EINVAL, "bad options: --histogram "
					 "with --output -: both are for standard output");
	return 0;
}

/* Labels that were asked for, and those that --by and --histogram go by. */
static uint64_t wanted_labels(const struct record_options *options)
{
	uint64_t labels = options->labels;

	for (size_t i = 0; i < options->by.count; i++)
		labels |= session_label_bit(options->by.texts[i]);
	return labels | (options->histogram ? session_label_bit("bucket") : 0);
}

int record_options_check(struct record_options *options, struct error *err)
{
	int r;

	if (options->all && (options->pids.count || options->tids.count))
		return error_set(err, ERROR_USAGE, -EINVAL,
				 "bad options: --all with --%s: the whole machine or a part of it",
				 options->pids.count ? "pid" : "tid");
	if (options->command && !options->command[0])
		return error_set(err, ERROR_USAGE, -EINVAL,
				 "missing command: --: nothing follows it");
	if (options->quiet && options->verbose)
		return error_set(err, ERROR_USAGE, -EINVAL,
				 "bad options: --quiet with --verbose: one or the other");
	if (options->by.count > BY_KEYS_MAX)
		return error_set(err, ERROR_USAGE, -EINVAL, "bad value: --by: more than %d keys",
				 BY_KEYS_MAX);
	r = make_events(options, err);
	r = r < 0 ? r : check_shown(options, err);
	return r < 0 ? r : check_value(options, err);
}

bool record_options_target_command(const struct record_options *options)
{
	return options->command && !options->all && !options->pids.count &&
	       !options->tids.count && !options->cpus && !options->cgroup && !options->user.wanted;
}

void record_options_session(const struct record_options *options, struct session_options *ret)
{
	*ret = (struct session_options){
		.events = options->session_events,
		.event_count = options->events.count,
		.frequency_hz = options->frequency_hz,
		.period = options->period,
		.pids = options->pids.ids,
		.pid_count = options->pids.count,
		.tids = options->tids.ids,
		.tid_count = options->tids.count,
		.no_inherit = options->no_inherit,
		.comm_glob = options->comm_glob,
		.cgroup = options->cgroup,
		.filter_uid = options->user.wanted,
		.uid = options->user.uid,
		.cpus = options->cpus,
		/* Nobody would see them. */
		.stacks = options->histogram && !options->outputs.count ? 0 : options->stacks,
		.labels_only = record_options_is_shown(options) && !options->outputs.count,
		.labels = wanted_labels(options),
		.time_programs = options->stats,
		.depth_max = options->depth_max,
		.memory_bytes = options->memory_bytes,
		.delivery = (enum session_delivery)options->delivery,
		.limits = options->limits,
	};
}
