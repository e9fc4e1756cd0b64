/* SPDX-License-Identifier: BSD-2-Clause */
/* wick record: profile, then write. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "profiler/base/log.h"
#include "profiler/session.h"
#include "tools/message.h"
#include "tools/record/record_options.h"
#include "tools/record/record_output.h"
#include "tools/record/record_show.h"
#include "tools/record/record_write.h"
#include "tools/record/session_run.h"
#include "tools/record/summary.h"
#include "tools/report/profile_value.h"
#include "tools/tool.h"

struct record {
	struct record_options options;
	struct record_outputs outputs;
	struct record_files files;
	struct session_run run;
	struct profile *profile;
	bool write_failed;		/* which has been said */
};

/* Everything that can be refused is looked at before anything runs. */
static int record_open(struct record *record, struct error *err)
{
	struct session_options wanted;
	int r;

	r = record_options_check(&record->options, err);
	if (r < 0)
		return r;
	r = record_outputs_open(&record->outputs, &record->options, err);
	if (r < 0)
		return r;
	record_options_session(&record->options, &wanted);
	return session_run_open(&record->run, &wanted, err);
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
	struct summary summary = { .stats = stats, .files = &record->files, .what = "samples",
				   .fallback_count = record->run.fallback_count };

	if (!record->options.quiet)
		summary_add(&summary, &text);
	if (record->options.stats)
		summary_add_counters(stats, &text);
	fputs(text.data, stderr);
}

static int record_finish(struct record *record, enum session_run_end end, struct error *err)
{
	struct session_stats stats;
	int r;

	progress_show_text(&record->run.progress, "finishing");
	r = session_finish(record->run.session, &record->profile, err);
	progress_clear(&record->run.progress);
	if (r < 0)
		return r;
	if (end == END_TARGETS && !record->options.quiet)
		message_note("all targets have ended");
	session_run_say_notes(&record->run);
	session_run_stop_command(&record->run, end);
	session_stats(record->run.session, &stats);
	for (size_t i = 0; i < record->options.by.count; i++)
		profile_warn_key(record->profile, record->options.by.texts[i]);
	record->write_failed = record_write(&record->outputs, &record->options, record->profile,
					    record->run.signals, &record->files) < 0;
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
	enum session_run_end end;
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
	r = session_run_start(&record->run, err);
	if (r < 0)
		return r;
	end = session_run_wait(&record->run);
	r = record_finish(record, end, err);
	if (r < 0)
		return r;
	*ret_status = session_run_wait_command(&record->run);
	if (record->write_failed)
		*ret_status = ERROR_FAILED;
	return 0;
}

static void record_done(struct record *record)
{
	session_run_done(&record->run);
	profile_free(record->profile);
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
	record.run.options = &record.options;
	progress_init(&record.run.progress,
		      !record.options.quiet && !words.command && !log_domains);
	r = record_profile(&record, &status, &err);
	return session_run_status(&record.run, "record", r, &err, status);
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
