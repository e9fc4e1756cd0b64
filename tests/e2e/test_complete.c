/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_complete.c - at least 99 % of the user stacks of well-known programs reach their end.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/unit/unit.h"

#define COMPLETE_LEAST 99.0
#define SAMPLES_LEAST 200

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
};

static void test_program(void **state)
{
	const struct program *p = *state;
	struct harness_run run = { .command = p->command, .seconds = 2,
				   .session = { .frequency_hz = 499 } };
	struct harness_result result;
	char which[128];

	harness_need_bpf();
	snprintf(which, sizeof(which), "command -v %s >/dev/null", p->needs ? p->needs : "true");
	if (system(which)) {
		print_message("skipped: %s is not installed\n", p->needs);
		skip();
	}
	harness_profile(&run, &result);
	harness_print(p->name, &result);
	assert_true(result.stats.reported_user >= SAMPLES_LEAST);
	assert_true(harness_percent(result.stats.complete_user, result.stats.reported_user) >=
		    COMPLETE_LEAST);
	harness_check_invariant(&result.stats);
	harness_done(&result);
}

int main(void)
{
	return unit_run_rows("complete stacks", test_program, UNIT_ROWS(programs));
}
