/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/record/session_run.h"

#include <poll.h>
#include <string.h>
#include <time.h>

#include "profiler/base/clock.h"
#include "tools/message.h"
#include "tools/tool.h"

/* How often to look whether the targets still live: nobody waits longer for their end. */
#define TARGETS_INTERVAL_NS (100 * 1000000ULL)
/* A command that is asked to end has this long before we say that we wait for it. */
#define PATIENCE_MS 1000

void session_run_say_notes(struct session_run *run)
{
	const struct session_note *note;

	while ((note = session_note(run->session, run->note_count))) {
		run->note_count++;
		run->fallback_count += note->is_fallback;
		if (!run->options->quiet)
			message_note("%s", note->text);
	}
}

static int fork_command(struct session_run *run, struct error *err)
{
	int r;

	if (!run->options->command)
		return 0;
	r = command_fork(run->options->command, signals_old_mask(run->signals), &run->command,
			 err);
	if (r >= 0)
		signals_set_command(run->signals, command_fd(run->command));
	return r;
}

static int open_session(struct session_run *run, const struct session_options *wanted,
			struct error *err)
{
	struct session_options options = *wanted;
	int r;

	if (record_options_target_command(run->options)) {
		run->command_pid = command_pid(run->command);
		options.pids = &run->command_pid;
		options.pid_count = 1;
		options.command = run->options->command[0];
		/* With a delay its exec is long over when we begin. */
		options.wait_exec = !run->options->delay_ns;
	}
	r = session_open(&options, &run->session, err);
	if (r < 0)
		return r;
	session_run_say_notes(run);
	return 0;
}

int session_run_open(struct session_run *run, const struct session_options *wanted,
		     struct error *err)
{
	int r = signals_watch(&run->signals, err);

	if (r < 0)
		return r;
	r = fork_command(run, err);
	if (r < 0)
		return r;
	return open_session(run, wanted, err);
}

static void show_progress(struct session_run *run, uint64_t elapsed_ns, uint64_t limit_ns,
			  bool sampling)
{
	struct session_stats stats;

	if (!run->progress.enabled)
		return;
	if (!sampling) {
		progress_show_waiting(&run->progress, limit_ns - elapsed_ns);
		return;
	}
	session_stats(run->session, &stats);
	progress_show_samples(&run->progress, elapsed_ns, &stats);
}

/* Sleep until a signal, the end of the command, or @timeout_ns (0: for ever). */
static void sleep_for(const struct session_run *run, uint64_t timeout_ns)
{
	struct pollfd fds[] = {
		{ .fd = signals_fd(run->signals), .events = POLLIN },
		{ .fd = run->command ? command_fd(run->command) : -1, .events = POLLIN },
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
static enum session_run_end wait_for_end(struct session_run *run, uint64_t limit_ns,
					 bool sampling)
{
	const struct record_options *options = run->options;
	bool has_targets = sampling && (options->pids.count || options->tids.count);
	uint64_t begin_ns = clock_monotonic_ns(), elapsed_ns, timeout_ns;

	for (;;) {
		elapsed_ns = clock_monotonic_ns() - begin_ns;
		if (signals_first(run->signals))
			return END_SIGNAL;
		if (run->command && command_has_ended(run->command))
			return END_COMMAND;
		if (has_targets && !session_has_targets(run->session))
			return END_TARGETS;
		if (limit_ns && elapsed_ns >= limit_ns)
			return END_TIME;
		show_progress(run, elapsed_ns, limit_ns, sampling);
		timeout_ns = limit_ns ? limit_ns - elapsed_ns : 0;
		if (has_targets)
			timeout_ns = earlier(timeout_ns, TARGETS_INTERVAL_NS);
		if (run->progress.enabled)
			timeout_ns = earlier(timeout_ns, PROGRESS_INTERVAL_NS);
		if (!sampling || !run->work)
			sleep_for(run, timeout_ns);
		else if (run->work(run->context, timeout_ns))
			return END_ENOUGH;
	}
}

enum session_run_end session_run_wait(struct session_run *run)
{
	return wait_for_end(run, run->options->duration_ns, true);
}

static int release_command(struct session_run *run, struct error *err)
{
	int r;

	if (!run->command)
		return 0;
	r = command_release(run->command, err);
	if (r < 0)
		run->exec_status = command_wait(run->command);
	return r;
}

/* With a delay the command runs through it; else it must not run before we sample. */
int session_run_start(struct session_run *run, struct error *err)
{
	uint64_t delay_ns = run->options->delay_ns;
	int r;

	if (delay_ns) {
		r = release_command(run, err);
		if (r < 0)
			return r;
		if (wait_for_end(run, delay_ns, false) == END_COMMAND)
			message_warn("the command ended before sampling began");
	}
	r = session_start(run->session, err);
	if (r < 0)
		return r;
	session_run_say_notes(run);
	if (run->options->verbose)
		message_note("sampling");
	return delay_ns ? 0 : release_command(run, err);
}

/* After Ctrl-C the terminal has told the command too, and what it makes of that is its own. */
void session_run_stop_command(struct session_run *run, enum session_run_end end)
{
	if (!run->command)
		return;
	if (end != END_SIGNAL || !signals_from_terminal(run->signals))
		command_terminate(run->command);
}

int session_run_wait_command(struct session_run *run)
{
	struct pollfd end;

	if (!run->command)
		return 0;
	end = (struct pollfd){ .fd = command_fd(run->command), .events = POLLIN };
	if (!command_has_ended(run->command) && poll(&end, 1, PATIENCE_MS) == 0 &&
	    !run->options->quiet)
		message_note("waiting for %s to end", run->options->command[0]);
	return command_wait(run->command);
}

static int fail(struct session_run *run, const char *what, int code, struct error *err)
{
	int status;

	progress_clear(&run->progress);
	if (!err->text[0])
		error_set(err, ERROR_FAILED, code, "cannot %s: %s", what, strerror(-code));
	status = message_error(err);
	return run->exec_status ? run->exec_status : status;
}

int session_run_status(struct session_run *run, const char *what, int code, struct error *err,
		       int status)
{
	if (code < 0)
		status = fail(run, what, code, err);
	if (run->session && session_is_stuck(run->session))
		status |= TOOL_AT_ONCE;
	return status;
}

void session_run_done(struct session_run *run)
{
	session_free(run->session);
	if (run->command) {
		command_terminate(run->command);
		signals_set_command(run->signals, -1);
		command_free(run->command);
	}
	signals_free(run->signals);
}
