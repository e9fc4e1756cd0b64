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
#include "profiler/base/plain_text.h"
#include "profiler/iterator.h"
#include "profiler/labels/labels.h"
#include "profiler/limits.h"
#include "profiler/privileges.h"
#include "profiler/session_private.h"
#include "profiler/settings.h"
#include "profiler/sources/source_probe.h"
#include "profiler/targets.h"

#define FREQUENCY_DEFAULT_HZ 99
#define STREAM_WINDOW_MS 100
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

void session_add_note(struct session *s, bool is_fallback, const char *format, ...)
{
	struct session_note *note;
	va_list args;

	if (s->note_count == SESSION_NOTES_MAX)
		return;
	note = &s->notes[s->note_count++];
	note->is_fallback = is_fallback;
	va_start(args, format);
	vsnprintf(note->text, sizeof(note->text), format, args);
	va_end(args);
	plain_text(note->text);
}

const struct session_note *session_note(const struct session *s, size_t index)
{
	return index < s->note_count ? &s->notes[index] : NULL;
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
		session_add_note(
			s, true,
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
	return bpf_maps_open(&s->limits, settings, s->needs, cpus, cpus * s->source_count,
			     &s->maps, err);
}

static int open_witness(struct session *s)
{
	for (size_t i = 0; i < s->source_count; i++)
		if (s->rows[i]->takes_guard)
			return witness_new(s->maps, &s->witness);
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
			.known_files_fd = bpf_maps_fd(s->maps, "known_files"),
			.segment_limit = s->limits.segments,
			.rule_limit = s->limits.rules,
			.module_limit = s->limits.modules,
			.mapping_limit = s->limits.mappings,
		},
		.in = s->notices,
		.out = s->windows,
		.files = label_notes_files(s->label_notes),
		.module_limit = s->limits.modules,
		.depth_max = s->options.depth_max,
		.as_events = s->options.delivery == SESSION_EVENTS,
	};

	return tables_new(&options, &s->tables, err);
}

static int open_threads(struct session *s, struct error *err)
{
	struct capture_options options = {
		.drain = { .maps = s->maps, .sources = s->sources, .source_count = s->source_count,
			   .limits = &s->limits, .window_bytes = s->window_bytes },
		.with_data_mappings = label_notes_files(s->label_notes),
		.sideband_bytes = SIDEBAND_BYTES,
		.window_ms = s->limits.window_ms,
	};
	struct processing_options processing = { .window_bytes = s->window_bytes,
						 .notes = s->label_notes };
	int r;

	s->notices = queue_new(s->limits.queue_items);
	s->windows = queue_new(s->limits.queue_items);
	if (!s->notices || !s->windows)
		return -ENOMEM;
	options.out = s->notices;
	processing.in = s->windows;
	options.out_items = s->limits.queue_items;
	r = capture_new(&options, &s->capture, err);
	r = r ?: open_tables(s, err);
	r = r ?: session_open_stream(s);
	processing.stream = s->stream;
	return r ?: processing_new(&processing, &s->processing);
}

static int session_open_all(struct session *s, struct error *err)
{
	struct wick_settings settings;
	int r = privileges_check(err);

	r = r ?: session_choose_sources(s, err);
	r = r ?: session_check_needs(s, err);
	r = r ?: raise_limits(s, err);
	r = r ?: open_maps(s, &settings, err);
	r = r ?: open_witness(s);
	r = r ?: session_open_sources(s, &settings, err);
	s->needs = session_needs_free(s->needs);
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
	s->needs = session_needs_new();
	libbpf_set_print(libbpf_print);
	s->bpf_stats_fd = -1;
	s->open_ns = clock_monotonic_ns();
	s->cpu_before_ns = clock_process_cpu_ns();
	s->options = *options;
	s->limits = options->limits;
	if (s->options.stream && !s->limits.window_ms)
		s->limits.window_ms = STREAM_WINDOW_MS;
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

		if (iterator_is(program) ||
		    exits != !strcmp(bpf_program__name(program), "process_exit"))
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

/* It costs each run of a program, of anybody's: too much for those of events, of which there may be many. */
static bool programs_are_timed(const struct session *s)
{
	for (size_t i = 0; i < s->source_count; i++)
		if (s->sources[i] && !source_clock(s->sources[i]))
			return s->options.time_programs;
	return true;
}

static void note_fallbacks(struct session *s)
{
	for (size_t i = 0; i < s->source_count; i++) {
		const char *clock = source_clock(s->sources[i]);

		if (clock && strcmp(clock, "cycles"))
			session_add_note(s, true,
					 "no hardware cycles on this machine: sampling by %s",
					 clock);
	}
	if (programs_are_timed(s) && s->bpf_stats_fd < 0)
		session_add_note(s, true,
				 "no BPF statistics: continuing without the cost of BPF programs");
}

int session_start(struct session *s, struct error *err)
{
	int r = attach_process_programs(s, false, err);

	r = r ?: targets_follow(&s->options, s->maps, err);
	r = r ?: start_threads(s);
	r = r ?: session_attach_sources(s, err);
	s->bpf_stats_fd = programs_are_timed(s) ? bpf_enable_stats(BPF_STATS_RUN_TIME) : -1;
	r = r ?: attach_process_programs(s, true, err);
	if (!r)
		targets_drop_ended(s->maps);
	/* All at once: else a wait could begin before the program that sees its end is attached. */
	bpf_maps_control(s->maps)->enabled = r >= 0;
	s->start_ns = clock_monotonic_ns();
	s->start_realtime_ns = clock_realtime_ns();
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

/* Samples stop and everything that was taken is drained, in the order data flows. */
void session_stop(struct session *s)
{
	bool ends_now = !s->end_ns;

	if (s->maps)
		bpf_maps_control(s->maps)->enabled = 0;
	/* Detaching waits for the kernel, for each probe. */
	if (ends_now)
		s->end_ns = clock_monotonic_ns();
	if (s->witness)
		witness_stop(s->witness);
	for (size_t i = 0; i < s->source_count; i++)
		if (s->sources[i])
			source_detach(s->sources[i]);
	for (size_t i = 0; i < s->source_count && s->started && ends_now; i++)
		source_look_back(s->sources[i]);
	if (s->capture)
		capture_stop(s->capture, s->end_ns);
	if (s->stream)
		event_stream_set_stopping(s->stream);
	if (s->tables && tables_join(s->tables) < 0)
		s->is_stuck = true;
	/* That was done, unless there was no thread to wait for. */
	if (s->windows)
		queue_close(s->windows);
}

static void session_join(struct session *s)
{
	session_stop(s);
	/* Who takes events does not while this waits. */
	if (s->events)
		queue_close(s->events);
	if (s->processing)
		processing_join(s->processing);
}

/* What is known only at the end. */
static void note_late_fallbacks(struct session *s)
{
	struct tables_stats tables;

	tables_stats(s->tables, &tables);
	if (s->is_stuck)
		session_add_note(s, true,
				 "a file or process does not answer: continuing without the "
				 "unwind tables of what came after it");
	if (tables.modules.unanswered)
		session_add_note(s, true,
				 "a file system does not answer: continuing without unwind tables "
				 "and names of what is mapped from there (%" PRIu64 " mappings)",
				 tables.modules.unanswered);
}

static void finish_stream(struct session *s)
{
	struct event_stream_stats stats;

	event_stream_stats(s->stream, &stats);
	s->resolved = stats.resolved;
	s->finished = true;
	session_note_naming(s, event_stream_symbolizer(s->stream));
}

int session_finish(struct session *s, struct profile **ret, struct error *err)
{
	int r = 0;

	session_join(s);
	note_late_fallbacks(s);
	if (s->stream)
		finish_stream(s);
	else
		r = session_build_profile(s, ret);
	if (r < 0)
		return error_set(err, ERROR_FAILED, r, "cannot build the profile: %s",
				 strerror(-r));
	return 0;
}

bool session_is_stuck(const struct session *s)
{
	return s->is_stuck;
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
	session_join(s);
	for (size_t i = 0; i < SESSION_LINKS_MAX; i++)
		bpf_link__destroy(s->links[i]);
	capture_free(s->capture);
	tables_free(s->tables);
	processing_free(s->processing);
	event_stream_free(s->stream);
	queue_free(s->events);
	label_notes_free(s->label_notes);
	/* A thread that was left behind may come to use these yet. */
	if (!s->is_stuck) {
		queue_empty(s->notices, false);
		queue_empty(s->windows, true);
	}
	for (size_t i = 0; i < s->source_count; i++) {
		source_close(s->sources[i]);
		source_probe_free(s->probes[i]);
		free(s->texts[i]);
	}
	witness_free(s->witness);
	session_needs_free(s->needs);
	if (s->bpf_stats_fd >= 0)
		close(s->bpf_stats_fd);
	if (!s->is_stuck)
		bpf_maps_close(s->maps);
	free(s);
	return NULL;
}
