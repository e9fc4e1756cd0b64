/* SPDX-License-Identifier: BSD-2-Clause */
/* record_rows.c - the options of wick record, and how those are read that others have, too. */
#include "tools/record/record_rows.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

#include "profiler/base/log.h"
#include "profiler/base/number.h"
#include "tools/message.h"
#include "tools/options/event_list.h"
#include "tools/options/writer_option.h"

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

const char *record_limit_choice(size_t index, const char **ret_help)
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

int record_parse_user(const struct option_row *row, const char *value, void *field,
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

int record_parse_events(const struct option_row *row, const char *value, void *field,
			struct error *err)
{
	const char *reason;
	int r;

	r = event_list_add(field, value, &reason);
	if (r == -ENOMEM)
		return message_no_memory(err);
	return r < 0 ? option_refuse(row, value, err, "%s", reason) : 0;
}

int record_parse_debug(const struct option_row *row, const char *value, void *field,
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

int record_parse_labels(const struct option_row *row, const char *value, void *field,
			struct error *err)
{
	return option_split(row, value, field, err, parse_label);
}

int record_parse_limit(const struct option_row *row, const char *value, void *field,
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

#define EVENTS "Events: when a sample is taken, and what is in it"
#define OUTPUTS "Outputs"

const struct option_row record_option_table[] = {
	RECORD_TARGET_ROWS,

	{ 'e', "event", "EVENT,...",
	  "what to sample instead of cpu; may be repeated. KEY=VALUE "
	  "belongs to the event before it; commas in (), <> and quotes do not split",
	  .section = EVENTS, record_parse_events, RECORD_FIELD(events),
	  .choice = session_source_name, .more = record_event_option,
	  .more_title = "Behind an event, at a comma", .is_list = true },
	RECORD_TIME_ROWS(EVENTS),
	{ 0, "stacks", "KIND,...", "which stacks to take (user,kernel)", .section = EVENTS,
	  parse_stacks, RECORD_FIELD(stacks), .choice = stack_choice, .is_list = true },
	RECORD_LABEL_ROW(EVENTS),
	RECORD_DEPTH_ROWS(EVENTS),

	{ 'o', "output", "FILE", "write to FILE (wick.pb.gz) in the format of its suffix; may be "
	  "repeated; - is standard output", .section = OUTPUTS,
	  option_parse_texts, RECORD_FIELD(outputs), .choice = suffix_choice,
	  .completion = COMPLETE_FILE },
	{ 0, "format", "NAME", "the format where no suffix says it", .section = OUTPUTS,
	  option_parse_writer, RECORD_FIELD(format), .choice = option_writer_choice },
	{ 0, "by", "KEY,...", "frames to add behind the name of the process, as thread, pid or a "
	  "label; with --stacks none, print a table by these instead of writing a file",
	  .section = OUTPUTS, option_parse_texts, RECORD_FIELD(by), .choice = record_by_choice,
	  .is_list = true },
	{ 0, "histogram", NULL,
	  "print how long each took, by powers of two, and one for each "
	  "combination of --by; takes stacks only with -o",
	  .section = OUTPUTS, option_parse_flag, RECORD_FIELD(histogram) },
	RECORD_TOP_ROW(OUTPUTS),
	{ 0, "json", NULL, "print them as JSON", .section = OUTPUTS, option_parse_flag,
	  RECORD_FIELD(json) },
	{ 0, "value", "NAME", "the value to show in formats that show one, as samples or cpu",
	  .section = OUTPUTS, option_parse_text, RECORD_FIELD(value) },
	{ 0, "icicle", NULL, "draw flame graphs upside down: the root on top, leaves below",
	  .section = OUTPUTS, option_parse_flag, RECORD_FIELD(icicle) },

	RECORD_MESSAGE_ROWS,
	TOOL_HELP_OPTION,

	/* Shown nowhere. */
	{ 0, "limit", "NAME=N", NULL, NULL, record_parse_limit, RECORD_FIELD(limits),
	  .choice = record_limit_choice },
	{ 0, "delivery", "KIND", NULL, NULL, option_parse_choice, RECORD_FIELD(delivery),
	  .choice = delivery_choice },
	{ 0 },
};
