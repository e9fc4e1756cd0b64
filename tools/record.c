/* SPDX-License-Identifier: BSD-2-Clause */
/* wick record: profile, then write. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "profiler/base/clock.h"
#include "profiler/base/log.h"
#include "profiler/session.h"
#include "tools/command.h"
#include "tools/message.h"
#include "tools/profile_value.h"
#include "tools/progress.h"
#include "tools/record_options.h"
#include "tools/record_output.h"
#include "tools/record_show.h"
#include "tools/record_write.h"
#include "tools/signals.h"
#include "tools/summary.h"
#include "tools/tool.h"

/* How often to look whether the targets still live: nobody waits longer for their end. */
#define TARGETS_INTERVAL_NS (100 * 1000000ULL)
/* A command that is asked to end has this long before we say that we wait for it. */
#define PATIENCE_MS 1000

struct record {
	struct record_options options;
	struct record_outputs outputs;
	struct record_files files;
	struct signals *signals;
	struct command *command;
	pid_t command_pid;		/* a session keeps pointers into its options */
	struct session *session;
	struct profile *profile;
	struct progress progress;
	size_t fallback_count;		/* said so far */
	int exec_status;		/* 126 or 127 when the command could not be run */
	bool write_failed;		/* which has been said */
};

/* Why sampling, or the delay before it, ended. */
enum record_end { END_TIME, END_SIGNAL, END_COMMAND, END_TARGETS };

static void say_fallbacks(struct record *record)
{
	const char *fallback;

	while ((fallback = session_fallback(record->session, record->fallback_count))) {
		record->fallback_count++;
		if (!record->options.quiet)
			message_note("%s", fallback);
	}
}

static int fork_command(struct record *record, struct error *err)
{
	int r;

	if (!record->options.command)
		return 0;
	r = command_fork(record->options.command, signals_old_mask(record->signals),
			 &record->command, err);
	if (r >= 0)
		signals_set_command(record->signals, command_fd(record->command));
	return r;
}

static int open_session(struct record *record, struct error *err)
{
	struct session_options options;
	int r;

	record_options_session(&record->options, &options);
	if (record_options_target_command(&record->options)) {
		record->command_pid = command_pid(record->command);
		options.pids = &record->command_pid;
		options.pid_count = 1;
		/* With a delay its exec is long over when we begin. */
		options.wait_exec = !record->options.delay_ns;
	}
	r = session_open(&options, &record->session, err);
	if (r < 0)
		return r;
	say_fallbacks(record);
	return 0;
}

/* Everything that can be refused is looked at before anything runs. */
static int record_open(struct record *record, struct error *err)
{
	int r;

	r = record_options_check(&record->options, err);
	if (r < 0)
		return r;
	r = record_outputs_open(&record->outputs, &record->options, err);
	if (r < 0)
		return r;
	r = signals_watch(&record->signals, err);
	if (r < 0)
		return r;
	r = fork_command(record, err);
	if (r < 0)
		return r;
	return open_session(record, err);
}

static void show_progress(struct record *record, uint64_t elapsed_ns, uint64_t limit_ns,
			  bool sampling)
{
	struct session_stats stats;

	if (!record->progress.enabled)
		return;
	if (!sampling) {
		progress_show_waiting(&record->progress, limit_ns - elapsed_ns);
		return;
	}
	session_stats(record->session, &stats);
	progress_show_samples(&record->progress, elapsed_ns, &stats);
}

/* Sleep until a signal, the end of the command, or @timeout_ns (0: for ever). */
static void sleep_for(const struct record *record, uint64_t timeout_ns)
{
	struct pollfd fds[] = {
		{ .fd = signals_fd(record->signals), .events = POLLIN },
		{ .fd = record->command ? command_fd(record->command) : -1, .events = POLLIN },
	};
	struct timespec timeout = {
		.tv_sec = (time_t)(timeout_ns / 1000000000),
		.tv_nsec = (long)(timeout_ns % 1000000000),
	};

	ppoll(fds, ARRAY_SIZE(fds), timeout_ns ? &timeout : NULL, NULL);
}

static uint64_t earlier(uint64_t a, uint64_t b)
{
	return !a || (b && b < a) ? b : a;	/* 0 is never */
}

/* Wait for the end of the delay, or, when @sampling, of the run. @limit_ns 0: no limit. */
static enum record_end wait_for_end(struct record *record, uint64_t limit_ns, bool sampling)
{
	const struct record_options *options = &record->options;
	bool has_targets = sampling && (options->pids.count || options->tids.count);
	uint64_t begin_ns = clock_monotonic_ns(), elapsed_ns, timeout_ns;

	for (;;) {
		elapsed_ns = clock_monotonic_ns() - begin_ns;
		if (signals_first(record->signals))
			return END_SIGNAL;
		if (record->command && command_has_ended(record->command))
			return END_COMMAND;
		if (has_targets && !session_has_targets(record->session))
			return END_TARGETS;
		if (limit_ns && elapsed_ns >= limit_ns)
			return END_TIME;
		show_progress(record, elapsed_ns, limit_ns, sampling);
		timeout_ns = limit_ns ? limit_ns - elapsed_ns : 0;
		if (has_targets)
			timeout_ns = earlier(timeout_ns, TARGETS_INTERVAL_NS);
		if (record->progress.enabled)
			timeout_ns = earlier(timeout_ns, PROGRESS_INTERVAL_NS);
		sleep_for(record, timeout_ns);
	}
}

static int release_command(struct record *record, struct error *err)
{
	int r;

	if (!record->command)
		return 0;
	r = command_release(record->command, err);
	if (r < 0)
		record->exec_status = command_wait(record->command);
	return r;
}

/* With a delay the command runs through it; else it must not run before we sample. */
static int record_start(struct record *record, struct error *err)
{
	uint64_t delay_ns = record->options.delay_ns;
	int r;

	if (delay_ns) {
		r = release_command(record, err);
		if (r < 0)
			return r;
		if (wait_for_end(record, delay_ns, false) == END_COMMAND)
			message_warn("the command ended before sampling began");
	}
	r = session_start(record->session, err);
	if (r < 0)
		return r;
	say_fallbacks(record);
	if (record->options.verbose)
		message_note("sampling");
	return delay_ns ? 0 : release_command(record, err);
}

/* After Ctrl-C the terminal has told the command too, and what it makes of that is its own. */
static void stop_command(struct record *record, enum record_end end)
{
	if (!record->command)
		return;
	if (end != END_SIGNAL || !signals_from_terminal(record->signals))
		command_terminate(record->command);
}

static int wait_for_command(struct record *record)
{
	struct pollfd end;

	if (!record->command)
		return 0;
	end = (struct pollfd){ .fd = command_fd(record->command), .events = POLLIN };
	if (!command_has_ended(record->command) && poll(&end, 1, PATIENCE_MS) == 0 &&
	    !record->options.quiet)
		message_note("waiting for %s to end", record->options.command[0]);
	return command_wait(record->command);
}

static void warn_no_samples(const struct session_stats *stats)
{
	if (stats->lost)
		message_warn("no samples: all that were taken are lost; the output is empty");
	else
		message_warn("no samples: nothing that was asked for ran in %.3f s; the output "
			     "is empty", (double)stats->duration_ns / 1e9);
}

static void say_summary(const struct record *record, const struct session_stats *stats)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	struct summary summary = { .stats = stats, .files = &record->files,
				   .fallback_count = record->fallback_count };

	if (!record->options.quiet)
		summary_add(&summary, &text);
	if (record->options.stats)
		summary_add_counters(stats, &text);
	fputs(text.data, stderr);
}

static int record_finish(struct record *record, enum record_end end, struct error *err)
{
	struct session_stats stats;
	int r;

	progress_show_text(&record->progress, "finishing");
	r = session_finish(record->session, &record->profile, err);
	progress_clear(&record->progress);
	if (r < 0)
		return r;
	if (end == END_TARGETS && !record->options.quiet)
		message_note("all targets have ended");
	say_fallbacks(record);
	stop_command(record, end);
	session_stats(record->session, &stats);
	for (size_t i = 0; i < record->options.by.count; i++)
		profile_warn_key(record->profile, record->options.by.texts[i]);
	record->write_failed = record_write(&record->outputs, &record->options, record->profile,
					    record->signals, &record->files) < 0;
	if (record_options_is_shown(&record->options) &&
	    record_show(&record->options, record->profile) < 0)
		record->write_failed = true;
	if (!record->profile->sample_count)
		warn_no_samples(&stats);
	say_summary(record, &stats);
	return 0;
}

static int record_profile(struct record *record, int *ret_status, struct error *err)
{
	enum record_end end;
	int r;

	r = record_open(record, err);
	if (r < 0)
		return r;
	if (record->options.dry_run) {
		if (!record->options.quiet)
			message_note("everything loads and verifies here; nothing was sampled");
		*ret_status = 0;
		return 0;
	}
	r = record_start(record, err);
	if (r < 0)
		return r;
	end = wait_for_end(record, record->options.duration_ns, true);
	r = record_finish(record, end, err);
	if (r < 0)
		return r;
	*ret_status = wait_for_command(record);
	if (record->write_failed)
		*ret_status = ERROR_FAILED;
	return 0;
}

static void record_done(struct record *record)
{
	session_free(record->session);
	profile_free(record->profile);
	if (record->command) {
		command_terminate(record->command);
		signals_set_command(record->signals, -1);
		command_free(record->command);
	}
	signals_free(record->signals);
	record_files_done(&record->files);
	record_outputs_done(&record->outputs);
	record_options_done(&record->options);
}

static int record_run(int argc, char **argv)
{
	_cleanup_(record_done) struct record record = { 0 };
	struct error err = { .kind = ERROR_FAILED };
	struct option_words words;
	int status, r;

	record_options_init(&record.options);
	if (tool_parse(&record_tool, argc, argv, &record.options, &words, &status) < 0)
		return status;
	record.options.command = words.command;
	if (record.options.verbose)
		log_domains |= LOG_SESSION;
	progress_init(&record.progress,
		      !record.options.quiet && !words.command && !log_domains);
	r = record_profile(&record, &status, &err);
	if (r < 0) {
		progress_clear(&record.progress);
		if (!err.text[0])
			error_set(&err, ERROR_FAILED, r, "cannot record: %s", strerror(-r));
		status = message_error(&err);
		status = record.exec_status ? record.exec_status : status;
	}
	if (record.session && session_is_stuck(record.session))
		status |= TOOL_AT_ONCE;
	return status;
}

static const struct tool_example record_examples[] = {
	{ "wick record -d 10", "the whole machine for ten seconds, into wick.pb.gz" },
	{ "wick record -p 1234 -d 10 -o p.folded", "a process and its children" },
	{ "wick record -o make.pb.gz -o make.folded -- make", "a command, in two formats" },
	{ "wick record -e runq --histogram --by comm -d 10", "how long tasks wait for a CPU" },
	{ "wick record -e syscall --stacks none --by comm,syscall,errno -d 10",
	  "who calls the system for what, as a table" },
	{ "wick record -a -o - --format folded -- sleep 5 | flamegraph.pl > f.svg",
	  "everything, for as long as a command runs" },
	{ NULL, NULL },
};

const struct tool record_tool = {
	.name = "record",
	.summary = "profile the machine, processes or a command, then write the result",
	.usage = "[-F HZ] [TARGET] [-e EVENT]... [-d TIME] [-o FILE]... [-- COMMAND [ARG]...]",
	.description =
		"Take samples of what runs, with the stacks that lead there, and write a profile. "
		"It ends with the command, after the time of -d, when the last process of -p is "
		"gone, or by Ctrl-C; a second Ctrl-C stops it at once and writes nothing.\n\n"
		"Several targets narrow each other: -u www -C 0 is what www does on CPU 0. A "
		"command is sampled with its children, from its first instruction on; but with "
		"-a, -p, -t, -C, -G or -u it is only how long to sample. Times without a unit are "
		"seconds.\n\n"
		"The suffix of a file says its format. A format that shows one value gets a file "
		"per event when there are several, as x.cpu.folded. An existing file is replaced "
		"when the new one is whole. What is said goes to standard error.\n\n"
		"The exit status is that of the command, 128+N when signal N killed it, and 0 when "
		"it died of the SIGTERM that ended it. See wick help for the others.",
	.examples = record_examples,
	.options = record_option_table,
	.words_hint = "a command to run goes behind --",
	.takes_command = true,
	.run = record_run,
};
