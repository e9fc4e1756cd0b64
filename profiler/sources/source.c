/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/sources/source.h"

#include <assert.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "profiler/bpf_maps.h"
#include "profiler/probes/probe_set.h"

#define SOURCE_LINKS_MAX 16
#define SOURCE_CALL_TEXTS 1024

struct source_run {
	const struct source *row;
	struct source_options options;
	struct cpu_set cpus;
	struct bpf_object *objects[SOURCE_OBJECTS_MAX];
	int events[SOURCE_EVENT_KINDS][WICK_CPUS_MAX];	/* perf events by CPU, -1: none */
	struct bpf_link *links[SOURCE_LINKS_MAX];
	size_t link_count;
	const char *clock;
};

/* Texts are kept of as many calls as a busy machine has open at a time, if of any. */
static uint32_t call_texts(const struct probe_set *probes)
{
	for (size_t i = 0; probes && i < probes->count; i++) {
		const struct probe_site *site = &probes->places[i].layout.site;

		for (size_t j = 0; j < site->value_count; j++)
			if (site->values[j].form != PROBE_NUMBER &&
			    site->values[j].flags & (PROBE_FETCH_AT_ENTRY | PROBE_FETCH_AGAIN))
				return SOURCE_CALL_TEXTS;
	}
	return 0;
}

int source_open(const struct source *source, const struct source_options *options,
		struct bpf_maps *maps, struct source_run **ret, struct error *err)
{
	_cleanup_(source_closep) struct source_run *run = calloc(1, sizeof(*run));

	if (!run)
		return -ENOMEM;
	run->row = source;
	run->options = *options;
	if (options->cpus) {
		run->cpus = *options->cpus;
		run->options.cpus = &run->cpus;
	}
	for (size_t kind = 0; kind < SOURCE_EVENT_KINDS; kind++)
		for (size_t cpu = 0; cpu < WICK_CPUS_MAX; cpu++)
			run->events[kind][cpu] = -1;
	for (size_t i = 0; i < SOURCE_OBJECTS_MAX && source->objects[i]; i++) {
		struct bpf_load load = { .name = source->objects[i],
					 .settings = &options->settings,
					 .prepare = source->prepare, .options = options,
					 .sites = source->probes ? source->probes->count : 0,
					 .call_texts = call_texts(source->probes) };
		int r = bpf_maps_load_object(maps, &load, &run->objects[i], err);

		if (r < 0)
			return r;
	}
	*ret = take_ptr(run);
	return 0;
}

int source_attach(struct source_run *run, struct error *err)
{
	return run->row->attach(run, err);
}

int source_update_cpus(struct source_run *run)
{
	return run->row->update_cpus ? run->row->update_cpus(run) : 0;
}

/* A program on all tasks: it runs once, when the others have ended. */
static bool program_is_iterator(const struct bpf_program *program)
{
	return bpf_program__expected_attach_type(program) == BPF_TRACE_ITER;
}

int source_attach_programs(struct source_run *run, struct error *err)
{
	for (size_t i = 0; i < SOURCE_OBJECTS_MAX && run->objects[i]; i++) {
		struct bpf_program *program;

		bpf_object__for_each_program(program, run->objects[i])
		{
			if (!bpf_program__autoload(program) || program_is_iterator(program))
				continue;
			assert(run->link_count < SOURCE_LINKS_MAX);
			run->links[run->link_count] = bpf_program__attach(program);
			if (!run->links[run->link_count])
				return error_set(err, ERROR_NOT_SUPPORTED, -errno,
						 "cannot attach: %s: %s",
						 bpf_program__name(program), strerror(errno));
			run->link_count++;
		}
	}
	return 0;
}

void source_detach(struct source_run *run)
{
	while (run->link_count)
		bpf_link__destroy(run->links[--run->link_count]);
	for (unsigned int kind = 0; kind < SOURCE_EVENT_KINDS; kind++)
		for (unsigned int cpu = 0; cpu < WICK_CPUS_MAX; cpu++)
			source_drop_event(run, kind, cpu);
}

/* What cannot be had is counted later, as the samples it would have completed. */
static void iterator_run(struct bpf_program *program)
{
	struct bpf_link *link = bpf_program__attach_iter(program, NULL);
	int fd = link ? bpf_iter_create(bpf_link__fd(link)) : -1;
	char nothing[64];

	/* It writes nothing: the first read goes through all tasks. */
	while (fd >= 0 && read(fd, nothing, sizeof(nothing)) > 0)
		;
	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
}

void source_look_back(struct source_run *run)
{
	for (size_t i = 0; i < SOURCE_OBJECTS_MAX && run->objects[i]; i++) {
		struct bpf_program *program;

		bpf_object__for_each_program(program, run->objects[i])
			if (bpf_program__autoload(program) && program_is_iterator(program))
				iterator_run(program);
	}
}

struct source_run *source_close(struct source_run *run)
{
	if (!run)
		return NULL;
	source_detach(run);
	for (size_t i = 0; i < SOURCE_OBJECTS_MAX; i++)
		bpf_object__close(run->objects[i]);
	free(run);
	return NULL;
}

const struct source *source_row(const struct source_run *run)
{
	return run->row;
}

int source_counts_fd(const struct source_run *run, unsigned int half)
{
	return bpf_object__find_map_fd_by_name(run->objects[0], half ? "counts_1" : "counts_0");
}

int source_waits_fd(const struct source_run *run)
{
	return bpf_object__find_map_fd_by_name(run->objects[0], "waits");
}

const char *source_clock(const struct source_run *run)
{
	return run->clock;
}

struct bpf_object *source_object(const struct source_run *run, size_t index)
{
	return index < SOURCE_OBJECTS_MAX ? run->objects[index] : NULL;
}

const struct source_options *source_run_options(const struct source_run *run)
{
	return &run->options;
}

int source_keep_event(struct source_run *run, unsigned int kind, unsigned int cpu, int fd)
{
	if (cpu >= WICK_CPUS_MAX)
		return -ERANGE;
	source_drop_event(run, kind, cpu);
	run->events[kind][cpu] = fd;
	return 0;
}

bool source_has_event(const struct source_run *run, unsigned int kind, unsigned int cpu)
{
	return cpu < WICK_CPUS_MAX && run->events[kind][cpu] >= 0;
}

void source_drop_event(struct source_run *run, unsigned int kind, unsigned int cpu)
{
	if (!source_has_event(run, kind, cpu))
		return;
	close(run->events[kind][cpu]);
	run->events[kind][cpu] = -1;
}

void source_set_clock(struct source_run *run, const char *clock)
{
	run->clock = clock;
}
