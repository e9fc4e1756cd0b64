/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/record/summary.h"

#include <inttypes.h>
#include <string.h>

/* How to look at a format; %s is the file. */
static const struct {
	const char *format, *command;
} summary_viewers[] = {
	{ "pprof", "wick report %s, or go tool pprof -http=: %s" },
	{ "pprof-raw", "wick report %s, or go tool pprof -http=: %s" },
	{ "folded", "wick report %s, or speedscope %s" },
	{ "svg", "xdg-open %s" },
	{ "html", "xdg-open %s" },
	{ "speedscope", "speedscope %s" },
	{ "firefox", "open %s in profiler.firefox.com" },
};

static double percent(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

/*
 * In per cent, rounded down: 100.0 % means all of it, and nothing less.
 */
static void add_share(struct strbuf *ret, uint64_t part, uint64_t whole)
{
	uint64_t thousandth = whole ? (uint64_t)((unsigned __int128)part * 1000 / whole) : 0;

	strbuf_printf(ret, "%" PRIu64 ".%" PRIu64 " %%", thousandth / 10, thousandth % 10);
}

static void add_bytes(struct strbuf *ret, uint64_t bytes)
{
	static const char *const units[] = { "KiB", "MiB", "GiB" };
	double value = (double)bytes / 1024;
	size_t unit = 0;

	if (bytes < 1024) {
		strbuf_printf(ret, "%" PRIu64 " B", bytes);
		return;
	}
	for (; value >= 1024 && unit + 1 < ARRAY_SIZE(units); unit++)
		value /= 1024;
	strbuf_printf(ret, "%.1f %s", value, units[unit]);
}

/* "CAUSE 3, CAUSE 1": those that are not 0. */
static void add_causes(struct strbuf *ret, const struct session_named_count *counts)
{
	const char *comma = "";
	size_t i;

	for (i = 0; i < SESSION_NAMED_MAX && counts[i].name[0]; i++) {
		if (!counts[i].count)
			continue;
		strbuf_printf(ret, "%s%s %" PRIu64, comma, counts[i].name, counts[i].count);
		comma = ", ";
	}
}

static void add_samples(const struct session_stats *stats, const char *what, struct strbuf *ret)
{
	strbuf_printf(ret, "%-8s %" PRIu64 " taken in %.*f s", what, stats->taken,
		      stats->duration_ns < 1000000000 ? 3 : 1, (double)stats->duration_ns / 1e9);
	if (stats->clock)
		strbuf_printf(ret, " (%s, %" PRIu32 " Hz)", stats->clock, stats->frequency_hz);
	strbuf_printf(ret, ", %" PRIu64 " lost", stats->lost);
	if (stats->lost) {
		strbuf_printf(ret, " (%.2g %%): ", percent(stats->lost, stats->taken));
		add_causes(ret, stats->losses);
	}
	if (stats->limited)
		strbuf_printf(ret, "; %" PRIu64 " more left out, over the limit", stats->limited);
	strbuf_add_char(ret, '\n');
}

static void add_stacks(const struct session_stats *stats, struct strbuf *ret)
{
	if (!stats->reported_user)
		return;
	strbuf_add_text(ret, "stacks   ");
	add_share(ret, stats->complete_user, stats->reported_user);
	strbuf_printf(ret, " of %" PRIu64 " user stacks are complete", stats->reported_user);
	if (stats->complete_user < stats->reported_user) {
		strbuf_add_text(ret, "; incomplete: ");
		add_causes(ret, stats->incomplete);
	}
	if (stats->no_stack[0].name[0]) {
		strbuf_add_text(ret, "; no user stack: ");
		add_causes(ret, stats->no_stack);
	}
	strbuf_add_char(ret, '\n');
}

static void add_names(const struct session_stats *stats, struct strbuf *ret)
{
	if (!stats->frames)
		return;
	strbuf_add_text(ret, "names    ");
	add_share(ret, stats->frames_named, stats->frames);
	strbuf_add_text(ret, " of frames have a name");
	if (stats->frames_fde) {
		strbuf_add_text(ret, ", ");
		add_share(ret, stats->frames_fde, stats->frames);
		strbuf_add_text(ret, " only where their function starts");
	}
	strbuf_add_char(ret, '\n');
}

static void add_cost(const struct session_stats *stats, struct strbuf *ret)
{
	strbuf_printf(ret, "cost     %.3f s of CPU time", (double)stats->cpu_ns / 1e9);
	/* Of a shorter run the start is nearly everything, and its share says nothing. */
	if (stats->duration_ns >= 1000000000)
		strbuf_printf(ret, ", %.2f %% of a CPU",
			      percent(stats->cpu_ns, stats->duration_ns));
	if (stats->bpf_runs)
		strbuf_printf(ret, ", %" PRIu64 " ns a sample in the kernel",
			      stats->bpf_ns / stats->bpf_runs);
	strbuf_add_text(ret, ", memory ");
	add_bytes(ret, stats->memory_user_bytes);
	strbuf_add_text(ret, " + ");
	add_bytes(ret, stats->memory_kernel_bytes);
	strbuf_add_text(ret, " in the kernel\n");
}

/* @path as a word of a shell command. */
static void add_shell_word(struct strbuf *ret, const char *path)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_-./:@%+=,";

	if (!path[strspn(path, plain)]) {
		strbuf_add_text(ret, path);
		return;
	}
	strbuf_add_char(ret, '\'');
	for (; *path; path++) {
		if (*path == '\'')
			strbuf_add_text(ret, "'\\''");
		else
			strbuf_add_char(ret, *path);
	}
	strbuf_add_char(ret, '\'');
}

static void add_viewer(const struct record_file *file, struct strbuf *ret)
{
	const char *command = NULL, *place;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(summary_viewers) && !command; i++)
		if (!strcmp(summary_viewers[i].format, file->writer->name))
			command = summary_viewers[i].command;
	if (!command)
		return;
	strbuf_add_text(ret, "look     ");
	while ((place = strstr(command, "%s"))) {
		strbuf_add(ret, command, (size_t)(place - command));
		add_shell_word(ret, file->path);
		command = place + 2;
	}
	strbuf_printf(ret, "%s\n", command);
}

static void add_files(const struct record_files *files, struct strbuf *ret)
{
	size_t i;

	for (i = 0; i < files->count; i++) {
		strbuf_printf(ret, "wrote    %s, ", record_output_shown(files->files[i].path));
		add_bytes(ret, files->files[i].bytes);
		strbuf_add_char(ret, '\n');
	}
	for (i = 0; i < files->count; i++)
		if (!files->files[i].in_place)
			add_viewer(&files->files[i], ret);
}

void summary_add(const struct summary *summary, struct strbuf *ret)
{
	add_samples(summary->stats, summary->what, ret);
	add_stacks(summary->stats, ret);
	add_names(summary->stats, ret);
	if (summary->fallback_count)
		strbuf_printf(ret, "fallback %zu, said above\n", summary->fallback_count);
	add_cost(summary->stats, ret);
	add_files(summary->files, ret);
}

static void add_count(struct strbuf *ret, const char *group, const char *name, uint64_t count)
{
	strbuf_printf(ret, "%s%s%-*s %" PRIu64 "\n", group, *group ? "." : "",
		      (int)(32 - strlen(group) - (*group ? 1 : 0)), name, count);
}

static void add_counts(struct strbuf *ret, const char *group,
		       const struct session_named_count *counts)
{
	size_t i;

	for (i = 0; i < SESSION_NAMED_MAX && counts[i].name[0]; i++)
		add_count(ret, group, counts[i].name, counts[i].count);
}

void summary_add_counters(const struct session_stats *stats, struct strbuf *ret)
{
	const struct {
		const char *name;
		uint64_t count;
	} rows[] = {
		{ "taken", stats->taken },
		{ "reported", stats->reported },
		{ "lost", stats->lost },
		{ "filtered", stats->filtered },
		{ "reported_user", stats->reported_user },
		{ "complete_user", stats->complete_user },
		{ "frames", stats->frames },
		{ "frames_named", stats->frames_named },
		{ "frames_fde", stats->frames_fde },
		{ "duration_ns", stats->duration_ns },
		{ "first_sample_ns", stats->first_sample_ns },
		{ "cpu_ns", stats->cpu_ns },
		{ "bpf_ns", stats->bpf_ns },
		{ "bpf_runs", stats->bpf_runs },
		{ "memory_user_bytes", stats->memory_user_bytes },
		{ "memory_kernel_bytes", stats->memory_kernel_bytes },
		{ "rows", stats->rows },
		{ "table_bytes", stats->table_bytes },
		{ "modules", stats->modules },
		{ "processes", stats->processes },
		{ "rules", stats->rules },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		add_count(ret, "", rows[i].name, rows[i].count);
	add_counts(ret, "lost", stats->losses);
	add_counts(ret, "incomplete", stats->incomplete);
	add_counts(ret, "no_stack", stats->no_stack);
	add_counts(ret, "counter", stats->counters);
}
