/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * find_syscall.c - syscall: with what its calls are given and return, from entry to return.
 *
 * What arguments are called is in tracefs; a call that has no format there has numbers. They lie in
 * the registers of the system call ABI, in which the fourth is r10.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "profiler/expressions/value_type.h"
#include "profiler/kernel_types/syscall_arguments.h"
#include "profiler/kernel_types/tracepoint_format.h"
#include "profiler/probes/probe_finding.h"
#include "profiler/sources/syscalls.h"

#define ARGUMENTS_MAX 6

static const uint8_t registers[ARGUMENTS_MAX] = { PROBE_RDI, PROBE_RSI, PROBE_RDX,
						  PROBE_R10, PROBE_R8,	PROBE_R9 };

struct fields {
	struct probe_field list[ARGUMENTS_MAX];
	char names[ARGUMENTS_MAX][8];
	size_t count;
};

/* Only what is text for certain: "char *" is a buffer to write to, or bytes of any kind, but for mounts. */
static bool is_text(const char *call, const struct tracepoint_field *field)
{
	static const char *const types[] = { "const char *", "const char __user *", "char *",
					     "char __user *" };
	size_t count = strcmp(call, "mount") && strcmp(call, "umount2") ? 2 : ARRAY_SIZE(types);

	for (size_t i = 0; i < count; i++)
		if (!strcmp(field->type, types[i]))
			return true;
	return false;
}

static void fill_field(const char *call, const char *name, const struct tracepoint_field *format,
		       size_t index, struct probe_field *ret)
{
	const struct syscall_argument *argument = syscall_argument_find(call, name);
	/* What has another type, or none, is as wide as its register. */
	struct type_info type = { .bytes = 8, .is_signed = true };

	if (format)
		value_type_parse_integer(NULL, format->type, &type);
	*ret = (struct probe_field){
		.name = name,
		.type = { .kind = TYPE_OTHER, .name = format ? format->type : "long" },
		.fetch = { .base = PROBE_BASE_REGISTER, .index = registers[index],
			   .bytes = type.bytes, .flags = PROBE_FETCH_AT_ENTRY },
		.show = type.is_signed ? PROBE_SHOW_SIGNED : PROBE_SHOW_UNSIGNED,
	};
	if (argument && syscall_argument_has_words(argument))
		syscall_argument_name_type(argument, &ret->type);
	if (format && is_text(call, format)) {
		ret->fetch.form = PROBE_TEXT;
		ret->fetch.size = PROBE_TEXT_MAX;
		ret->fetch.flags |= PROBE_FETCH_USER | PROBE_FETCH_AGAIN;
		ret->show = PROBE_SHOW_TEXT;
	} else if (format && strchr(format->type, '*')) {
		ret->show = PROBE_SHOW_HEXADECIMAL;
	} else if (type.is_signed) {
		ret->fetch.flags |= PROBE_FETCH_SIGNED;
	}
}

/* How many arguments there are, less the number of the call itself; without a format all six. */
static void fill_fields(const char *call, const struct tracepoint_format *format,
			struct fields *ret)
{
	size_t count = format ? tracepoint_format_count(format) : ARGUMENTS_MAX + 1;

	ret->count = 0;
	for (size_t i = 1; i < count && i <= ARGUMENTS_MAX; i++) {
		const struct tracepoint_field *field =
			format ? tracepoint_format_at(format, i) : NULL;
		char *own = ret->names[i - 1];

		snprintf(own, sizeof(ret->names[0]), "arg%zu", i);
		fill_field(call, field ? field->name : own, field, i - 1,
			   &ret->list[ret->count++]);
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
	fill_fields(name, format, &fields);
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
	uint64_t i = syscall_next(pattern, 0);
	int r = i < SYSCALLS_MAX ? 0 : syscall_refuse(pattern, err);
	size_t before = f->set.count;

	for (; i < SYSCALLS_MAX && !r; i = syscall_next(pattern, i + 1)) {
		r = add_call(f, i, err);
		/* Of many those that have not what is asked for are left out. */
		if (r == -EINVAL && probe_name_is_glob(pattern))
			r = 0;
	}
	return r || f->set.count > before ? r : -EINVAL;	/* which is in @err */
}

static int find_syscalls(struct probe_finding *f, struct error *err)
{
	_cleanup_free_ char *copy = strdup(*f->words.name ? f->words.name : "*");
	char *rest = copy, *pattern;
	int r = copy ? 0 : -ENOMEM;

	/* Without tracefs arguments have no names: said once, by the finding's note. */
	f->tracefs = tracefs_open(NULL);
	if (f->tracefs < 0)
		probe_add_note(f, true, "no tracefs: system calls' arguments have no names");
	while (!r && (pattern = strsep(&rest, "+")))
		r = add_calls(f, pattern, err);
	return r;
}

const struct probe_kind probe_syscall = { .grammar = PROBE_GRAMMAR_LIST, .at_entry = true,
					  .at_return = true, .told_by_number = true,
					  .find = find_syscalls };
