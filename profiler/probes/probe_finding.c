/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/probes/probe_finding.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "profiler/base/alloc.h"
#include "profiler/kernel_types/btf_types.h"
#include "profiler/kernel_types/tracepoint_format.h"
#include "symbolizer/worker/type_worker.h"

int probe_check(struct source_request *request, const char *argument, struct error *err)
{
	const struct source *source = request->source->with_values ?: request->source;
	const struct probe_request wanted = { .show = request->show, .sum = request->sum,
					      .labels = request->labels,
					      .filter = request->filter };
	struct probe_words words;
	int r = probe_words_parse(source->probe->grammar, source->name, argument, &words, err);

	if (r < 0)
		return r;
	probe_words_done(&words);
	r = source_parse_text(argument ?: "", &request->argument);
	if (r < 0)
		return error_set(err, ERROR_FAILED, r, "no memory");
	return probe_request_check(&wanted, err);
}

const char *probe_module_path(struct probe_finding *f, const struct module *module)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", module_fd(module));
	return arena_strdup(f->arena, path);
}

bool probe_wants_values(const struct probe_finding *finding)
{
	return finding->shows_all || source_request_has_values(finding->request);
}

int probe_add_place(struct probe_finding *f, const char *name, const struct probe_scope *scope,
		    uint32_t *ret_site, struct error *err)
{
	const struct probe_request request = {
		.show = f->request->show ?: f->shows_all ? f->request->show : "",
		.sum = f->request->sum,
		.labels = f->request->labels,
		.filter = f->request->filter,
	};
	struct probe_place *place;
	int r;

	if (f->set.count == PROBE_PLACES_MAX)
		return error_set(err, ERROR_USAGE, -EOVERFLOW,
				 "too many places match %s: at most %d for an event; several "
				 "events, each with a narrower glob, have more", f->words.name,
				 PROBE_PLACES_MAX);
	r = alloc_grow(&f->set.places, &f->place_capacity, f->set.count + 1);
	if (r < 0)
		return r;
	place = &f->set.places[f->set.count];
	*place = (struct probe_place){ .name = arena_strdup(f->arena, name) };
	if (!place->name)
		return -ENOMEM;
	r = probe_compile(&request, scope, &place->layout, err);
	if (r < 0)
		return r;
	*ret_site = f->set.count++;
	return 0;
}

int probe_add_point(struct probe_finding *f, const struct probe_point *point)
{
	int r = alloc_grow(&f->points, &f->point_capacity, f->point_count + 1);

	if (r < 0)
		return r;
	f->points[f->point_count++] = *point;
	return 0;
}

void probe_add_note(struct probe_finding *f, bool falls_back, const char *format, ...)
{
	size_t size = strlen(f->note);
	va_list args;

	f->falls_back |= falls_back;
	if (size && size < sizeof(f->note) - 2)
		size += (size_t)snprintf(f->note + size, sizeof(f->note) - size, "; ");
	va_start(args, format);
	vsnprintf(f->note + size, sizeof(f->note) - size, format, args);
	va_end(args);
}

struct probe_finding *probe_finding_free(struct probe_finding *f)
{
	if (!f)
		return NULL;
	type_worker_free(f->types);
	for (size_t i = 0; i < f->format_count; i++)
		tracepoint_format_free(f->formats[i]);
	free(f->formats);
	btf_types_close(f->kernel_types);
	probe_files_done(&f->files);
	probe_words_done(&f->words);
	if (f->tracefs >= 0)
		close(f->tracefs);
	free(f->set.places);
	free(f->points);
	arena_free(f->arena);
	free(f);
	return NULL;
}

static int find(struct probe_finding *f, struct error *err)
{
	const struct source *source = f->request->source;
	int r = probe_words_parse(f->kind->grammar, source->name, f->request->argument, &f->words,
				  err);

	f->arena = arena_new(0);
	if (!f->arena)
		return -ENOMEM;
	return r ?: f->kind->find(f, err);
}

int probe_find(const struct source_request *request, const struct probe_targets *targets,
	       bool shows_all, struct probe_finding **ret, struct error *err)
{
	_cleanup_(probe_finding_freep) struct probe_finding *f = calloc(1, sizeof(*f));
	int r;

	if (!f)
		return error_set(err, ERROR_FAILED, -ENOMEM, "no memory");
	f->kind = request->source->probe;
	f->request = request;
	f->targets = targets;
	f->shows_all = shows_all;
	f->tracefs = -1;
	r = find(f, err);
	if (r == -ENOMEM)
		return error_set(err, ERROR_FAILED, r, "no memory");
	if (r < 0)
		return r;
	/* What places show is known; debug information takes more memory than all else. */
	if (f->types)
		type_worker_end(f->types);
	f->request = NULL;
	f->targets = NULL;
	*ret = take_ptr(f);
	return 0;
}
