/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_complete_sources.c - in every source that walks them at least 99 % of the user stacks of
 * well-known programs reach their end: of each program that has enough of them, and of all.
 *
 * Some programs at once under all sources, told apart by name and value type. What came before the
 * tables of a program were there is among them. WICK_COMPLETE_SECONDS says how long to look (4).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/programs.h"
#include "tests/unit/unit.h"

#define HZ 499
#define COMPLETE_LEAST 99.0
/* Fewer do not tell: a page that is being moved just now cannot be read. */
#define STACKS_LEAST 200
#define PROGRAMS_AT_ONCE 10
/* Until their mappings have come to rest, and for how long. */
#define START_SECONDS 2
#define SECONDS "4"
/*
 * A machine busy with other things may keep tables from coming in time: then one looks again, for so
 * many times as long. Programs are at work for 30 seconds.
 */
static const int attempts[] = { 1, 2, 4 };
#define ROWS_MAX 512
/*
 * 100,000 samples a second, each process of its own, are more than the windows of the default hold; and so
 * is what waits while a compiler's debug information is read for names.
 */
#define MEMORY_BYTES (256ull << 20)
#define ALL "all of them"

/* Stacks of programs of one name in one source, known by the name of its value. */
struct row {
	char comm[32], value[32];
	uint64_t user, complete;
	char cause[64];			/* why the last incomplete one is that */
};

struct rows {
	struct row rows[ROWS_MAX];
	size_t count;
};

static bool is_any(const struct program *program)
{
	return program_is_installed(program);
}

static bool is_sleeper(const struct program *program)
{
	return program->sleeps && program_is_installed(program);
}

/* Of which few of the others are. */
static const struct program moments = {
	"bash that runs programs",
	"bash",
	{ "bash", "-c", "while :; do /bin/true; done" },
	true,
};

/* Some of them at once, each of many files. */
static const struct program making = {
	"make -j2",
	"make",
	{ "bash", "-c",
	  PROGRAM_SOURCES
	  "printf 'all: a b c d\\na b:\\n\\tgcc -O2 -c -o /dev/null $WICK_TMP/f1.c\\n"
	  "c:\\n\\tpython3 -c \"import json\"\\nd:\\n\\tseq 1000 | sort -R >/dev/null\\n' "
	  ">$WICK_TMP/Makefile.moments; "
	  "while :; do make -s -j2 -f $WICK_TMP/Makefile.moments; done" },
	true,
};

static const struct complete_case {
	const char *name;
	const char *events[12];
	bool (*is_chosen)(const struct program *program);
	const struct program *program;	/* this one alone */
	/*
	 * Many short programs: only their sum is looked at. On a machine that others use stacks wait longer
	 * to be named than the memory lasts: those that are shed then are lost, and are none here.
	 */
	bool is_crowd;
} cases[] = {
	{ "of programs at work in all sources",
	  { "cpu", "offcpu", "wakeup", "runq", "switch", "syscall", "lock", "fault", "signal" },
	  is_any },
	{ "of programs that sleep where only long waits count",
	  { "offcpu,min=1ms", "runq,min=100us", "lock,min=100us" },
	  is_sleeper },
	{ "of programs that live for a moment",
	  { "cpu", "offcpu", "runq", "switch", "exit", "syscall", "fault" },
	  NULL,
	  &moments },
	{ "of what make -j2 runs",
	  { "cpu", "offcpu", "runq", "switch", "syscall", "fault" },
	  NULL,
	  &making,
	  true },
};

static void row_add(struct rows *rows, const struct row *more)
{
	size_t i = 0;

	while (i < rows->count && (strcmp(rows->rows[i].value, more->value) ||
				   strcmp(rows->rows[i].comm, more->comm)))
		i++;
	assert_true(i < ROWS_MAX);
	if (i == rows->count) {
		rows->rows[rows->count++] = *more;
		return;
	}
	rows->rows[i].user += more->user;
	rows->rows[i].complete += more->complete;
	if (more->cause[0])
		strcpy(rows->rows[i].cause, more->cause);
}

/* The mark at its root, NULL when it is complete. "[]": it has no user stack. */
static const char *mark_of(const struct profile *p, const struct profile_sample *sample)
{
	const struct profile_location *root;

	if (!sample->location_count)
		return "[]";
	root = &p->locations[sample->locations[sample->location_count - 1]];
	if (root->kind != FRAME_KIND_MARK)
		return NULL;
	return p->strings[p->functions[root->lines[0].function].name];
}

static void sample_add(struct rows *rows, const struct profile *p,
		       const struct profile_sample *sample, bool is_crowd)
{
	const char *mark = mark_of(p, sample);
	struct row row = { 0 };

	/* Of tasks that end or execute, and interrupts, there is none to be had. */
	if (mark && strncmp(mark, "[incomplete:", strlen("[incomplete:")))
		return;
	if (is_crowd && mark && !strcmp(mark, "[incomplete:stack-lost]"))
		return;
	snprintf(row.cause, sizeof(row.cause), "%s", mark ?: "");
	snprintf(row.comm, sizeof(row.comm), "%s",
		 is_crowd ? ALL :
			    p->strings[profile_find_label(sample, profile_find_string(p, "comm"))
					       ->text]);
	for (uint32_t v = 0; v < p->value_type_count; v++) {
		const struct profile_value_type *type = &p->value_types[v];

		if (strcmp(p->strings[type->unit], "count") || !sample->values[v])
			continue;
		snprintf(row.value, sizeof(row.value), "%s", p->strings[type->type]);
		row.user = sample->values[v];
		row.complete = mark ? 0 : row.user;
		row_add(rows, &row);
	}
}

/* Whether each row is; one that is not is said. */
static bool rows_are_complete(const struct rows *rows)
{
	bool all = true;

	for (size_t i = 0; i < rows->count; i++) {
		const struct row *r = &rows->rows[i];
		double percent = harness_percent(r->complete, r->user);
		bool missed = r->user >= STACKS_LEAST && percent < COMPLETE_LEAST;

		if (r->cause[0] || !strcmp(r->comm, ALL))
			print_message("# %s %s of %s: %.2f %% of %" PRIu64 " %s\n",
				      missed ? "missed:" : " ", r->value, r->comm, percent, r->user,
				      r->cause);
		all = all && !missed;
	}
	return all;
}

/* Returns whether nearly all samples are in @ret: what is lost is neither complete nor incomplete. */
static bool profile_programs(const struct complete_case *c, const pid_t *pids, size_t count,
			     int times, struct rows *ret)
{
	struct session_event events[ARRAY_SIZE(c->events)];
	struct harness_run run = { .seconds =
					   times * atof(getenv("WICK_COMPLETE_SECONDS") ?: SECONDS),
				   .session = { .events = events,
						.frequency_hz = HZ,
						.memory_bytes = MEMORY_BYTES,
						.pids = pids, .pid_count = count } };
	struct harness_result result;
	bool are_there;

	while (c->events[run.session.event_count]) {
		events[run.session.event_count].text = c->events[run.session.event_count];
		run.session.event_count++;
	}
	harness_profile(&run, &result);
	harness_print(c->name, &result);
	harness_check_invariant(&result.stats);
	ret->count = 0;
	for (uint32_t i = 0; i < result.profile->sample_count; i++)
		sample_add(ret, result.profile, &result.profile->samples[i], c->is_crowd);
	are_there = harness_percent(result.stats.reported, result.stats.taken) >= COMPLETE_LEAST;
	if (!are_there)
		print_message("# missed: reported %" PRIu64 " of %" PRIu64 "\n",
			      result.stats.reported, result.stats.taken);
	harness_done(&result);
	return are_there;
}

static bool attempt(const struct complete_case *c, const struct program *const *chosen,
		    size_t count, int times, struct rows *ret)
{
	pid_t pids[PROGRAMS_AT_ONCE];
	bool are_there;

	for (size_t i = 0; i < count; i++)
		pids[i] = harness_start(chosen[i]->command, -1);
	sleep(START_SECONDS);
	are_there = profile_programs(c, pids, count, times, ret);
	for (size_t i = 0; i < count; i++)
		harness_end(pids[i]);
	return rows_are_complete(ret) && are_there;
}

/* Of programs at once. Adds to @all what they have together. */
static bool check_programs(const struct complete_case *c, const struct program *const *chosen,
			   size_t count, struct rows *all)
{
	static struct rows rows;
	bool complete = false;

	for (size_t i = 0; i < ARRAY_SIZE(attempts) && !complete; i++)
		complete = attempt(c, chosen, count, attempts[i], &rows);
	for (size_t i = 0; i < rows.count; i++) {
		strcpy(rows.rows[i].comm, ALL);
		row_add(all, &rows.rows[i]);
	}
	return complete;
}

static void test_case(void **state)
{
	const struct complete_case *c = *state;
	const struct program *chosen[PROGRAMS_AT_ONCE] = { c->program };
	size_t count = c->program ? 1 : 0;
	static struct rows all;
	bool complete = true;

	harness_need_bpf();
	if (c->program && !program_is_installed(c->program))
		skip();
	all.count = 0;
	for (size_t i = 0; c->is_chosen && i < program_count; i++) {
		if (c->is_chosen(&programs[i]))
			chosen[count++] = &programs[i];
		if (count == PROGRAMS_AT_ONCE) {
			complete = check_programs(c, chosen, count, &all) && complete;
			count = 0;
		}
	}
	if (count)
		complete = check_programs(c, chosen, count, &all) && complete;
	assert_true(complete && rows_are_complete(&all));
	for (size_t i = 0; c->events[i]; i++)
		assert_true(i < all.count && all.rows[i].user >= STACKS_LEAST);
}

int main(void)
{
	setenv("WICK_TMP", "/tmp", false);
	return unit_run_rows("complete stacks", test_case, UNIT_ROWS(cases));
}
