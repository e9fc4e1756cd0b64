/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_processes.c - processes that come, change and go while they are profiled are named right.
 */
#include <errno.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/unit/unit.h"

#define COMPLETE_LEAST 99.0

struct process_case {
	const char *name;
	const char *command[6];
	double seconds;
	double complete_least;
	const char *expected[6];	/* each in some folded line */
};

static const struct process_case cases[] = {
	{ "an exec is followed",
	  { "sh", "-c", "exec \"$WICK_WORKLOADS\"/shares 30" },
	  2,
	  COMPLETE_LEAST,
	  { "shares;", ";main;share_60 ", ";main;share_30 " } },
	{ "children of a command are profiled",
	  { "sh", "-c", "\"$WICK_WORKLOADS\"/shares 30; :" },
	  2,
	  COMPLETE_LEAST,
	  { "shares;", ";main;share_60 " } },
	{ "a chain of execs is followed",
	  { "sh", "-c", "exec sh -c 'exec env A=1 \"$WICK_WORKLOADS\"/shares 30'" },
	  2,
	  COMPLETE_LEAST,
	  { "shares;", ";main;share_10 " } },
	{ "a library loaded later is unwound and named",
	  { "@plugin", "2" },
	  2,
	  COMPLETE_LEAST,
	  { ";main;before_plugin ", ";main;plugin_work;plugin_leaf " } },
	{ "forked, vforked and executed children are named", { "@storm", "30", "100" }, 3, 97,
	  { "storm;", ";main;child_work " } },
};

static void test_process(void **state)
{
	const struct process_case *c = *state;
	struct harness_run run = { .command = c->command, .seconds = c->seconds,
				   .session = { .frequency_hz = 499 } };
	struct harness_result result;

	harness_need_bpf();
	harness_profile(&run, &result);
	harness_print(c->name, &result);
	for (size_t i = 0; i < 6 && c->expected[i]; i++)
		if (!strstr(result.folded, c->expected[i]))
			fail_msg("no line with \"%s\" in:\n%.2000s", c->expected[i], result.folded);
	assert_true(harness_percent(result.stats.complete_user, result.stats.reported_user) >=
		    c->complete_least);
	harness_check_invariant(&result.stats);
	harness_done(&result);
}

/* ---- PID reuse ---- */

static pid_t start_as(pid_t wanted_pid, const char *const *command)
{
	pid_t set[] = { wanted_pid };
	struct clone_args arguments = {
		.exit_signal = SIGCHLD,
		.set_tid = wanted_pid ? (uintptr_t)set : 0,
		.set_tid_size = wanted_pid ? 1 : 0,
	};
	pid_t pid = syscall(SYS_clone3, &arguments, sizeof(arguments));

	if (!pid) {
		char path[512];

		snprintf(path, sizeof(path), "%s/%s",
			 getenv("WICK_WORKLOADS") ?: "build/tests/workloads", command[0]);
		execl(path, command[0], command[1], NULL);
		_exit(127);
	}
	return pid;
}

struct reuse {
	pid_t first, second;
	int round;
};

static bool reuse_pid(void *context, struct session *session)
{
	struct reuse *r = context;

	r->round++;
	if (r->round == 60) {
		harness_end(r->first);
		r->second = start_as(r->first, (const char *[]){ "altstack", "30" });
	}
	return true;
}

static void test_reuse(void **state)
{
	struct reuse r = { .first = start_as(0, (const char *[]){ "shares", "30" }) };
	struct harness_run run = { .seconds = 2, .session = { .frequency_hz = 499 },
				   .during = reuse_pid, .context = &r };
	struct harness_result result;

	harness_need_bpf();
	harness_profile(&run, &result);
	harness_end(r.second);
	assert_true(r.first > 0);
	assert_int_equal(r.first, r.second);
	harness_print("reuse", &result);
	assert_true(harness_folded_sum(result.folded, "shares;") > 20);
	assert_true(harness_folded_sum(result.folded, "altstack;") > 20);
	/* No frame of one under the other. */
	for (const char *line = result.folded; *line;) {
		const char *end = strchrnul(line, '\n');
		bool is_shares = !strncmp(line, "shares;", 7);
		bool is_altstack = !strncmp(line, "altstack;", 9);

		assert_false(is_altstack && memmem(line, end - line, "share_", 6));
		assert_false(is_shares && memmem(line, end - line, "handler_work", 12));
		line = *end ? end + 1 : end;
	}
	harness_check_invariant(&result.stats);
	harness_done(&result);
}

static void test_thread_names(void **state)
{
	static const char *const command[] = { "@threads", "30", "3", NULL };
	struct harness_run run = { .command = command, .seconds = 1.5,
				   .session = { .frequency_hz = 499 } };
	struct harness_result result;
	bool seen[3] = { false };

	harness_need_bpf();
	harness_profile(&run, &result);
	for (uint32_t i = 0; i < result.profile->string_count; i++)
		for (int worker = 0; worker < 3; worker++) {
			char name[16];

			snprintf(name, sizeof(name), "worker-%d", worker);
			seen[worker] |= !strcmp(result.profile->strings[i], name);
		}
	assert_true(seen[0] && seen[1] && seen[2]);
	harness_done(&result);
}

/*
 * Of processes that run, and of one below them: stacks that no copy has whole, as one is deeper than
 * 64 KiB, and the other has a part of it elsewhere.
 */
static void test_first_samples(void **state)
{
	static const char *const commands[][5] = {
		{ "sh", "-c", "\"$WICK_WORKLOADS\"/recurse-1k 30 100; :" },
		{ "@altstack", "30" },
	};
	pid_t pids[ARRAY_SIZE(commands)];
	struct harness_run run = { .seconds = 0.5,
				   .session = { .frequency_hz = 999, .pids = pids,
						.pid_count = ARRAY_SIZE(pids) } };
	struct harness_result result;

	harness_need_bpf();
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
		pids[i] = harness_start(commands[i], -1);
	/* Until they are where they stay. */
	sleep(1);
	harness_profile(&run, &result);
	for (size_t i = 0; i < ARRAY_SIZE(pids); i++)
		harness_end(pids[i]);
	harness_print("first samples", &result);
	assert_true(harness_folded_sum(result.folded, ";recurse_leaf ") > 0);
	assert_true(harness_folded_sum(result.folded, ";handler_work ") > 0);
	assert_int_equal(harness_count(result.stats.counters, "copies"), 0);
	assert_int_equal(result.stats.complete_user, result.stats.reported_user);
	harness_done(&result);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("deep stacks are complete from the first sample on", test_first_samples),
		UNIT_TEST("a PID used again is another process", test_reuse),
		UNIT_TEST("threads have their names", test_thread_names),
	};

	return unit_run_rows("processes", test_process, UNIT_ROWS(cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
