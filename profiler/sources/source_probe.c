/* SPDX-License-Identifier: BSD-2-Clause */
/* source_probe.c - what an event that is a probe is called, what its samples are worth. */
#include "profiler/sources/source_probe.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "profiler/sources/source_probe_private.h"

/* A name that pprof and file names take: its letters, digits and underlines. */
static void write_name(const char *text, char *ret, size_t size)
{
	size_t used = 0;

	for (; *text && used + 1 < size; text++) {
		if (isalnum((unsigned char)*text) || *text == '_')
			ret[used++] = *text;
		else if (used && ret[used - 1] != '_')
			ret[used++] = '_';
	}
	while (used && ret[used - 1] == '_')
		used--;
	ret[used] = 0;
}

/* "malloc" of "libc:malloc", "sched_switch" of "sched:sched_switch". */
static void write_base(const struct source_request *request, char *ret, size_t size)
{
	struct probe_words words;

	snprintf(ret, size, "%s", request->source->name);
	if (probe_words_parse(request->source->probe->grammar, request->source->name,
			      request->argument, &words, NULL) < 0)
		return;
	write_name(words.name, ret, size);
	if (!*ret || request->source->values[0].type)
		snprintf(ret, size, "%s", request->source->name);
	probe_words_done(&words);
}

bool source_probe_value(const struct source_request *request, size_t index,
			char name[SOURCE_PROBE_VALUE_BYTES], const char **ret_unit)
{
	char base[SOURCE_PROBE_VALUE_BYTES / 2], suffix[SOURCE_PROBE_VALUE_BYTES / 2] = "time";
	bool has_sum = request->sum || probe_kind_is_measured(request->source->probe);
	const struct source_value *own = &request->source->values[index];

	if (index > has_sum)
		return false;
	if (own->type && !(index && request->sum)) {
		snprintf(name, SOURCE_PROBE_VALUE_BYTES, "%s", own->type);
		*ret_unit = own->unit;
		return true;
	}
	write_base(request, base, sizeof(base));
	if (request->sum)
		write_name(request->sum, suffix, sizeof(suffix));
	snprintf(name, SOURCE_PROBE_VALUE_BYTES, "%s%s%s", base, index ? "_" : "",
		 index ? suffix : "");
	*ret_unit = !index ? "count" : request->unit ?: request->sum ? "count" : "nanoseconds";
	return true;
}

static void fill_values(struct source_probe *p, const struct source_request *request)
{
	const char *unit;

	for (size_t i = 0;
	     i < ARRAY_SIZE(p->names) && source_probe_value(request, i, p->names[i], &unit); i++) {
		snprintf(p->units[i], sizeof(p->units[i]), "%s", unit);
		p->row.values[i] = (struct source_value){
			.type = p->names[i],
			.unit = p->units[i],
			.is_sum = i || request->source->probe->is_counter,
		};
	}
	p->row.values[p->row.values[1].type ? 1 : 0].is_main = true;
}

int source_probe_open(const struct source_request *request, const struct probe_targets *targets,
		      bool shows_all, struct source_probe **ret, struct error *err)
{
	_cleanup_(source_probe_freep) struct source_probe *p = calloc(1, sizeof(*p));
	struct source_request measured = *request;
	char latency[] = "latency";
	int r;

	if (!p)
		return error_set(err, ERROR_FAILED, -ENOMEM, "no memory");
	/* What a call is worth, unless another value is asked for. */
	if (probe_kind_is_measured(request->source->probe) && !measured.sum)
		measured.sum = latency;
	r = probe_find(&measured, targets, shows_all, &p->finding, err);
	if (r < 0)
		return r;
	p->row = *request->source;
	p->row.probes = &p->finding->set;
	if (p->finding->has_trampoline) {
		p->row.objects[0] = "fentry";
		p->row.takes_guard = false;
		p->row.in_tracepoint = true;
	}
	if (!request->source->values[0].type)
		p->row.name = p->names[0];
	/* Which of them it was; where all is shown the values and their place say that and more. */
	if (shows_all)
		p->row.labels = 0;
	else if (p->finding->set.count > 1)
		p->row.labels |= WICK_DETAIL_BIT(KEY);
	fill_values(p, request);
	*ret = take_ptr(p);
	return 0;
}

struct source_probe *source_probe_free(struct source_probe *p)
{
	if (!p)
		return NULL;
	probe_finding_free(p->finding);
	free(p);
	return NULL;
}

const struct source *source_probe_row(const struct source_probe *p)
{
	return &p->row;
}

const char *source_probe_note(const struct source_probe *p)
{
	return p->finding->note[0] ? p->finding->note : NULL;
}

bool source_probe_falls_back(const struct source_probe *p)
{
	return p->finding->falls_back;
}
