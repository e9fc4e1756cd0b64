/* SPDX-License-Identifier: BSD-2-Clause */
/* find_tracepoint.c - tracepoint: with the fields of the record that the kernel writes for perf. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "profiler/kernel_types/tracepoint_fields.h"
#include "profiler/kernel_types/tracepoint_format.h"
#include "profiler/probes/probe_finding.h"

/* That of @name, "sched:sched_switch": what is read refers to its names. */
static int keep_format(struct probe_finding *f, const char *name, struct error *err)
{
	int r = alloc_grow(&f->formats, &f->format_capacity, f->format_count + 1);

	if (r < 0)
		return r;
	r = tracepoint_format_read_named(f->tracefs, name, &f->formats[f->format_count]);
	if (r < 0 && r != -ENOMEM)
		return error_set(err, ERROR_NOT_SUPPORTED, -EOPNOTSUPP,
				 "cannot read the format of %s: %s", name, strerror(-r));
	f->format_count += !r;
	return r;
}

static int add_tracepoint(struct probe_finding *f, const char *name, struct error *err)
{
	struct probe_point point = { .role = PROBE_ROLE_HIT };
	struct probe_scope scope = { .arguments = SCOPE_RECORD, .what = name };
	_cleanup_free_ struct probe_field *fields = NULL;
	const struct tracepoint_format *format;
	int r = keep_format(f, name, err);

	if (r < 0)
		return r;
	format = f->formats[f->format_count - 1];
	scope.is_user = !strncmp(name, "syscalls:", strlen("syscalls:"));
	r = tracepoint_fields(format, scope.is_user ? "syscalls" : "", NULL, &fields,
			      &scope.field_count);
	scope.fields = fields;
	point.type_id = tracepoint_format_id(format);
	r = r ?: probe_add_place(f, name, &scope, &point.site, err);
	point.name = r < 0 ? NULL : f->set.places[point.site].name;
	return r ?: probe_add_point(f, &point);
}

static int find_tracepoints(struct probe_finding *f, struct error *err)
{
	bool is_glob = probe_name_is_glob(f->words.name) || probe_name_is_glob(f->words.category);
	char **names = NULL;
	size_t count = 0;
	int r;

	f->tracefs = tracefs_open(err);
	if (f->tracefs < 0)
		return f->tracefs;
	r = tracepoint_names(f->tracefs, f->words.category, f->words.name, &names, &count);
	for (size_t i = 0; i < count && !r; i++) {
		r = add_tracepoint(f, names[i], err);
		/* Of many those that have not what is asked for are left out. */
		if ((r == -EINVAL || r == -EOPNOTSUPP) && is_glob)
			r = 0;
	}
	tracepoint_names_free(names, count);
	if (r < 0 || f->set.count)
		return r;
	if (count)
		return -EINVAL;		/* which is in @err */
	return error_set(err, ERROR_FAILED, -ENOENT, "no such tracepoint: %s:%s; see: wick list "
			 "'tracepoint:%s:*'", f->words.category, f->words.name, f->words.category);
}

const struct probe_kind probe_tracepoint = { .grammar = PROBE_GRAMMAR_TRACEPOINT,
					     .find = find_tracepoints };
