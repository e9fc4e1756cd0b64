/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/e2e/probe_rig.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "profiler/limits.h"
#include "profiler/settings.h"
#include "profiler/sources/needs.h"
#include "tests/e2e/harness.h"
#include "tests/unit/unit.h"

/* One rig is opened at a time. */
static struct probe_rig *opening;

static void prepare(const struct source_options *options, struct bpf_object *object)
{
	for (const char *const *name = opening->programs; *name; name++) {
		struct bpf_program *program = bpf_object__find_program_by_name(object, *name);

		assert_non_null(program);
		bpf_program__set_autoload(program, true);
	}
	if (opening->load)
		opening->load(object);
}

/* Without tables every stack would come as a copy: those that want stacks ask for them. */
static void settings_complete(struct probe_rig *rig, unsigned int cpus)
{
	struct session_options options = { .frequency_hz = 99 };
	struct wick_settings asked = rig->settings, *s = &rig->settings;
	struct error err = { 0 };
	uint64_t window_bytes;

	limits_fill(LIMITS_MEMORY_DEFAULT, cpus, 1, &rig->limits, &window_bytes);
	assert_int_equal(settings_fill(&options, &rig->limits, cpus, s, &err), 0);
	s->deliver_events = asked.deliver_events;
	s->walk_user = asked.walk_user;
	s->walk_kernel = asked.walk_kernel;
	s->events_per_second = asked.events_per_second;
	s->events_max = asked.events_max;
	s->value_min = asked.value_min;
	s->filter_uid = asked.filter_uid;
	s->uid = asked.uid;
	memcpy(s->option, asked.option, sizeof(s->option));
}

static void sites_write(struct probe_rig *rig)
{
	int fd = rig->site_count ? probe_rig_map(rig, "sites") : -1;

	for (uint32_t i = 0; i < rig->site_count; i++)
		assert_int_equal(bpf_map_update_elem(fd, &i, &rig->sites[i], BPF_ANY), 0);
}

static void places_make(struct probe_rig *rig)
{
	rig->set.count = rig->site_count;
	rig->set.places = calloc(rig->site_count + 1, sizeof(*rig->set.places));
	assert_non_null(rig->set.places);
	for (size_t i = 0; i < rig->site_count; i++)
		rig->set.places[i].layout.site = rig->sites[i];
}

void probe_rig_open(struct probe_rig *rig)
{
	unsigned int cpus = libbpf_num_possible_cpus();
	struct source_options options = { .frequency_hz = 99 };
	struct drain_options drain = { .sources = &rig->run, .source_count = 1,
				       .limits = &rig->limits };
	struct error err = { 0 };

	harness_need_bpf();
	opening = rig;
	places_make(rig);
	settings_complete(rig, cpus);
	options.settings = rig->settings;
	rig->row = (struct source){ .name = "probe", .objects = { rig->object },
				    .prepare = prepare, .probes = &rig->set };
	rig->needs = session_needs_new();
	if (bpf_maps_open(&rig->limits, &rig->settings, rig->needs, cpus, cpus, &rig->maps, &err) ||
	    source_open(&rig->row, &options, rig->maps, &rig->run, &err)) {
		if (!rig->may_be_refused)
			fail_msg("%s", err.text);
		print_message("skipped: %s\n", err.text);
		probe_rig_close(rig);
		skip();
	}
	sites_write(rig);
	drain.maps = rig->maps;
	assert_int_equal(drain_new(&drain, &rig->drain), 0);
	rig->window = window_new(0);
	assert_non_null(rig->window);
}

struct bpf_program *probe_rig_program(struct probe_rig *rig, const char *name)
{
	struct bpf_program *program =
		bpf_object__find_program_by_name(source_object(rig->run, 0), name);

	assert_non_null(program);
	return program;
}

int probe_rig_map(struct probe_rig *rig, const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(source_object(rig->run, 0), name);

	assert_true(fd >= 0);
	return fd;
}

void probe_rig_keep(struct probe_rig *rig, struct bpf_link *link)
{
	if (!link && (errno == ENOENT || errno == EOPNOTSUPP)) {
		print_message("skipped: this kernel has no such probes\n");
		probe_rig_close(rig);
		skip();
	}
	assert_non_null(link);
	assert_true(rig->link_count < PROBE_RIG_LINKS);
	rig->links[rig->link_count++] = link;
}

/* Where in this program's file the byte at @address is. */
static size_t file_offset(const void *address)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/maps", "re");
	uintptr_t wanted = (uintptr_t)address, start, end, offset;
	char line[512];

	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %*s %" SCNxPTR, &start, &end,
			   &offset) == 3 &&
		    wanted >= start && wanted < end)
			return wanted - start + offset;
	fail_msg("no such code");
	return 0;
}

void probe_rig_attach(struct probe_rig *rig, const char *program, bool at_return,
		      const void *address, uint32_t site)
{
	LIBBPF_OPTS(bpf_uprobe_opts, options, .retprobe = at_return,
		    .bpf_cookie = rig->settings.option[PROBE_OPTION_COOKIES] ? site : 0);

	probe_rig_keep(rig, bpf_program__attach_uprobe_opts(probe_rig_program(rig, program),
							    getpid(), "/proc/self/exe",
							    file_offset(address), &options));
}

void probe_rig_attach_program(struct probe_rig *rig, const char *program)
{
	probe_rig_keep(rig, bpf_program__attach(probe_rig_program(rig, program)));
}

void probe_rig_start(struct probe_rig *rig)
{
	__atomic_store_n(&bpf_maps_control(rig->maps)->enabled, 1, __ATOMIC_SEQ_CST);
}

static void drain_once(struct probe_rig *rig)
{
	_cleanup_(notice_batch_freep) struct notice_batch *batch = notice_batch_new();
	_cleanup_(notice_batch_freep) struct notice_batch *next = notice_batch_new();
	uint64_t lost;

	assert_int_equal(drain_window(rig->drain, batch, next), 0);
	rig->copies += batch->copy_count + next->copy_count;
	assert_int_equal(window_merge(rig->window, batch->window, &lost), 0);
}

void probe_rig_stop(struct probe_rig *rig)
{
	uint64_t lost;

	__atomic_store_n(&bpf_maps_control(rig->maps)->enabled, 0, __ATOMIC_SEQ_CST);
	while (rig->link_count)
		bpf_link__destroy(rig->links[--rig->link_count]);
	drain_once(rig);
	drain_once(rig);
	lost = probe_rig_counter(rig, WICK_COUNTER_LOST_SCRATCH) +
	       probe_rig_counter(rig, WICK_COUNTER_LOST_COUNTS) +
	       probe_rig_counter(rig, WICK_COUNTER_LOST_TASK) +
	       probe_rig_counter(rig, WICK_COUNTER_LOST_EVENT) +
	       probe_rig_counter(rig, WICK_COUNTER_LOST_WAITS);
	assert_int_equal(probe_rig_counter(rig, WICK_COUNTER_TAKEN),
			 probe_rig_counter(rig, WICK_COUNTER_REPORTED) + lost);
	assert_int_equal(window_sample_count(rig->window),
			 probe_rig_counter(rig, WICK_COUNTER_REPORTED));
}

void probe_rig_close(struct probe_rig *rig)
{
	while (rig->link_count)
		bpf_link__destroy(rig->links[--rig->link_count]);
	rig->drain = drain_free(rig->drain);
	rig->run = source_close(rig->run);
	rig->maps = bpf_maps_close(rig->maps);
	rig->needs = session_needs_free(rig->needs);
	rig->window = window_free(rig->window);
	free(rig->set.places);
	rig->set.places = NULL;
}

uint64_t probe_rig_counter(const struct probe_rig *rig, enum wick_counter counter)
{
	uint64_t sum = 0;

	for (unsigned int cpu = 0; cpu < bpf_maps_cpus(rig->maps); cpu++)
		sum += bpf_maps_counters(rig->maps, 0, cpu)->value[counter];
	return sum;
}

size_t probe_rig_entries(struct probe_rig *rig, const char *map)
{
	struct bpf_map *found = bpf_object__find_map_by_name(source_object(rig->run, 0), map);
	_cleanup_free_ void *key = calloc(1, bpf_map__key_size(found));
	size_t count = 0;
	void *from = NULL;

	while (!bpf_map_get_next_key(bpf_map__fd(found), from, key)) {
		from = key;
		count++;
	}
	return count;
}

size_t probe_rig_event_count(const struct probe_rig *rig)
{
	size_t count;

	window_events(rig->window, &count);
	return count;
}

const struct window_event *probe_rig_event(const struct probe_rig *rig, size_t index)
{
	size_t count;
	const struct window_event *events = window_events(rig->window, &count);

	assert_true(index < count);
	assert_non_null(events[index].values);
	return &events[index];
}

void probe_rig_check_text(const struct window_event *event, size_t index, const void *expected,
			  size_t bytes)
{
	const struct probe_values *values = event->values;
	uint32_t offset = (uint32_t)values->value[index];

	assert_false(values->unreadable >> index & 1);
	assert_int_equal(values->value[index] >> 32, bytes);
	assert_true(offset + bytes <= values->text_bytes);
	assert_memory_equal(values->text + offset, expected, bytes);
}
