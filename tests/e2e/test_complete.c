/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_complete.c - at least 99 % of the user stacks of well-known programs reach their end, and
 * 97 % of those of a build, whose programs live some milliseconds.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/programs.h"
#include "tests/unit/unit.h"

#define COMPLETE_LEAST 99.0
#define COMPLETE_MACHINE_LEAST 97.0
/*
 * Until there are so many samples, for a program gets less of a busy machine: of its first
 * milliseconds, some stacks may be too deep for a copy.
 */
#define SAMPLES_LEAST 200
#define SAMPLES_WANTED 600
#define SECONDS_LEAST 1
#define MACHINE_SECONDS 8
#define SECONDS_MOST 8
/* A machine busy with other things may keep tables from coming in time. */
#define ATTEMPTS 3

static double run_percent(const struct session_stats *stats)
{
	if (stats->reported_user < SAMPLES_LEAST)
		return 0;
	return harness_percent(stats->complete_user, stats->reported_user);
}

/* Profile for @seconds at least, until @least percent are complete, or ATTEMPTS times. */
static void expect_complete(const char *name, struct harness_run *run, double seconds, double least)
{
	struct harness_result result;
	bool enough = false;

	run->seconds = SECONDS_MOST;
	run->session.frequency_hz = 499;
	run->during = harness_wait_for_samples;
	for (int i = 0; i < ATTEMPTS && !enough; i++) {
		struct harness_patience patience = { seconds, SAMPLES_WANTED, 0 };

		run->context = &patience;
		harness_profile(run, &result);
		harness_print(name, &result);
		harness_check_invariant(&result.stats);
		enough = run_percent(&result.stats) >= least;
		harness_done(&result);
	}
	assert_true(enough);
}

static void test_program(void **state)
{
	const struct program *p = *state;
	struct harness_run run = { .command = p->command };

	harness_need_bpf();
	if (!program_is_installed(p)) {
		print_message("skipped: %s is not installed\n", p->needs);
		skip();
	}
	expect_complete(p->name, &run, SECONDS_LEAST, COMPLETE_LEAST);
}

/* Compilers live some 50 ms, their drivers 5. */
static void test_machine(void **state)
{
	static const char *const command[] = {
		"sh",
		"-c",
		PROGRAM_SOURCES
		"printf 'all: $(addsuffix .o,$(basename $(wildcard *.c)))\n' >$WICK_TMP/Makefile; "
		"while :; do make -s -j2 -C $WICK_TMP CFLAGS=-O2; rm $WICK_TMP/f*.o; done",
		NULL,
	};
	struct harness_run run = { .command = command, .whole_machine = true };

	harness_need_bpf();
	expect_complete("the machine during make -j2", &run, MACHINE_SECONDS,
			COMPLETE_MACHINE_LEAST);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("97 % of what make -j2 runs, on the whole machine", test_machine),
	};

	setenv("WICK_TMP", "/tmp", false);
	return unit_run_rows("complete stacks", test_program, programs, sizeof(programs[0]),
			     program_count) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
