/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/session.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "profiler/base/clock.h"
#include "profiler/base/log.h"
#include "profiler/labels.h"
#include "profiler/limits.h"
#include "profiler/privileges.h"
#include "profiler/session_private.h"
#include "profiler/settings.h"
#include "profiler/targets.h"

#define FREQUENCY_DEFAULT_HZ 99
#define SIDEBAND_BYTES (256u << 10)
#define FILES_LEAST 64
#define FILES_WANTED 1024

static int libbpf_print(enum libbpf_print_level level, const char *format, va_list args)
{
	char line[1024];

	if (!(log_domains & LOG_LIBBPF))
		return 0;
	vsnprintf(line, sizeof(line), format, args);
	line[strcspn(line, "\n")] = 0;
	log_debug(LOG_LIBBPF, "%s", line);
	return 0;
}

static void fallback_note(struct session *s, const char *format, ...) _printf_(2, 3);
static void fallback_note(struct session *s, const char *format, ...)
{
	va_list args;

	if (s->fallback_count == SESSION_FALLBACKS_MAX)
		return;
	va_start(args, format);
	vsnprintf(s->fallbacks[s->fallback_count++], sizeof(s->fallbacks[0]), format, args);
	va_end(args);
}

const char *session_fallback(const struct session *s, size_t index)
{
	return index < s->fallback_count ? s->fallbacks[index] : NULL;
}

/* ---- opening ---- */

/* Below FILES_LEAST not even the maps can be opened; each CPU has its perf events. */
static int raise_files(struct session *s, struct error *err)
{
	unsigned long long least = FILES_LEAST + 2ULL * (unsigned int)libbpf_num_possible_cpus();
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit))
		return 0;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_max < least)
		return error_set(err, ERROR_FAILED, -EMFILE,
				 "cannot work with %llu open files: at least %llu are needed; "
				 "raise the limit: ulimit -n 65536",
				 (unsigned long long)limit.rlim_max, least);
	if (limit.rlim_max < FILES_WANTED)
		fallback_note(s,
			      "at most %llu open files (ulimit -n): continuing without the stacks "
			      "of programs beyond them",
			      (unsigned long long)limit.rlim_max);
	return 0;
}

static int raise_limits(struct session *s, struct error *err)
{
	const struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };

	/* Needed before 5.11; elsewhere a refusal does not matter. */
	setrlimit(RLIMIT_MEMLOCK, &unlimited);
	/* A descriptor for each module: it names deleted files. */
	return raise_files(s, err);
}

static int add_source(struct session *s, const struct source *row, const struct source *shown,
		      const char *text, struct error *err)
{
	if (s->source_count == SESSION_SOURCES_MAX)
		return error_set(err, ERROR_USAGE, -E2BIG, "cannot use so many events: at most %d",
				 SESSION_SOURCES_MAX);
	s->rows[s->source_count] = row;
	s->shown[s->source_count] = shown;
	s->texts[s->source_count++] = text;
	return 0;
}

static int choose_source(struct session *s, const char *text, struct error *err)
{
	struct wick_settings unused = { 0 };
	const struct source *row;
	int r = source_parse(text, &row, &unused, err);

	for (size_t i = 0; i < s->source_count && !r; i++)
		if (s->shown[i] == row)
			r = error_set(err, ERROR_USAGE, -EEXIST, "event given twice: %s",
				      row->name);
	if (!r && !row->parts[0])
		r = add_source(s, row, row, text, err);
	for (size_t i = 0; i < SOURCE_PARTS_MAX && !r && row->parts[i]; i++)
		r = add_source(s, source_find(row->parts[i]), row, text, err);
	return r;
}

static int choose_sources(struct session *s, struct error *err)
{
	int r = 0;

	for (size_t i = 0; i < s->options.event_count && !r; i++)
		r = choose_source(s, s->options.events[i].text, err);
	return r ?: s->source_count ? r : choose_source(s, "cpu", err);
}

static int choose_cpus(struct session *s, struct error *err)
{
	int r;

	if (!s->options.cpus)
		return 0;
	r = cpu_set_parse(s->options.cpus, &s->cpus);
	if (r < 0)
		return error_set(err, ERROR_USAGE, r, "cannot use CPUs: %s: not a list as 0-3,6",
				 s->options.cpus);
	return 0;
}

static int open_maps(struct session *s, struct wick_settings *settings, struct error *err)
{
	int cpus = libbpf_num_possible_cpus(), r;

	if (cpus < 0)
		return error_set(err, ERROR_FAILED, cpus, "cannot count the CPUs: %s",
				 strerror(-cpus));
	if (cpus > WICK_CPUS_MAX)
		return error_set(err, ERROR_NOT_SUPPORTED, -ERANGE,
				 "cannot use %d CPUs: at most %d", cpus, WICK_CPUS_MAX);
	limits_fill(s->options.memory_bytes, cpus, s->source_count, &s->limits, &s->window_bytes);
	r = settings_fill(&s->options, &s->limits, cpus, settings, err);
	if (r < 0)
		return r;
	return bpf_maps_open(&s->limits, settings, cpus, cpus * s->source_count, &s->maps, err);
}

static int open_witness(struct session *s)
{
	for (size_t i = 0; i < s->source_count; i++)
		if (s->rows[i]->takes_guard)
			return witness_new(s->maps, &s->witness);
	return 0;
}

static int open_sources(struct session *s, const struct wick_settings *settings,
			struct error *err)
{
	for (size_t i = 0; i < s->source_count; i++) {
		struct source_options options = {
			.index = i,
			.frequency_hz = s->options.frequency_hz,
			.cpus = s->options.cpus ? &s->cpus : NULL,
			.witness = s->witness,
			.settings = *settings,
		};
		const struct source *row = s->rows[i], *written;
		struct wick_settings *own = &options.settings;
		int r = source_parse(s->texts[i], &written, own, err);

		own->source = i;
		own->labels |= labels_details_of(row, s->options.labels, s->options.labels_only);
		if (row->delivers_events)
			own->deliver_events = 1;
		if (row->skips_profiler)
			own->skip_pid = getpid();
		if (row->no_user_stack)
			own->walk_user = 0;
		if (row->no_kernel_stack)
			own->walk_kernel = 0;
		r = r ?: source_open(row, &options, s->maps, &s->sources[i], err);
		if (r < 0)
			return r;
	}
	return 0;
}

static int open_tables(struct session *s, struct error *err)
{
	struct tables_options options = {
		.store = {
			.segments_fd = bpf_maps_fd(s->maps, "segments"),
			.rules_fd = bpf_maps_fd(s->maps, "rules"),
			.modules_fd = bpf_maps_fd(s->maps, "modules"),
			.mappings_fd = bpf_maps_fd(s->maps, "mappings"),
			.processes_fd = bpf_maps_fd(s->maps, "processes"),
			.segment_limit = s->limits.segments,
			.rule_limit = s->limits.rules,
			.module_limit = s->limits.modules,
			.mapping_limit = s->limits.mappings,
		},
		.in = s->notices,
		.out = s->windows,
		.module_limit = s->limits.modules,
		.depth_max = s->options.depth_max,
	};

	return tables_new(&options, &s->tables, err);
}

static int open_threads(struct session *s, struct error *err)
{
	struct capture_options options = {
		.drain = { .maps = s->maps, .sources = s->sources, .source_count = s->source_count,
			   .limits = &s->limits, .window_bytes = s->window_bytes },
		.sideband_bytes = SIDEBAND_BYTES,
		.window_ms = s->limits.window_ms,
	};
	int r;

	s->notices = queue_new(s->limits.queue_items);
	s->windows = queue_new(s->limits.queue_items);
	if (!s->notices || !s->windows)
		return -ENOMEM;
	options.out = s->notices;
	options.out_items = s->limits.queue_items;
	r = capture_new(&options, &s->capture, err);
	r = r ?: open_tables(s, err);
	return r ?: processing_new(s->windows, s->window_bytes, s->label_notes,
				   &s->processing);
}

static int session_open_all(struct session *s, struct error *err)
{
	struct wick_settings settings;
	int r = privileges_check(err);

	r = r ?: choose_sources(s, err);
	r = r ?: choose_cpus(s, err);
	r = r ?: raise_limits(s, err);
	r = r ?: open_maps(s, &settings, err);
	r = r ?: open_witness(s);
	r = r ?: open_sources(s, &settings, err);
	r = r ?: targets_set(&s->options, s->maps, err);
	r = r ?: label_notes_new(s->options.labels, settings.cgroup_subsystem, &s->label_notes);
	return r ?: open_threads(s, err);
}

int session_open(const struct session_options *options, struct session **ret, struct error *err)
{
	_cleanup_(session_freep) struct session *s = calloc(1, sizeof(*s));
	int r;

	if (!s)
		return error_set(err, ERROR_FAILED, -ENOMEM, "no memory");
	libbpf_set_print(libbpf_print);
	s->bpf_stats_fd = -1;
	s->open_ns = clock_monotonic_ns();
	s->cpu_before_ns = clock_process_cpu_ns();
	s->options = *options;
	s->limits = options->limits;
	if (!s->options.frequency_hz)
		s->options.frequency_hz = FREQUENCY_DEFAULT_HZ;
	if (!s->options.memory_bytes)
		s->options.memory_bytes = LIMITS_MEMORY_DEFAULT;
	if (s->options.memory_bytes < LIMITS_MEMORY_LEAST)
		return error_set(err, ERROR_USAGE, -EINVAL, "cannot work with so little memory: at "
				 "least %lluM", LIMITS_MEMORY_LEAST >> 20);
	r = session_open_all(s, err);
	if (r < 0) {
		if (err && !err->text[0])
			error_set(err, ERROR_FAILED, r, "cannot open session: %s", strerror(-r));
		return r;
	}
	*ret = take_ptr(s);
	return 0;
}

/* ---- running ---- */

/*
 * That of exits, which forgets the process, is attached last: programs run in that order, and sources
 * still want to know who ends.
 */
static int attach_process_programs(struct session *s, bool exits, struct error *err)
{
	struct bpf_program *program;
	size_t count = 0;

	bpf_object__for_each_program(program, bpf_maps_process_object(s->maps))
	{
		struct bpf_link **link = &s->links[count++];

		if (exits != !strcmp(bpf_program__name(program), "process_exit"))
			continue;
		*link = bpf_program__attach(program);
		if (!*link)
			return error_set(err, ERROR_NOT_SUPPORTED, -errno,
					 "cannot attach: %s: %s", bpf_program__name(program),
					 strerror(errno));
	}
	return 0;
}

static int start_threads(struct session *s)
{
	int r = processing_start(s->processing);

	r = r ?: tables_start(s->tables);
	return r ?: capture_start(s->capture);
}

static void note_fallbacks(struct session *s)
{
	for (size_t i = 0; i < s->source_count; i++) {
		const char *clock = source_clock(s->sources[i]);

		if (clock && strcmp(clock, "cycles"))
			fallback_note(s, "no hardware cycles on this machine: sampling by %s",
				      clock);
	}
	for (size_t i = 0; bpf_maps_missing(s->maps, i); i++)
		fallback_note(s, "this kernel has no tracepoint %s: continuing without what it "
			      "tells", bpf_maps_missing(s->maps, i));
	if (s->options.time_programs && s->bpf_stats_fd < 0)
		fallback_note(s, "no BPF statistics: continuing without the cost of BPF programs");
}

int session_start(struct session *s, struct error *err)
{
	int r = attach_process_programs(s, false, err);

	for (size_t i = 0; i < s->options.pid_count && !s->options.wait_exec && !r; i++)
		tables_preload(s->tables, s->options.pids[i]);
	r = r ?: start_threads(s);
	s->bpf_stats_fd = s->options.time_programs ? bpf_enable_stats(BPF_STATS_RUN_TIME) : -1;
	bpf_maps_control(s->maps)->enabled = 1;
	s->start_ns = clock_monotonic_ns();
	s->start_realtime_ns = clock_realtime_ns();
	for (size_t i = 0; i < s->source_count && !r; i++)
		r = source_attach(s->sources[i], err);
	r = r ?: attach_process_programs(s, true, err);
	r = r ?: targets_follow(&s->options, s->maps, err);
	if (r < 0 && err && !err->text[0])
		error_set(err, ERROR_FAILED, r, "cannot start: %s", strerror(-r));
	s->started = r >= 0;
	if (s->started)
		note_fallbacks(s);
	return r;
}

bool session_has_targets(const struct session *s)
{
	return targets_live(&s->options, s->maps);
}

/* ---- finishing ---- */

/* Samples stop, everything that was taken is drained, threads end; in the order data flows. */
static void session_stop(struct session *s)
{
	if (s->maps)
		bpf_maps_control(s->maps)->enabled = 0;
	if (s->witness)
		witness_stop(s->witness);
	for (size_t i = 0; i < s->source_count; i++)
		if (s->sources[i])
			source_detach(s->sources[i]);
	if (!s->end_ns) {
		s->end_ns = clock_monotonic_ns();
		for (size_t i = 0; i < s->source_count && s->started; i++)
			source_look_back(s->sources[i]);
	}
	if (s->capture)
		capture_stop(s->capture, s->end_ns);
	if (s->tables)
		tables_join(s->tables);
	/* The tables thread does that, unless it could not be started. */
	if (s->windows)
		queue_close(s->windows);
	if (s->processing)
		processing_join(s->processing);
}

static struct module *module_by_id(void *context, uint32_t id)
{
	return tables_module(context, id);
}

static int build_profile(struct session *s, struct profile **ret)
{
	_cleanup_(profile_builder_freep) struct profile_builder *builder = profile_builder_new();
	/* Modules are named one after the other: a small cache serves as well as a large one. */
	struct symbolizer_options limits = { .cache_bytes = s->options.memory_bytes / 8 };
	_cleanup_(symbolizer_freep) struct symbolizer *symbolizer = symbolizer_new(&limits);
	struct resolve_options options = {
		.window = processing_window(s->processing),
		.sources = s->rows,
		.shown = s->shown,
		.labels = s->options.labels,
		.source_count = s->source_count,
		.symbolizer = symbolizer,
		.module = module_by_id,
		.module_context = s->tables,
		.jit_maps = processing_jit_maps(s->processing),
		.label_notes = s->label_notes,
		.target_pid = s->options.pid_count ? (uint32_t)s->options.pids[0] : 0,
	};
	struct profile_value_type period = { 0 };
	int r;

	if (!builder || !symbolizer)
		return -ENOMEM;
	r = resolve_window(&options, builder, &s->resolved);
	s->finished = true;
	r = r ?: profile_builder_string(builder, "cpu", &period.type);
	r = r ?: profile_builder_string(builder, "nanoseconds", &period.unit);
	r = r ?: session_add_comments(s, builder);
	if (r < 0)
		return r;
	profile_builder_time(builder, s->start_realtime_ns, s->end_ns - s->start_ns);
	profile_builder_period(builder, &period, 1000000000 / s->options.frequency_hz);
	return profile_builder_finish(builder, ret);
}

/* What is known only at the end. */
static void note_late_fallbacks(struct session *s)
{
	struct tables_stats tables;

	tables_stats(s->tables, &tables);
	if (tables.modules.unanswered)
		fallback_note(s, "a file system does not answer: continuing without unwind tables "
			      "and names of what is mapped from there (%" PRIu64 " mappings)",
			      tables.modules.unanswered);
}

int session_finish(struct session *s, struct profile **ret, struct error *err)
{
	int r;

	session_stop(s);
	note_late_fallbacks(s);
	r = build_profile(s, ret);
	if (r < 0)
		return error_set(err, ERROR_FAILED, r, "cannot build the profile: %s",
				 strerror(-r));
	return 0;
}

static void queue_empty(struct queue *queue, bool windows)
{
	void *item;

	if (!queue)
		return;
	queue_close(queue);
	while (!queue_take(queue, 0, &item)) {
		if (windows)
			window_free(item);
		else
			notice_batch_free(item);
	}
	queue_free(queue);
}

struct session *session_free(struct session *s)
{
	if (!s)
		return NULL;
	if (s->notices)
		queue_close(s->notices);
	session_stop(s);
	for (size_t i = 0; i < SESSION_LINKS_MAX; i++)
		bpf_link__destroy(s->links[i]);
	capture_free(s->capture);
	tables_free(s->tables);
	processing_free(s->processing);
	label_notes_free(s->label_notes);
	queue_empty(s->notices, false);
	queue_empty(s->windows, true);
	for (size_t i = 0; i < s->source_count; i++)
		source_close(s->sources[i]);
	witness_free(s->witness);
	if (s->bpf_stats_fd >= 0)
		close(s->bpf_stats_fd);
	bpf_maps_close(s->maps);
	free(s);
	return NULL;
}
