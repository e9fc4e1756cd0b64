/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/sources/source.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "profiler/base/alloc.h"
#include "profiler/bpf_maps.h"
#include "profiler/iterator.h"
#include "profiler/probes/probe_set.h"

#define SOURCE_CALL_TEXTS 1024

struct source_run {
	const struct source *row;
	struct source_options options;
	struct cpu_set cpus;
	struct bpf_object *objects[SOURCE_OBJECTS_MAX];
	int events[SOURCE_EVENT_KINDS][WICK_CPUS_MAX];	/* perf events by CPU, -1: none */
	struct bpf_link **links;
	size_t link_count, link_capacity;
	int *fds;
	size_t fd_count, fd_capacity;
	const char *clock;
	struct wick_recent *recent;
	size_t recent_cpus;
	bool is_left;
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

static int recent_open(struct source_run *run, unsigned int cpus, struct error *err)
{
	int fd = bpf_object__find_map_fd_by_name(run->objects[0], "recent");
	void *memory = mmap(NULL, cpus * sizeof(*run->recent), PROT_READ, MAP_SHARED, fd, 0);

	if (memory == MAP_FAILED)
		return error_set(err, ERROR_FAILED, -errno, "cannot map BPF map: recent: %s",
				 strerror(errno));
	run->recent = memory;
	run->recent_cpus = cpus;
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
	if (run->objects[0]) {
		int r = recent_open(run, bpf_maps_cpus(maps), err);

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
	return run->row->update_cpus && !run->is_left ? run->row->update_cpus(run) : 0;
}

int source_keep_link(struct source_run *run, struct bpf_link *link)
{
	int r = alloc_grow(&run->links, &run->link_capacity, run->link_count + 1);

	if (r < 0)
		bpf_link__destroy(link);
	else
		run->links[run->link_count++] = link;
	return r;
}

int source_keep_fd(struct source_run *run, int fd)
{
	int r = alloc_grow(&run->fds, &run->fd_capacity, run->fd_count + 1);

	if (r < 0)
		close(fd);
	else
		run->fds[run->fd_count++] = fd;
	return r;
}

int source_attach_programs(struct source_run *run, struct error *err)
{
	for (size_t i = 0; i < SOURCE_OBJECTS_MAX && run->objects[i]; i++) {
		struct bpf_program *program;
		struct bpf_link *link;
		int r;

		bpf_object__for_each_program(program, run->objects[i])
		{
			if (!bpf_program__autoload(program) || iterator_is(program))
				continue;
			link = bpf_program__attach(program);
			if (!link)
				return error_set(err, ERROR_NOT_SUPPORTED, -errno,
						 "cannot attach: %s: %s",
						 bpf_program__name(program), strerror(errno));
			r = source_keep_link(run, link);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

void source_detach(struct source_run *run)
{
	while (run->link_count)
		bpf_link__destroy(run->links[--run->link_count]);
	while (run->fd_count)
		close(run->fds[--run->fd_count]);
	for (unsigned int kind = 0; kind < SOURCE_EVENT_KINDS; kind++)
		for (unsigned int cpu = 0; cpu < WICK_CPUS_MAX; cpu++)
			source_drop_event(run, kind, cpu);
}

void source_leave(struct source_run *run)
{
	run->is_left = true;
	source_detach(run);
	run->clock = NULL;
}

void source_look_back(struct source_run *run)
{
	for (size_t i = 0; i < SOURCE_OBJECTS_MAX && run->objects[i] && !run->is_left; i++) {
		struct bpf_program *program;

		bpf_object__for_each_program(program, run->objects[i])
		{
			/* What cannot be had is counted later, as the samples it would have completed. */
			if (bpf_program__autoload(program) && iterator_is(program))
				iterator_run(program);
		}
	}
}

struct source_run *source_close(struct source_run *run)
{
	if (!run)
		return NULL;
	source_detach(run);
	if (run->recent)
		munmap(run->recent, run->recent_cpus * sizeof(*run->recent));
	for (size_t i = 0; i < SOURCE_OBJECTS_MAX; i++)
		bpf_object__close(run->objects[i]);
	free(run->links);
	free(run->fds);
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

const struct wick_recent *source_recent(const struct source_run *run, size_t *ret_cpus)
{
	*ret_cpus = run->recent_cpus;
	return run->recent;
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
