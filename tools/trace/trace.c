/* SPDX-License-Identifier: BSD-2-Clause */
/* wick trace: a line per event, or what the kernel counted of them. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formats/profile.h"
#include "profiler/base/log.h"
#include "profiler/events.h"
#include "tools/message.h"
#include "tools/record/record_show.h"
#include "tools/record/session_run.h"
#include "tools/record/summary.h"
#include "tools/tool.h"
#include "tools/trace/trace_format.h"
#include "tools/trace/trace_options.h"

/* How long to wait for events before we look for anything else. */
#define EVENTS_WAIT_MS 100
/* So often in vain, after which nothing that the kernel let through can be under way. */
#define IDLE_MAX 10

struct trace {
	struct trace_options options;
	struct session_run run;
	const struct trace_format *format;
	struct trace_view view;
	struct strbuf text;		/* not written yet */
	int fd;				/* -1: not open */
	int write_error;		/* 0, or the first one */
	uint64_t shown;			/* events that were written */
	uint32_t idle;			/* waits for events in a row that gave none */
	struct profile *profile;	/* when events are counted */
};

/* ---- output ---- */

static int open_output(struct trace *trace, struct error *err)
{
	const char *path = trace->options.output;

	trace->fd = STDOUT_FILENO;
	if (!path || !strcmp(path, "-"))
		return 0;
	/* In place: it is for reading while it grows. What is in it goes when there is something new. */
	trace->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
	if (trace->fd < 0)
		return error_set(err, ERROR_FAILED, -errno, "cannot write: %s: %s", path,
				 strerror(errno));
	return 0;
}

static void write_text(struct trace *trace)
{
	const char *data = trace->text.data;
	size_t left = trace->text.size;

	if (trace->text.error)
		trace->write_error = trace->write_error ?: trace->text.error;
	while (left && !trace->write_error) {
		ssize_t written = write(trace->fd, data, left);

		if (written < 0 && errno != EINTR)
			trace->write_error = -errno;
		data += written > 0 ? written : 0;
		left -= written > 0 ? (size_t)written : 0;
	}
	strbuf_reset(&trace->text);
}

/* What is left of a batch that is too large to be one text. */
#define TEXT_BYTES (1u << 20)

static void write_batch(struct trace *trace, const struct event_batch *batch)
{
	for (size_t i = 0; i < batch->count && !trace->write_error; i++) {
		trace->format->add(&trace->view, batch->events[i], &trace->text);
		trace->shown++;
		if (trace->text.size >= TEXT_BYTES)
			write_text(trace);
	}
	write_text(trace);
}

/* As session_next_events(), and shows them, for as long as they can be written. */
static int take_events(struct trace *trace, int timeout_ms)
{
	_cleanup_(event_batch_freep) struct event_batch *batch = NULL;
	int r = session_next_events(trace->run.session, timeout_ms, &batch);

	if (!r)
		write_batch(trace, batch);
	return r;
}

static int show_events(struct trace *trace, int timeout_ms)
{
	int r = take_events(trace, timeout_ms);

	return trace->write_error ?: r;
}

static bool trace_work(void *context, uint64_t timeout_ns)
{
	struct trace *trace = context;
	int timeout_ms = EVENTS_WAIT_MS, r;

	if (timeout_ns && timeout_ns / 1000000 < EVENTS_WAIT_MS)
		timeout_ms = (int)(timeout_ns / 1000000) + 1;
	r = show_events(trace, timeout_ms);
	trace->idle = r == -ETIMEDOUT ? trace->idle + 1 : 0;
	if (r < 0 && r != -ETIMEDOUT)
		return true;
	return trace->idle > IDLE_MAX && session_events_are_spent(trace->run.session);
}

/* ---- a run ---- */

static int trace_open(struct trace *trace, const struct option_words *words, struct error *err)
{
	struct session_options wanted;
	int r = trace_options_check(&trace->options, words, err);

	if (r < 0)
		return r;
	trace->format = trace_options_format(&trace->options);
	r = open_output(trace, err);
	if (r < 0)
		return r;
	trace_options_session(&trace->options, &wanted);
	trace->run.work = wanted.stream ? trace_work : NULL;
	return session_run_open(&trace->run, &wanted, err);
}

static bool has_colors(void)
{
	const char *terminal = getenv("TERM"), *without = getenv("NO_COLOR");

	return terminal && strcmp(terminal, "dumb") && (!without || !*without);
}

static void trace_begin(struct trace *trace)
{
	bool is_terminal = isatty(trace->fd);

	/* A device or a pipe cannot, and need not. */
	if (trace->options.output && trace->fd > STDERR_FILENO)
		(void)!ftruncate(trace->fd, 0);
	trace->view = (struct trace_view){
		.clock = trace->options.clock >= 0 ? (enum trace_clock)trace->options.clock :
						     trace->format->clock,
		.offset_ns = session_clock_offset_ns(trace->run.session),
		.begin_ns = session_begin_ns(trace->run.session),
		.stack = trace->options.stack,
		.has_header = is_terminal,
		.has_colors = is_terminal && has_colors(),
	};
	if (trace->format->begin)
		trace->format->begin(&trace->view, &trace->text);
	write_text(trace);
}

/* Also after a failure: what was written is then still whole. */
static void trace_end(struct trace *trace)
{
	if (trace->format->end)
		trace->format->end(&trace->view, &trace->text);
	write_text(trace);
	hashmap_free(trace->view.threads);
	trace->view.threads = NULL;
}

static void say_summary(const struct trace *trace, const struct session_stats *stats)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	const struct record_files none = { .count = 0 };
	struct summary summary = { .stats = stats, .files = &none, .what = "events",
				   .fallback_count = trace->run.fallback_count };

	if (!trace->options.record.quiet)
		summary_add(&summary, &text);
	if (trace->options.record.stats)
		summary_add_counters(stats, &text);
	fputs(text.data, stderr);
}

static void warn_no_events(const struct session_stats *stats)
{
	if (stats->lost)
		message_warn("no events: all that were taken are lost");
	else
		message_warn("no events: nothing that was asked for happened in %.3f s",
			     (double)stats->duration_ns / 1e9);
}

/*
 * Until there is nothing left to show. Also when nobody would see it: who sends the events waits for
 * them to be taken.
 */
static void show_rest(struct trace *trace)
{
	session_stop(trace->run.session);
	while (!take_events(trace, -1))
		;
}

static int trace_finish(struct trace *trace, enum session_run_end end, struct error *err)
{
	bool is_counted = trace_options_is_counted(&trace->options);
	struct session_stats stats;
	int r;

	if (!is_counted) {
		show_rest(trace);
		trace_end(trace);
	}
	progress_show_text(&trace->run.progress, "finishing");
	r = session_finish(trace->run.session, &trace->profile, err);
	progress_clear(&trace->run.progress);
	if (r < 0)
		return r;
	session_run_stop_command(&trace->run, end);
	/* Whoever has seen enough wants to hear no more. */
	if (trace->write_error == -EPIPE)
		return 0;
	if (end == END_TARGETS && !trace->options.record.quiet)
		message_note("all targets have ended");
	session_run_say_notes(&trace->run);
	session_stats(trace->run.session, &stats);
	if (is_counted && record_show(&trace->options.record, trace->profile) < 0)
		trace->write_error = -EIO;
	if (is_counted ? !trace->profile->sample_count : !trace->shown)
		warn_no_events(&stats);
	say_summary(trace, &stats);
	return 0;
}

/* A write that failed is said here; a pipe that was closed is no failure. */
static int write_status(const struct trace *trace)
{
	const char *path = trace->options.output;
	struct error err;

	if (!trace->write_error || trace->write_error == -EPIPE)
		return 0;
	if (trace_options_is_counted(&trace->options))
		return ERROR_FAILED;
	error_set(&err, ERROR_FAILED, trace->write_error, "cannot write: %s: %s",
		  path ? path : "standard output", strerror(-trace->write_error));
	return message_error(&err);
}

static int trace_events(struct trace *trace, const struct option_words *words, int *ret_status,
			struct error *err)
{
	enum session_run_end end;
	int r, failed;

	r = trace_open(trace, words, err);
	if (r < 0)
		return r;
	if (trace->options.record.dry_run) {
		if (!trace->options.record.quiet)
			message_note("everything loads and verifies here; nothing was traced");
		*ret_status = 0;
		return 0;
	}
	r = session_run_start(&trace->run, err);
	if (r < 0)
		return r;
	if (trace->run.work)
		trace_begin(trace);
	end = session_run_wait(&trace->run);
	r = trace_finish(trace, end, err);
	if (r < 0)
		return r;
	failed = write_status(trace);
	*ret_status = session_run_wait_command(&trace->run);
	*ret_status = failed ? failed : *ret_status;
	return 0;
}

static void trace_done(struct trace *trace)
{
	session_run_done(&trace->run);
	profile_free(trace->profile);
	hashmap_free(trace->view.threads);
	strbuf_done(&trace->text);
	if (trace->fd > STDERR_FILENO)
		close(trace->fd);
	trace_options_done(&trace->options);
}

static int trace_run(int argc, char **argv)
{
	_cleanup_(trace_done) struct trace trace = { .fd = -1, .text = STRBUF_INIT };
	const struct record_options *common = &trace.options.record;
	struct error err = { .kind = ERROR_FAILED };
	struct option_words words;
	int status, r;

	trace_options_init(&trace.options);
	if (tool_parse(&trace_tool, argc, argv, &trace.options, &words, &status) < 0)
		return status;
	if (common->verbose)
		log_domains |= LOG_SESSION;
	trace.run.options = common;
	trace.run.context = &trace;
	progress_init(&trace.run.progress, trace_options_is_counted(&trace.options) &&
						   !common->quiet && !words.command &&
						   !log_domains);
	r = trace_events(&trace, &words, &status, &err);
	return session_run_status(&trace.run, "trace", r, &err, status);
}

static const struct tool_example trace_examples[] = {
	{ "wick trace exit", "a line for each process that ends, and how it ended" },
	{ "wick trace signal --stack", "who sends signals to whom, and from where" },
	{ "wick trace syscall:openat -p 1234", "which files a process opens, as strace does" },
	{ "wick trace syscall -- ls", "every system call of a command" },
	{ "wick trace offcpu,min=10ms -n 'nginx*' --json", "long waits, an object a line" },
	{ "wick trace lock syscall -p 1234 -d 5 --chrome -o t.json", "a time line for Perfetto" },
	{ "wick trace syscall --histogram --by syscall -d 10",
	  "how long system calls take, counted in the kernel" },
	{ NULL, NULL },
};

const struct tool trace_tool = {
	.name = "trace",
	.summary = "print a line for each event, while it happens",
	.usage = "EVENT... [TARGET] [--stack] [--json | --chrome] [-o FILE] "
		 "[-- COMMAND [ARG]...]",
	.description =
		"Print every event with its time, CPU, thread and what else is known of it, in the "
		"order in which they happened on all CPUs, ten times a second. Events that take time, "
		"as system calls and waits, come when they end, with how long they took in <>. It "
		"ends with the command, after the time of -d, after the events of --count, when the "
		"last process of -p is gone, or by Ctrl-C.\n\n"
		"With --histogram or --by there are no lines: the kernel counts, which costs least, and "
		"tables are printed at the end.\n\n"
		"When events come faster than they can be written some are dropped; how many, and why, "
		"is said at the end. With --chrome the file is whole also after Ctrl-C.\n\n"
		"The exit status is that of the command, 128+N when signal N killed it, and 0 when "
		"it died of the SIGTERM that ended it. A reader that closes the pipe, as head, ends the "
		"trace. See wick help for the others.",
	.examples = trace_examples,
	.options = trace_option_table,
	.words_max = INT32_MAX,
	.word_choice = trace_event_choice,
	.takes_command = true,
	.run = trace_run,
};
