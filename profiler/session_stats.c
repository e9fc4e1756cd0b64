/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * session_stats.c - losses by cause, completeness and cost, from the counters of every stage.
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "profiler/base/clock.h"
#include "profiler/session_private.h"

static void named_add(struct session_named_count *list, const char *name, uint64_t count)
{
	size_t i = 0;

	if (!count)
		return;
	while (i < SESSION_NAMED_MAX - 2 && list[i].name[0] && strcmp(list[i].name, name))
		i++;
	snprintf(list[i].name, sizeof(list[i].name), "%s", name);
	list[i].count += count;
}

static bool is_loss(unsigned int counter)
{
	return counter == WICK_COUNTER_LOST_SCRATCH || counter == WICK_COUNTER_LOST_COUNTS ||
	       counter == WICK_COUNTER_LOST_TASK || counter == WICK_COUNTER_LOST_EVENT ||
	       counter == WICK_COUNTER_LOST_WAITS;
}

static void read_counters(const struct session *s, uint64_t sum[WICK_COUNTER_COUNT])
{
	for (size_t source = 0; source < s->source_count; source++)
		for (unsigned int cpu = 0; cpu < bpf_maps_cpus(s->maps); cpu++) {
			const struct wick_counters *c = bpf_maps_counters(s->maps, source, cpu);

			for (size_t i = 0; i < WICK_COUNTER_COUNT; i++)
				sum[i] += __atomic_load_n(&c->value[i], __ATOMIC_RELAXED);
		}
}

static void fill_kernel_side(const struct session *s, struct session_stats *ret)
{
	static const char *const names[] = {
#define COUNTER_TEXT(name, text) [WICK_COUNTER_##name] = text,
		WICK_COUNTERS(COUNTER_TEXT)
#undef COUNTER_TEXT
	};
	uint64_t sum[WICK_COUNTER_COUNT] = { 0 };

	read_counters(s, sum);
	for (size_t i = 0; i < WICK_COUNTER_COUNT; i++)
		named_add(is_loss(i) ? ret->losses : ret->counters, names[i], sum[i]);
	ret->taken = sum[WICK_COUNTER_TAKEN];
	ret->filtered = sum[WICK_COUNTER_FILTERED];
	ret->reported = sum[WICK_COUNTER_REPORTED];
	ret->limited = sum[WICK_COUNTER_LIMITED];
}

static uint64_t missed_runs(const struct bpf_object *object)
{
	struct bpf_program *program;
	uint64_t missed = 0;

	bpf_object__for_each_program(program, object)
	{
		struct bpf_prog_info info = { 0 };
		uint32_t size = sizeof(info);

		if (!bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size))
			missed += info.recursion_misses;
	}
	return missed;
}

/* Events at which the kernel did not run the program: it did not see whether they were wanted. */
static void fill_not_run(const struct session *s, struct session_stats *ret)
{
	uint64_t skipped = s->witness ? witness_skipped(s->witness) : 0, missed = 0;

	for (size_t i = 0; i < s->source_count; i++)
		missed += missed_runs(source_object(s->sources[i], 0));
	named_add(ret->losses, "kernel-skipped", skipped);
	/* It would have interrupted itself (counted since 5.12). */
	named_add(ret->losses, "recursion", missed);
	ret->taken += skipped + missed;
}

/* What user space dropped after the kernel side had reported it. */
static void fill_user_side(const struct session *s, const struct capture_stats *capture,
			   const struct tables_stats *tables,
			   const struct event_stream_stats *stream, struct session_stats *ret)
{
	const uint64_t closed = capture->drain.waits_closed, unknown = capture->drain.waits_unknown;
	const struct session_named_count losses[] = {
		{ "window-late", capture->late_samples + tables->windows_late_samples },
		{ "copies-late", capture->late_copies },
		{ "copies-unread", tables->copies_lost },
		{ "waits-unknown", unknown },
		{ "output-late", stream->lost_late },
		{ "no-memory", capture->drain.lost_memory + processing_lost(s->processing) +
				       stream->lost_memory },
	};

	/* Waits that were open at the end were counted by the last drain, not in the kernel. */
	ret->taken += closed + unknown;
	ret->reported += closed + unknown;
	for (size_t i = 0; i < ARRAY_SIZE(losses); i++) {
		named_add(ret->losses, losses[i].name, losses[i].count);
		if (!s->finished)
			ret->reported -= losses[i].count;
	}
	/* What the kernel let through, as CPUs do not wait for each other, was counted as taken. */
	ret->limited += stream->limited;
	ret->taken -= stream->limited;
	ret->reported = s->finished && s->stream ? stream->reported :
						   ret->reported - stream->limited;
	for (size_t i = 0; i < SESSION_NAMED_MAX && ret->losses[i].name[0]; i++)
		ret->lost += ret->losses[i].count;
	named_add(ret->counters, "sideband-records", capture->sideband_records);
	named_add(ret->counters, "sideband-lost", capture->sideband_lost);
	named_add(ret->counters, "windows", capture->drain.windows);
	named_add(ret->counters, "late-records", capture->drain.late_records);
	named_add(ret->counters, "claim-timeouts", capture->drain.claim_timeouts);
	named_add(ret->counters, "count-read-errors", capture->drain.lost_read);
	named_add(ret->counters, "tables-evicted", tables->store.tables_evicted);
	named_add(ret->counters, "tables-unused", tables->store.tables_unused);
	named_add(ret->counters, "tables-refused", tables->store.tables_refused);
	named_add(ret->counters, "rule-pool-full", tables->store.rule_pool_full);
	named_add(ret->counters, "mappings-full", tables->store.mappings_full);
	named_add(ret->counters, "modules-unopened", tables->modules.open_failed);
	named_add(ret->counters, "modules-mismatched", tables->modules.mismatched);
	named_add(ret->counters, "modules-full", tables->modules.full);
	named_add(ret->counters, "maps-unread", tables->maps_failed);
	named_add(ret->counters, "copies-complete", tables->copies_complete);
	named_add(ret->counters, "files-known", tables->store.files_known);
}

static void fill_resolved(const struct session *s, struct session_stats *ret)
{
	const struct resolve_stats *r = &s->resolved;

	ret->reported = s->stream ? ret->reported : r->samples;
	ret->reported_user = r->samples_user;
	ret->complete_user = r->complete;
	ret->frames = r->frames;
	ret->frames_named = r->frames_named;
	ret->frames_fde = r->frames_fde;
	for (unsigned int i = 0; i < UNWIND_STOP_COUNT; i++) {
		named_add(ret->incomplete, resolve_stop_text(i), r->incomplete[i]);
		named_add(ret->no_stack, resolve_stop_text(i), r->no_stack[i]);
	}
	named_add(ret->counters, "kernel-stack-lost", r->kernel_lost);
	named_add(ret->counters, "task-unresolved", r->task_unresolved);
	named_add(ret->counters, "stack-unresolved", r->stack_unresolved);
	named_add(ret->counters, "stack-shed",
		  window_shed_count(processing_window(s->processing)));
}

/*
 * What could not be read stayed in its map: what is missing after a failure is there. Without
 * one nothing is missing, and this must not hide it.
 */
static void fill_unread(const struct capture_stats *capture, struct session_stats *ret)
{
	uint64_t known = ret->reported + ret->lost;

	if ((!capture->drain.lost_read && !capture->undrained) || known >= ret->taken)
		return;
	named_add(ret->losses, "counts-unread", ret->taken - known);
	ret->lost = ret->taken - ret->reported;
}

static void add_program_cost(const struct bpf_object *object, struct session_stats *ret)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
	{
		struct bpf_prog_info info = { 0 };
		uint32_t size = sizeof(info);

		if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size))
			continue;
		ret->bpf_ns += info.run_time_ns;
		ret->bpf_runs += info.run_cnt;
	}
}

static uint64_t resident_bytes(void)
{
	_cleanup_fclose_ FILE *f = fopen("/proc/self/statm", "re");
	unsigned long size, resident = 0;

	if (!f || fscanf(f, "%lu %lu", &size, &resident) != 2)
		return 0;
	return resident * (uint64_t)sysconf(_SC_PAGESIZE);
}

/* Each byte once: what is mapped of the kernel's is resident in this process, too. */
static void fill_memory(const struct session *s, const struct capture_stats *capture,
			const struct tables_stats *tables, struct session_stats *ret)
{
	uint64_t segments = tables->store.segments * WICK_SEGMENT_BLOCKS *
			    sizeof(struct wick_block);
	uint64_t resident = resident_bytes();
	uint64_t mapped = bpf_maps_mapped_bytes(s->maps) + segments;

	ret->memory_user_bytes = resident > mapped ? resident - mapped : 0;
	ret->memory_kernel_bytes = bpf_maps_memory_bytes(s->maps) + segments +
				   capture->sideband_bytes;
	for (size_t i = 0; i < s->source_count; i++)
		ret->memory_kernel_bytes +=
			bpf_maps_object_bytes(s->maps, source_object(s->sources[i], 0));
}

static void fill_cost(struct session *s, const struct tables_stats *tables,
		      struct session_stats *ret)
{
	uint64_t end_ns = s->end_ns ? s->end_ns : clock_monotonic_ns();
	uint64_t first_ns = bpf_maps_control(s->maps)->first_sample_ns;

	ret->duration_ns = s->start_ns ? end_ns - s->start_ns : 0;
	ret->first_sample_ns = first_ns ? first_ns - s->open_ns : 0;
	ret->cpu_ns = clock_process_cpu_ns() - s->cpu_before_ns + s->naming_cpu_ns;
	for (size_t i = 0; i < s->source_count; i++) {
		const struct bpf_object *object = source_object(s->sources[i], 0);

		add_program_cost(object, ret);
		ret->clock = ret->clock ?: source_clock(s->sources[i]);
	}
	ret->rows = tables->store.rows;
	ret->table_bytes = tables->store.table_bytes;
	ret->rules = tables->store.rules;
	ret->modules = tables->modules.opened;
	ret->processes = tables->processes;
	ret->frequency_hz = s->options.frequency_hz;
}

void session_stats(struct session *s, struct session_stats *ret)
{
	struct capture_stats capture;
	struct tables_stats tables;
	struct event_stream_stats stream = { .reported = 0 };

	memset(ret, 0, sizeof(*ret));
	if (s->stream)
		event_stream_stats(s->stream, &stream);
	capture_stats(s->capture, &capture);
	tables_stats(s->tables, &tables);
	fill_kernel_side(s, ret);
	fill_not_run(s, ret);
	fill_user_side(s, &capture, &tables, &stream, ret);
	fill_cost(s, &tables, ret);
	fill_memory(s, &capture, &tables, ret);
	if (s->finished) {
		fill_resolved(s, ret);
		fill_unread(&capture, ret);
	}
}

/* ---- inside the profile ---- */

static int add_comment(struct profile_builder *builder, const char *format, ...) _printf_(2, 3);
static int add_comment(struct profile_builder *builder, const char *format, ...)
{
	char line[SESSION_NOTE_BYTES + 16];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	return profile_builder_comment(builder, line);
}

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * part / whole : 100.0;
}

int session_add_comments(struct session *s, struct profile_builder *builder)
{
	const struct session_note *note;
	struct session_stats st;
	int r;

	session_stats(s, &st);
	r = add_comment(builder, "wick: %" PRIu64 " samples taken, %" PRIu64 " reported, %" PRIu64
			" lost", st.taken, st.reported, st.lost);
	for (size_t i = 0; st.losses[i].name[0] && !r; i++)
		r = add_comment(builder, "lost: %s %" PRIu64, st.losses[i].name,
				st.losses[i].count);
	r = r	  ?:
		    add_comment(builder, "complete user stacks: %.2f %%",
				percent(st.complete_user, st.reported_user));
	for (size_t i = 0; st.incomplete[i].name[0] && !r; i++)
		r = add_comment(builder, "incomplete: %s %" PRIu64, st.incomplete[i].name,
				st.incomplete[i].count);
	for (size_t i = 0; st.no_stack[i].name[0] && !r; i++)
		r = add_comment(builder, "no user stack: %s %" PRIu64, st.no_stack[i].name,
				st.no_stack[i].count);
	r = r ?: add_comment(builder, "named frames: %.2f %%",
			     percent(st.frames_named, st.frames));
	if (!r && st.clock)
		r = add_comment(builder, "clock: %s, %u Hz", st.clock, st.frequency_hz);
	for (size_t i = 0; (note = session_note(s, i)) && !r; i++)
		r = add_comment(builder, "%s: %s", note->is_fallback ? "fallback" : "note",
				note->text);
	return r;
}
