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
#include "tests/unit/unit.h"

#define COMPLETE_LEAST 99.0
#define COMPLETE_MACHINE_LEAST 97.0
/*
 * Until there are so many samples, for a program gets less of a busy machine: of its first
 * milliseconds, some stacks may be too deep for a copy.
 */
#define SAMPLES_LEAST 200
#define SAMPLES_WANTED 600
#define SECONDS_LEAST 2
#define MACHINE_SECONDS 8
#define SECONDS_MOST 8
/* A machine busy with other things may keep tables from coming in time. */
#define ATTEMPTS 3

/* C files for compilers to chew on: f1.c to f24.c in $WICK_TMP. */
#define SOURCES                                                                                  \
	"for f in $(seq 24); do awk -v f=$f 'BEGIN { for (i = 0; i < 150; i++) printf "          \
	"\"int f%d_%d(int *a, int n) { int s = %d; for (int i = 0; i < n; i++) switch (s %% 5) "  \
	"{ case 0: s += a[i]; break; case 1: s ^= a[i] << %d; break; default: s = s * 3 + i; } "  \
	"return s; }\\n\", f, i, i, i % 7 }' >$WICK_TMP/f$f.c; done; "

struct program {
	const char *name;
	const char *needs;	/* a program that must be installed, or NULL */
	const char *command[8];
};

static const struct program programs[] = {
	{ "gzip", "gzip", { "sh", "-c", "exec gzip -9 < /dev/zero" } },
	{ "xz", "xz", { "sh", "-c", "exec xz -6 < /dev/urandom" } },
	{ "bash",
	  "bash",
	  { "bash", "-c",
	    "f() { local x=$1; ((x > 0)) && f $((x - 1)); }; "
	    "while :; do f 10; done" } },
	{ "perl",
	  "perl",
	  { "perl", "-e",
	    "sub f { my $n = shift; $n ? f($n - 1) + 1 : 0 } "
	    "while (1) { f(20); my %h = map { $_ => 1 } 1..100; }" } },
	{ "python3",
	  "python3",
	  { "python3", "-c",
	    "def f(n):\n return f(n-1)+1 if n else 0\n"
	    "while True: f(20); sorted(str(i) for i in range(200))" } },
	{ "openssl sha256", "openssl", { "openssl", "speed", "-seconds", "30", "sha256" } },
	{ "openssl rsa2048", "openssl", { "openssl", "speed", "-seconds", "30", "rsa2048" } },
	{ "openssl ecdsap256", "openssl", { "openssl", "speed", "-seconds", "30", "ecdsap256" } },
	{ "sort",
	  "sort",
	  { "sh", "-c", "seq 200000 >$WICK_TMP/n; while :; do sort -R $WICK_TMP/n; done" } },
	{ "awk",
	  "awk",
	  { "awk", "BEGIN { for (;;) for (i = 0; i < 2000; i++) "
		   "{ a[i % 100] = a[i % 100] i; if (length(a[i % 100]) > 999) delete a } }" } },
	{ "clang compiling",
	  "clang",
	  { "sh", "-c", SOURCES "while :; do clang -O2 -c -o /dev/null $WICK_TMP/f1.c; done" } },
	{ "node with JIT",
	  "node",
	  { "node", "-e",
	    "function f(n) { return n < 2 ? n : f(n - 1) + f(n - 2) } "
	    "for (;;) { f(22); JSON.parse(JSON.stringify(Array.from({ length: 500 }, "
	    "(_, i) => ({ k: 'x' + i * 7919 % 500 })).sort((a, b) => a.k < b.k ? -1 : 1))) }" } },
	{ "java with frame pointers",
	  "javac",
	  { "java", "-XX:+PreserveFramePointer", "tests/workloads/JavaWork.java", "30" } },
	{ "a C++ -O2 program", NULL, { "@cxx_work", "30" } },
	{ "a Rust -O2 program", NULL, { "@rust_work", "30" } },
	{ "a recursion 100 deep with frames of 1 KB", NULL, { "@recurse-1k", "30", "100" } },
	{ "a loop in a signal handler on an alternate stack", NULL, { "@altstack", "30" } },
	{ "a static program", NULL, { "@recurse-static", "30", "40" } },
	{ "a static PIE", NULL, { "@recurse-static-pie", "30", "40" } },
	{ "a program at a fixed address", NULL, { "@recurse-exec", "30", "40" } },
	{ "a stripped program", NULL, { "@recurse-stripped", "30", "40" } },
	{ "a program with .debug_frame only", NULL, { "@recurse-debug-frame", "30", "40" } },
	{ "threads", NULL, { "@threads", "30", "4" } },
	{ "a Go program with goroutines", "go", { "@go_work", "30" } },
	{ "a stripped Go program", "go", { "@go_work-stripped", "30" } },
	{ "a stripped position-independent Go program", "go", { "@go_work-pie", "30" } },
	{ "a Go program without section headers", "go", { "@go_work-headless", "30" } },
};

static bool is_installed(const char *program)
{
	char which[128];

	snprintf(which, sizeof(which), "command -v %s >/dev/null", program);
	return !system(which);
}

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
	if (p->needs && !is_installed(p->needs)) {
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
		SOURCES
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
	return unit_run_rows("complete stacks", test_program, UNIT_ROWS(programs)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
