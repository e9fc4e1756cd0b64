/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/record_options.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/log.h"
#include "profiler/base/number.h"
#include "profiler/base/suggest.h"
#include "tools/event_list.h"
#include "tools/message.h"

static const struct {
	const char *name, *help;
	unsigned int stacks;
} stack_kinds[] = {
	{ "user", "code of programs and libraries", SESSION_STACKS_USER },
	{ "kernel", "code of the kernel", SESSION_STACKS_KERNEL },
	{ "none", "no stacks: only who and how much", 0 },
};

static const struct {
	const char *name;
	size_t offset;
} limit_names[] = {
	{ "ring_bytes", offsetof(struct session_limits, ring_bytes) },
	{ "counts", offsetof(struct session_limits, counts) },
	{ "sent", offsetof(struct session_limits, sent) },
	{ "mappings", offsetof(struct session_limits, mappings) },
	{ "processes", offsetof(struct session_limits, processes) },
	{ "modules", offsetof(struct session_limits, modules) },
	{ "rules", offsetof(struct session_limits, rules) },
	{ "waits", offsetof(struct session_limits, waits) },
	{ "segments", offsetof(struct session_limits, segments) },
	{ "copies_per_second", offsetof(struct session_limits, copies_per_second) },
	{ "queue_items", offsetof(struct session_limits, queue_items) },
	{ "window_ms", offsetof(struct session_limits, window_ms) },
};

static const char *stack_choice(size_t index, const char **ret_help)
{
	if (index >= ARRAY_SIZE(stack_kinds))
		return NULL;
	*ret_help = stack_kinds[index].help;
	return stack_kinds[index].name;
}

static const char *limit_choice(size_t index, const char **ret_help)
{
	*ret_help = "";
	return index < ARRAY_SIZE(limit_names) ? limit_names[index].name : NULL;
}

/* In the order of enum session_delivery. */
static const char *delivery_choice(size_t index, const char **ret_help)
{
	static const char *const names[] = { "counted", "events" };

	*ret_help = "";
	return index < ARRAY_SIZE(names) ? names[index] : NULL;
}

static const char *format_choice(size_t index, const char **ret_help)
{
	*ret_help = writer_table[index].help;
	return writer_table[index].name;
}

static const char *suffix_choice(size_t index, const char **ret_help)
{
	*ret_help = writer_table[index].name;
	return writer_table[index].name ? writer_table[index].suffix : NULL;
}

static int parse_stack_kind(const struct option_row *row, const char *value, void *field,
			    struct error *err)
{
	unsigned int *stacks = field;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(stack_kinds); i++) {
		if (strcmp(stack_kinds[i].name, value))
			continue;
		*stacks |= stack_kinds[i].stacks;
		return 0;
	}
	return option_refuse_choice(row, value, err);
}

static int parse_stacks(const struct option_row *row, const char *value, void *field,
			struct error *err)
{
	unsigned int stacks = 0;
	int r;

	r = option_split(row, value, &stacks, err, parse_stack_kind);
	if (r < 0)
		return r;
	if (stacks && strstr(value, "none"))
		return option_refuse(row, value, err, "none goes with nothing else");
	*(unsigned int *)field = stacks;
	return 0;
}

static int parse_user(const struct option_row *row, const char *value, void *field,
		      struct error *err)
{
	struct record_user *user = field;
	const struct passwd *entry;
	uint64_t uid;

	/* The last one is (uid_t)-1, which means "no user" to the kernel. */
	if (!number_parse_u64(value, UINT32_MAX - 1, &uid)) {
		*user = (struct record_user){ true, (uid_t)uid };
		return 0;
	}
	entry = getpwnam(value);
	if (!entry)
		return option_refuse(row, value, err, "no such user");
	*user = (struct record_user){ true, entry->pw_uid };
	return 0;
}

static int parse_events(const struct option_row *row, const char *value, void *field,
			struct error *err)
{
	const char *reason;
	int r;

	r = event_list_add(field, value, &reason);
	if (r == -ENOMEM)
		return message_no_memory(err);
	return r < 0 ? option_refuse(row, value, err, "%s", reason) : 0;
}

static int parse_format(const struct option_row *row, const char *value, void *field,
			struct error *err)
{
	const struct writer *writer = writer_find_name(value);

	if (!writer)
		return option_refuse_choice(row, value, err);
	*(const struct writer **)field = writer;
	return 0;
}

static int parse_debug(const struct option_row *row, const char *value, void *field,
		       struct error *err)
{
	if (log_parse_domains(value) < 0)
		return option_refuse(row, value, err, "no such domain");
	return 0;
}

static int parse_label(const struct option_row *row, const char *value, void *field,
		       struct error *err)
{
	uint64_t bit = session_label_bit(value);

	if (!bit)
		return option_refuse_choice(row, value, err);
	*(uint64_t *)field |= bit;
	return 0;
}

static int parse_labels(const struct option_row *row, const char *value, void *field,
			struct error *err)
{
	return option_split(row, value, field, err, parse_label);
}

static int parse_limit(const struct option_row *row, const char *value, void *field,
		       struct error *err)
{
	size_t size = strcspn(value, "="), i;
	uint64_t number;

	for (i = 0; i < ARRAY_SIZE(limit_names); i++) {
		if (strlen(limit_names[i].name) != size ||
		    memcmp(limit_names[i].name, value, size))
			continue;
		if (!value[size] || number_parse_u64(value + size + 1, UINT32_MAX, &number) < 0)
			return option_refuse(row, value, err, "needs NAME=NUMBER");
		*(uint32_t *)((char *)field + limit_names[i].offset) = (uint32_t)number;
		return 0;
	}
	return option_refuse_choice(row, value, err);
}

#define BY_KEYS_MAX 15	/* as many as writers take */
#define EVENT_DEFAULT "cpu"

#define FIELD(member) .offset = offsetof(struct record_options, member)
#define TARGETS .section = "Targets: what is sampled"
#define EVENTS .section = "Events: when a sample is taken, and what is in it"
#define OUTPUTS .section = "Outputs"
#define MESSAGES .section = "Other"	/* as that of TOOL_HELP_OPTION */

const struct option_row record_option_table[] = {
	{ 'a', "all", NULL, "the whole machine; the default without a command", TARGETS,
	  option_parse_flag, FIELD(all) },
	{ 'p', "pid", "PID,...", "these processes, with their threads and all below them", TARGETS,
	  option_parse_processes, FIELD(pids), .completion = COMPLETE_PID, .is_list = true },
	{ 't', "tid", "TID,...", "these threads", TARGETS,
	  option_parse_processes, FIELD(tids), .completion = COMPLETE_PID, .is_list = true },
	{ 'C', "cpu", "CPUS", "on these CPUs, as 0-3,6; waits and calls count "
	  "where they begin", TARGETS,
	  option_parse_text, FIELD(cpus) },
	{ 'G', "cgroup", "PATH", "in this cgroup and those below it, version 1 or 2", TARGETS,
	  option_parse_text, FIELD(cgroup), .completion = COMPLETE_FOLDER },
	{ 'u', "user", "USER", "tasks of this user, a name or a number", TARGETS,
	  parse_user, FIELD(user), .completion = COMPLETE_USER },
	{ 'n', "name", "GLOB", "tasks with such a name (comm), as 'nginx*'", TARGETS,
	  option_parse_text, FIELD(comm_glob) },
	{ 0, "no-inherit", NULL, "leave out children, those there are and later ones", TARGETS,
	  option_parse_flag, FIELD(no_inherit) },

	{ 'e', "event", "EVENT,...",
	  "what to sample instead of cpu; may be repeated. KEY=VALUE "
	  "belongs to the event before it; commas in (), <> and quotes do not split",
	  EVENTS, parse_events, FIELD(events), .choice = session_source_name,
	  .more = record_event_option, .more_title = "Behind an event, at a comma",
	  .is_list = true },
	{ 'F', "frequency", "HZ", "samples per second and CPU (99)", EVENTS, option_parse_u32,
	  FIELD(frequency_hz), .min = 1, .max = 1000000 },
	{ 'd', "duration", "TIME",
	  "stop after this time, as 10, 500ms or 2m; a command that still "
	  "runs is then sent SIGTERM",
	  EVENTS, option_parse_duration, FIELD(duration_ns), .min = 1 },
	{ 'D', "delay", "TIME", "begin after this time; a command runs meanwhile", EVENTS,
	  option_parse_duration, FIELD(delay_ns) },
	{ 0, "stacks", "KIND,...", "which stacks to take (user,kernel)", EVENTS,
	  parse_stacks, FIELD(stacks), .choice = stack_choice, .is_list = true },
	{ 0, "label", "NAME,...", "labels to add to each sample, as cpu or syscall", EVENTS,
	  parse_labels, FIELD(labels), .choice = session_label_name, .is_list = true },
	{ 0, "max-depth", "N", "frames of a user stack to take (255)", EVENTS,
	  option_parse_u32, FIELD(depth_max), .min = 1, .max = 65535 },
	{ 0, "memory", "SIZE", "use no more than this (64M)", EVENTS,
	  option_parse_size, FIELD(memory_bytes), .min = 1 },

	{ 'o', "output", "FILE", "write to FILE (wick.pb.gz) in the format of its suffix; may be "
	  "repeated; - is standard output", OUTPUTS,
	  option_parse_texts, FIELD(outputs), .choice = suffix_choice,
	  .completion = COMPLETE_FILE },
	{ 0, "format", "NAME", "the format where no suffix says it", OUTPUTS,
	  parse_format, FIELD(format), .choice = format_choice },
	{ 0, "by", "KEY,...", "frames to add behind the name of the process, as thread, pid or a "
	  "label; with --stacks none, print a table by these instead of writing a file",
	  OUTPUTS, option_parse_texts, FIELD(by), .choice = record_by_choice, .is_list = true },
	{ 0, "histogram", NULL, "print how long each took, by powers of two, and one for each "
	  "combination of --by; takes stacks only with -o", OUTPUTS,
	  option_parse_flag, FIELD(histogram) },
	{ 0, "top", "N", "rows of such a table, or histograms, to print (20); 0: all", OUTPUTS,
	  option_parse_u32, FIELD(top) },
	{ 0, "json", NULL, "print them as JSON", OUTPUTS, option_parse_flag, FIELD(json) },
	{ 0, "value", "NAME", "the value to show in formats that show one, as samples or cpu",
	  OUTPUTS, option_parse_text, FIELD(value) },
	{ 0, "icicle", NULL, "draw flame graphs upside down: the root on top, leaves below",
	  OUTPUTS, option_parse_flag, FIELD(icicle) },

	{ 'q', "quiet", NULL, "say only what goes wrong", MESSAGES,
	  option_parse_flag, FIELD(quiet) },
	{ 'v', "verbose", NULL, "say what is being done", MESSAGES,
	  option_parse_flag, FIELD(verbose) },
	{ 0, "stats", NULL, "print every counter at the end", MESSAGES,
	  option_parse_flag, FIELD(stats) },
	{ 0, "dry-run", NULL, "load and verify everything, sample nothing", MESSAGES,
	  option_parse_flag, FIELD(dry_run) },
	{ 0, "debug", "DOMAIN,...", "debug messages: drain, sideband, tables, symbolizer, session, "
	  "libbpf or all", MESSAGES,
	  parse_debug, .is_list = true },
	TOOL_HELP_OPTION,

	/* Shown nowhere. */
	{ 0, "limit", "NAME=N", NULL, NULL, parse_limit, FIELD(limits), .choice = limit_choice },
	{ 0, "delivery", "KIND", NULL, NULL, option_parse_choice, FIELD(delivery),
	  .choice = delivery_choice },
	{ 0 },
};

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
	return error_set(err, ERROR_USAGE, -EINVAL, "unknown event: %s: %s%s%s", text,
			 nearest ? "did you mean " : "see wick record --help",
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
