/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record_rows.h - options of wick record that other commands have, too.
 *
 * For tables of commands whose options begin with struct record_options. Sections are named by who has
 * the table, but for the first and the last.
 */
#ifndef WICK_RECORD_ROWS_H
#define WICK_RECORD_ROWS_H

#include "tools/record/record_options.h"

#define RECORD_FIELD(member) .offset = offsetof(struct record_options, member)
#define RECORD_TARGETS .section = "Targets: what is sampled"

option_parse_fn record_parse_user, record_parse_events, record_parse_labels, record_parse_debug,
	record_parse_limit;
/* The names that record_parse_limit() knows. */
const char *record_limit_choice(size_t index, const char **ret_help);

/* Rows as in any table, which clang-format does not see in a macro. */
/* clang-format off */
#define RECORD_TARGET_ROWS \
	{ 'a', "all", NULL, "the whole machine; the default without a command", RECORD_TARGETS, \
	  option_parse_flag, RECORD_FIELD(all) }, \
	{ 'p', "pid", "PID,...", "these processes, with their threads and all below them", \
	  RECORD_TARGETS, \
	  option_parse_processes, RECORD_FIELD(pids), .completion = COMPLETE_PID, \
	  .is_list = true }, \
	{ 't', "tid", "TID,...", "these threads", RECORD_TARGETS, \
	  option_parse_processes, RECORD_FIELD(tids), .completion = COMPLETE_PID, \
	  .is_list = true }, \
	{ 'C', "cpu", "CPUS", "on these CPUs, as 0-3,6; waits and calls count " \
	  "where they begin", RECORD_TARGETS, \
	  option_parse_text, RECORD_FIELD(cpus) }, \
	{ 'G', "cgroup", "PATH", "in this cgroup and those below it, version 1 or 2", \
	  RECORD_TARGETS, \
	  option_parse_text, RECORD_FIELD(cgroup), .completion = COMPLETE_FOLDER }, \
	{ 'u', "user", "USER", "tasks of this user, a name or a number", RECORD_TARGETS, \
	  record_parse_user, RECORD_FIELD(user), .completion = COMPLETE_USER }, \
	{ 'n', "name", "GLOB", "tasks with such a name (comm), as 'nginx*'", RECORD_TARGETS, \
	  option_parse_text, RECORD_FIELD(comm_glob) }, \
	{ 0, "no-inherit", NULL, "leave out children, those there are and later ones", \
	  RECORD_TARGETS, \
	  option_parse_flag, RECORD_FIELD(no_inherit) }

#define RECORD_TIME_ROWS(section_) \
	{ 'F', "frequency", "HZ", "samples per second and CPU (99)", .section = section_, \
	  option_parse_u32, \
	  RECORD_FIELD(frequency_hz), .min = 1, .max = 1000000 }, \
	{ 'c', "period", "N", "a sample every N events of hw: and sw:, as their period=N does", \
	  .section = section_, option_parse_u32, RECORD_FIELD(period), .min = 1 }, \
	{ 'd', "duration", "TIME", \
	  "stop after this time, as 10, 500ms or 2m; a command that still " \
	  "runs is then sent SIGTERM", \
	  .section = section_, option_parse_duration, RECORD_FIELD(duration_ns), .min = 1 }, \
	{ 'D', "delay", "TIME", "begin after this time; a command runs meanwhile", \
	  .section = section_, \
	  option_parse_duration, RECORD_FIELD(delay_ns) }

#define RECORD_LABEL_ROW(section_) \
	{ 0, "label", "NAME,...", "labels to add to each sample, as cpu or syscall", \
	  .section = section_, \
	  record_parse_labels, RECORD_FIELD(labels), .choice = session_label_name, .is_list = true }

#define RECORD_DEPTH_ROWS(section_) \
	{ 0, "max-depth", "N", "frames of a user stack to take (255)", .section = section_, \
	  option_parse_u32, RECORD_FIELD(depth_max), .min = 1, .max = 65535 }, \
	{ 0, "memory", "SIZE", "use no more than this (64M)", .section = section_, \
	  option_parse_size, RECORD_FIELD(memory_bytes), .min = 1 }

#define RECORD_TOP_ROW(section_) \
	{ 0, "top", "N", "rows of such a table, or histograms, to print (20); 0: all", \
	  .section = section_, \
	  option_parse_u32, RECORD_FIELD(top) }

#define RECORD_MESSAGE_ROWS \
	{ 'q', "quiet", NULL, "say only what goes wrong", .section = TOOL_OTHER, \
	  option_parse_flag, RECORD_FIELD(quiet) }, \
	{ 'v', "verbose", NULL, "say what is being done", .section = TOOL_OTHER, \
	  option_parse_flag, RECORD_FIELD(verbose) }, \
	{ 0, "stats", NULL, "print every counter at the end", .section = TOOL_OTHER, \
	  option_parse_flag, RECORD_FIELD(stats) }, \
	{ 0, "dry-run", NULL, "load and verify everything, sample nothing", \
	  .section = TOOL_OTHER, \
	  option_parse_flag, RECORD_FIELD(dry_run) }, \
	{ 0, "debug", "DOMAIN,...", \
	  "debug messages: drain, sideband, tables, symbolizer, session, " \
	  "libbpf or all", .section = TOOL_OTHER, \
	  record_parse_debug, .is_list = true }
/* clang-format on */

#endif
