/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * find_syscall.c - syscall: with what its calls are given and return, from entry to return.
 *
 * What arguments are called is in tracefs; a call that has no format there has numbers. They lie in
 * the registers of the system call ABI, in which the fourth is r10.
 */
#include <errno.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "profiler/probes/probe_finding.h"
#include "profiler/probes/tracepoint_format.h"
#include "profiler/sources/syscalls.h"

#define ARGUMENTS_MAX 6

static const uint8_t registers[ARGUMENTS_MAX] = { PROBE_RDI, PROBE_RSI, PROBE_RDX,
						  PROBE_R10, PROBE_R8,	PROBE_R9 };

struct fields {
	struct probe_field list[ARGUMENTS_MAX];
	char names[ARGUMENTS_MAX][8];
	size_t count;
};

/* Only what is text for certain: "char *" is a buffer to write to, or bytes of any kind. */
static bool is_text(const struct tracepoint_field *field)
{
	return !strcmp(field->type, "const char *") || !strcmp(field->type, "const char __user *");
}

/* Types of 32 bits: the upper half of their registers is anything. */
static bool is_int(const char *type, bool *ret_is_signed)
{
	static const struct {
		const char *type;
		bool is_signed;
	} ints[] = {
		{ "int", true },	{ "unsigned int", false }, { "umode_t", false },
		{ "pid_t", true },	{ "uid_t", false },	   { "gid_t", false },
		{ "clockid_t", true },	{ "key_t", true },	   { "mqd_t", true },
		{ "unsigned", false },	{ "u32", false },	   { "__u32", false },
		{ "key_serial_t", true }, { "qid_t", false },	   { "timer_t", true },
		{ "__s32", true },	{ "rwf_t", true },	   { "old_uid_t", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(ints); i++) {
		if (strcmp(ints[i].type, type))
			continue;
		*ret_is_signed = ints[i].is_signed;
		return true;
	}
	return false;
}

static void fill_field(const char *name, const struct tracepoint_field *format, size_t index,
		       struct probe_field *ret)
{
	bool is_signed = true, narrow = format && is_int(format->type, &is_signed);

	*ret = (struct probe_field){
		.name = name,
		.type = { .kind = TYPE_OTHER, .name = format ? format->type : "long" },
		.fetch = { .base = PROBE_BASE_REGISTER, .index = registers[index],
			   .bytes = narrow ? 4 : 8, .flags = PROBE_FETCH_AT_ENTRY },
		.show = PROBE_SHOW_SIGNED,
	};
	if (format && is_text(format)) {
		ret->fetch.form = PROBE_TEXT;
		ret->fetch.size = PROBE_TEXT_MAX;
		ret->fetch.flags |= PROBE_FETCH_USER | PROBE_FETCH_AGAIN;
		ret->show = PROBE_SHOW_TEXT;
	} else if (format && strchr(format->type, '*')) {
		ret->show = PROBE_SHOW_HEXADECIMAL;
	} else if (narrow && !is_signed) {
		ret->show = PROBE_SHOW_UNSIGNED;
	} else if (format && !narrow) {
		ret->show = strstr(format->type, "unsigned") || !strcmp(format->type, "size_t") ?
				    PROBE_SHOW_UNSIGNED :
				    PROBE_SHOW_SIGNED;
	}
	if (ret->show == PROBE_SHOW_SIGNED)
		ret->fetch.flags |= PROBE_FETCH_SIGNED;
}

/* How many arguments there are, less the number of the call itself; without a format all six. */
static void fill_fields(const struct tracepoint_format *format, struct fields *ret)
{
	size_t count = format ? tracepoint_format_count(format) : ARGUMENTS_MAX + 1;

	ret->count = 0;
	for (size_t i = 1; i < count && i <= ARGUMENTS_MAX; i++) {
		const struct tracepoint_field *field =
			format ? tracepoint_format_at(format, i) : NULL;
		char *own = ret->names[i - 1];

		snprintf(own, sizeof(ret->names[0]), "arg%zu", i);
		fill_field(field ? field->name : own, field, i - 1, &ret->list[ret->count++]);
	}
}

static int add_call(struct probe_finding *f, uint64_t number, struct error *err)
{
	_cleanup_(tracepoint_format_freep) struct tracepoint_format *format = NULL;
	const char *name = syscall_name(number);
	struct probe_point point = { .role = PROBE_ROLE_LEAVE, .name = name, .config = number };
	struct fields fields;
	struct probe_scope scope = { .fields = fields.list, .arguments = SCOPE_REGISTERS,
				     .is_user = true, .has_return = true, .has_entry = true,
				     .is_system_call = true, .what = name };
	int r;

	if (f->tracefs >= 0) {
		r = tracepoint_format_read_syscall(f->tracefs, name, &format);
		if (r == -ENOMEM)
			return r;
	}
	fill_fields(format, &fields);
	scope.field_count = fields.count;
	r = probe_add_place(f, name, &scope, &point.site, err);
	if (r < 0)
		return r;
	f->set.places[point.site].layout.site.syscall = number + 1;
	return probe_add_point(f, &point);
}

/* "openat", or all that a glob matches. */
static int add_calls(struct probe_finding *f, const char *pattern, struct error *err)
{
	size_t before = f->set.count;
	int r = 0;

	for (uint64_t i = 0; i < SYSCALLS_MAX && !r; i++)
		if (syscall_name(i) && !fnmatch(pattern, syscall_name(i), 0))
			r = add_call(f, i, err);
	return r < 0 || f->set.count > before ? r : syscall_refuse(pattern, err);
}

static int find_syscalls(struct probe_finding *f, struct error *err)
{
	_cleanup_free_ char *copy = strdup(*f->words.name ? f->words.name : "*");
	char *rest = copy, *pattern;
	int r = copy ? 0 : -ENOMEM;

	/* Without tracefs arguments have no names: said once, by the finding's note. */
	f->tracefs = tracefs_open(NULL);
	if (f->tracefs < 0)
		snprintf(f->note, sizeof(f->note),
			 "no tracefs: system calls' arguments have no names");
	while (!r && (pattern = strsep(&rest, "+")))
		r = add_calls(f, pattern, err);
	return r;
}

const struct probe_kind probe_syscall = { .grammar = PROBE_GRAMMAR_LIST, .at_entry = true,
					  .at_return = true, .told_by_number = true,
					  .find = find_syscalls };
