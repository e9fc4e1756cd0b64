/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session_sources.c - a session's sources: those that were asked for, less what this machine cannot
 * record. One that is left out is said once, and never stops the others.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "profiler/labels/labels.h"
#include "profiler/session_private.h"
#include "profiler/sources/needs.h"
#include "profiler/sources/source_probe.h"

/* ---- what was asked for ---- */

static int add_source(struct session *s, const struct source *row, const struct source *shown,
		      const char *text, struct error *err)
{
	if (s->source_count == SESSION_SOURCES_MAX)
		return error_set(err, ERROR_USAGE, -E2BIG, "cannot use so many events: at most %d",
				 SESSION_SOURCES_MAX);
	s->texts[s->source_count] = strdup(text);
	if (!s->texts[s->source_count])
		return error_set(err, ERROR_FAILED, -ENOMEM, "no memory");
	s->rows[s->source_count] = row;
	s->shown[s->source_count++] = shown;
	return 0;
}

/* Of one event: the same, or another part of a composite. */
static bool is_same_event(const struct session *s, size_t a, size_t b)
{
	return a == b || (s->shown[a] == s->shown[b] && s->shown[a] && !s->shown[a]->probe);
}

static int choose_row(struct session *s, const struct source *row, const char *text,
		      struct error *err)
{
	/* With other arguments it is another event; but counts need a name of their own. */
	bool by_text = row->probe ||
		       (row->with_values && s->options.delivery == SESSION_EVENTS);
	int r = 0;

	for (size_t i = 0; i < s->source_count && !r; i++)
		if (by_text ? !strcmp(s->texts[i], text) : s->shown[i] == row)
			r = error_set(err, ERROR_USAGE, -EEXIST, "event given twice: %s",
				      by_text ? text : row->name);
	if (!r && !row->parts[0])
		r = add_source(s, row, row, text, err);
	for (size_t i = 0; i < SOURCE_PARTS_MAX && !r && row->parts[i]; i++)
		r = add_source(s, source_find(row->parts[i]), row, text, err);
	return r;
}

/* @event, which an event stands for, with the options that were given to that. */
static int choose_event(struct session *s, const char *event, const char *options,
			struct error *err)
{
	_cleanup_request_ struct source_request request = { 0 };
	_cleanup_free_ char *text = NULL;
	bool may_lack = *event == '?';
	int r = source_parse(event + may_lack, &request, err);

	if (r < 0)
		return r;
	if (asprintf(&text, "%s%s", event + may_lack, options) < 0) {
		text = NULL;
		return error_set(err, ERROR_FAILED, -ENOMEM, "no memory");
	}
	r = choose_row(s, request.source, text, err);
	if (!r)
		s->may_lack[s->source_count - 1] = may_lack;
	return r;
}

static int choose_source(struct session *s, const char *text, struct error *err)
{
	_cleanup_request_ struct source_request request = { 0 };
	int r = source_parse(text, &request, err);
	const char *const *event;

	if (r < 0)
		return r;
	if (!request.source->stands_for)
		return choose_row(s, request.source, text, err);
	for (event = request.source->stands_for; *event && !r; event++)
		r = choose_event(s, *event, text + strlen(request.source->name), err);
	return r;
}

int session_choose_sources(struct session *s, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < s->options.event_count && !r; i++)
		r = choose_source(s, s->options.events[i].text, err);
	return r ?: s->source_count ? r : choose_source(s, "cpu", err);
}

/* ---- what is left out ---- */

/* Say why, for as long as others remain; and keep it, for when none does. */
static void leave_out(struct session *s, size_t index, const char *reason)
{
	const char *text = s->texts[index];
	struct error *err = &s->left_out;
	size_t size = strlen(err->text);

	if (s->may_lack[index])
		return;
	session_add_note(s, true, "cannot record %s here: %s: continuing without it", text, reason);
	snprintf(err->text + size, sizeof(err->text) - size, "%scannot record %s here: %s",
		 size ? "; " : "", text, reason);
}

/*
 * With all the parts of a composite, of which source @index is one; those behind it move up. Returns
 * where they began: nothing that is opened may lie behind them.
 */
static size_t drop_source(struct session *s, size_t index)
{
	size_t first = index, end = index, moved;

	while (first && is_same_event(s, first - 1, index))
		first--;
	while (end < s->source_count && is_same_event(s, end, index))
		end++;
	for (size_t i = first; i < end; i++) {
		s->sources[i] = source_close(s->sources[i]);
		s->probes[i] = source_probe_free(s->probes[i]);
		free(take_ptr(s->texts[i]));
	}
	moved = s->source_count - end;
	memmove(&s->rows[first], &s->rows[end], moved * sizeof(s->rows[0]));
	memmove(&s->shown[first], &s->shown[end], moved * sizeof(s->shown[0]));
	memmove(&s->texts[first], &s->texts[end], moved * sizeof(s->texts[0]));
	memmove(&s->may_lack[first], &s->may_lack[end], moved * sizeof(s->may_lack[0]));
	memset(&s->texts[first + moved], 0, (end - first) * sizeof(s->texts[0]));
	s->source_count = first + moved;
	return first;
}

static int check_left(const struct session *s, struct error *err)
{
	if (s->source_count)
		return 0;
	return error_set(err, ERROR_NOT_SUPPORTED, -EOPNOTSUPP, "%s", s->left_out.text);
}

/* The first of what source @index cannot be without here; NULL: there is something left of it. */
static const struct source_need *needs_all(struct session *s, size_t index,
					   const struct wick_settings *settings)
{
	const struct source_need *list = s->rows[index]->needs, *need, *half = NULL;
	enum source_loss loss;
	size_t position = 0;

	while ((need = needs_lacking(s->needs, list, settings, &position, &loss))) {
		if (loss == SOURCE_LOSS_ALL ||
		    (loss == SOURCE_LOSS_HALF && half && strcmp(half->part, need->part)))
			return need;
		if (loss == SOURCE_LOSS_HALF)
			half = need;
	}
	return NULL;
}

static void note_parts(struct session *s, size_t index, const struct wick_settings *settings)
{
	const struct source_need *list = s->rows[index]->needs, *need;
	const char *said = NULL;
	enum source_loss loss;
	size_t position = 0;

	while ((need = needs_lacking(s->needs, list, settings, &position, &loss))) {
		/* One reason for each part will do. */
		if (!said || strcmp(said, need->part))
			session_add_note(s, true, "cannot record %s of %s here: %s; instead: %s: "
					      "continuing without that", need->part,
					      s->texts[index], need->reason, need->substitute);
		said = need->part;
	}
}

/* Returns whether it is left out. */
static bool check_source(struct session *s, size_t index, const struct wick_settings *settings)
{
	const struct source_need *need = needs_all(s, index, settings);
	char reason[256];

	if (!need) {
		note_parts(s, index, settings);
		return false;
	}
	snprintf(reason, sizeof(reason), "%s; instead: %s", need->reason, need->substitute);
	leave_out(s, index, reason);
	return true;
}

int session_check_needs(struct session *s, struct error *err)
{
	size_t i = 0;

	if (!s->needs)
		return error_set(err, ERROR_FAILED, -ENOMEM, "no memory");
	while (i < s->source_count) {
		_cleanup_request_ struct source_request request = { 0 };
		int r = source_parse(s->texts[i], &request, err);

		if (r < 0)
			return r;
		if (check_source(s, i, &request.settings))
			i = drop_source(s, i);
		else
			i++;
		r = needs_types_error(s->needs);
		if (r < 0)
			return error_set(err, r == -ENOMEM ? ERROR_FAILED : ERROR_NOT_SUPPORTED, r,
					 "cannot read kernel types: %s", strerror(-r));
	}
	return check_left(s, err);
}

/* ---- opening and attaching ---- */

/* Whether samples say who else was there: always, or by the flag that is called so. */
static bool tells_peer(const struct source *row, const struct wick_settings *settings)
{
	for (const struct source_option *o = row->options; o && o->name; o++)
		if (row->peer_label && !strcmp(o->name, row->peer_label))
			return *(const uint32_t *)((const char *)settings + o->offset);
	return row->peer_label;
}

/* Find what the event @request asks for, where it is a probe; it then has a row of its own. */
static int find_probe(struct session *s, size_t index, struct source_request *request,
		      struct error *err)
{
	bool shows_all = s->options.delivery == SESSION_EVENTS;
	const struct probe_targets targets = { .pids = s->options.pids,
					       .pid_count = s->options.pid_count,
					       .command = s->options.command };
	int r;

	if (!source_request_is_probe(request, shows_all))
		return 0;
	r = source_probe_open(request, &targets, shows_all, &s->probes[index], err);
	if (r < 0)
		return r;
	if (source_probe_note(s->probes[index]))
		session_add_note(s, source_probe_falls_back(s->probes[index]), "%s",
				 source_probe_note(s->probes[index]));
	s->rows[index] = s->shown[index] = source_probe_row(s->probes[index]);
	return 0;
}

/* What the row has and the session asks for, beside what the event says itself. */
static void settings_add(struct session *s, size_t index, struct wick_settings *own)
{
	const struct source *row = s->rows[index];

	own->source = index;
	own->labels |= labels_details_of(row, s->options.labels, s->options.labels_only);
	if (row->delivers_events || (row->has_address && own->labels & WICK_DETAIL_BIT(FILE)))
		own->deliver_events = 1;
	if (row->skips_profiler)
		own->skip_pid = getpid();
	if (row->no_user_stack)
		own->walk_user = 0;
	/* By it interrupts are told from the tasks they hit; nobody is shown it who does not ask. */
	if (s->options.stream && row->in_interrupts && row->peer_label)
		own->walk_kernel = 1;
	if (row->no_kernel_stack)
		own->walk_kernel = 0;
	if (!own->walk_kernel && tells_peer(row, own))
		session_add_note(s, true, "%s: without kernel stacks interrupts are not told from "
				      "the tasks they hit: continuing without that", row->name);
}

static int open_source(struct session *s, size_t index, const struct wick_settings *settings,
		       struct error *err)
{
	_cleanup_request_ struct source_request request = { .settings = *settings };
	struct source_options options = {
		.index = index,
		.frequency_hz = s->options.frequency_hz,
		.witness = s->witness,
		.only_pid = s->options.no_inherit && s->options.pid_count == 1 ?
				    s->options.pids[0] :
				    0,
	};
	struct cpu_set cpus;
	int r = source_parse(s->texts[index], &request, err);

	request.period = request.period ?: s->options.period;
	r = r ?: find_probe(s, index, &request, err);
	if (r < 0)
		return r;
	memcpy(cpus.bits, settings->cpus, sizeof(cpus.bits));
	options.cpus = settings->filter_cpus ? &cpus : NULL;
	options.probe = s->probes[index];
	options.settings = request.settings;
	settings_add(s, index, &options.settings);
	if (options.probe)
		r = source_probe_settings(options.probe, &options.settings, err);
	return r ?: source_open(s->rows[index], &options, s->maps, &s->sources[index], err);
}

/* The objects all sources share are loaded: what is refused now is refused to this one. */
int session_open_sources(struct session *s, const struct wick_settings *settings,
			 struct error *err)
{
	size_t i = 0;

	while (i < s->source_count) {
		struct error own = { 0 };
		int r = open_source(s, i, settings, &own);

		if (r < 0 && own.kind != ERROR_NOT_SUPPORTED && !s->may_lack[i])
			return own.text[0] ? error_set(err, own.kind, r, "%s", own.text) : r;
		if (r < 0) {
			leave_out(s, i, own.text);
			i = drop_source(s, i);
			continue;
		}
		i++;
	}
	return check_left(s, err);
}

/* Whether there is another one than that of @index, and its parts. */
static bool has_others(const struct session *s, size_t index)
{
	for (size_t i = 0; i < s->source_count; i++)
		if (s->shown[i] && s->shown[i] != s->shown[index])
			return true;
	return false;
}

/*
 * With all the parts of a composite, as drop_source(). But the programs of those behind it have their
 * numbers: it keeps its place.
 */
static void leave_source(struct session *s, size_t index)
{
	const struct source *shown = s->shown[index];

	for (size_t i = 0; i < s->source_count; i++) {
		if (i != index && (s->shown[i] != shown || shown->probe))
			continue;
		if (s->witness && source_clock(s->sources[i]))
			witness_stop(s->witness);
		source_leave(s->sources[i]);
		s->shown[i] = NULL;
	}
}

int session_attach_sources(struct session *s, struct error *err)
{
	for (size_t i = 0; i < s->source_count; i++) {
		struct error own = { 0 };
		int r = s->shown[i] ? source_attach(s->sources[i], &own) : 0;

		if (r >= 0)
			continue;
		/* Without memory nothing else would do better; the usage is to be mended. */
		if (!own.text[0])
			return r;
		if (own.kind == ERROR_USAGE || !has_others(s, i))
			return error_set(err, own.kind, r, "%s%s%s", s->left_out.text,
					 s->left_out.text[0] ? "; " : "", own.text);
		leave_out(s, i, own.text);
		leave_source(s, i);
	}
	return 0;
}
