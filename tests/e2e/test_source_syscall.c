/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_source_syscall.c - calls of known number, length and result are counted as what they are, also
 * around threads, programs and signals that come and go; and a storm of them loses nothing.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "profiler/session_private.h"
#include "tests/e2e/harness.h"
#include "tests/e2e/sample_sum.h"
#include "tests/unit/unit.h"

/* As in tests/workloads/calls.c. */
enum { READS = 2000, FAILURES = 500, NAPS = 100, NAP_NS = 2000000, SIGNALS = 50, CHILDREN = 20,
       CHILD_WRITES = 4 * CHILDREN * 7, OLD_CALLS = 30 };

/* Instead of SESSION_STACKS_…, of which 0 is all. */
#define NO_STACKS UINT32_MAX

static void report_path(char *ret, size_t size)
{
	snprintf(ret, size, "%s/calls.%d", getenv("WICK_TMP") ?: "/tmp", getpid());
}

/* Until the command and its children have ended. */
static bool has_targets(void *context, struct session *session)
{
	return session_has_targets(session);
}

/* Profile the workload. @ret_napped_ns, @ret_old: what it says itself. */
static void profile_calls(const char *event, unsigned int stacks, struct harness_result *ret,
			  double *ret_napped_ns, int *ret_old)
{
	char path[256];
	const char *const command[] = { "@calls", path, NULL };
	const struct session_event events[] = { { event } };
	struct harness_run run = { .command = command, .seconds = 60, .during = has_targets,
				   .no_stacks = stacks == NO_STACKS,
				   .session = { .events = events, .event_count = 1,
						.stacks = stacks == NO_STACKS ? 0 : stacks } };
	FILE *report;

	harness_need_bpf();
	report_path(path, sizeof(path));
	harness_profile(&run, ret);
	harness_print(event, ret);
	harness_check_invariant(&ret->stats);
	report = fopen(path, "re");
	assert_non_null(report);
	assert_int_equal(fscanf(report, "%lf %d", ret_napped_ns, ret_old), 2);
	fclose(report);
	unlink(path);
}

static int64_t calls(const struct harness_result *result, const char *function, const char *label,
		     const char *text)
{
	return sample_sum(
		result->profile, "calls",
		&(struct sample_choice){ .function = function, .label = label, .text = text });
}

/* What was lost, by named causes, may be missing, and nothing else. */
static void check_count(const struct harness_result *result, const char *what, int64_t count,
			int64_t expected)
{
	print_message("# %s: %lld of %lld\n", what, (long long)count, (long long)expected);
	assert_true(count <= expected);
	assert_true(count + (int64_t)result->stats.lost >= expected);
}

/* Most of them are below the function that makes them: its tables were there when it began. */
static void check_function(const struct harness_result *result, const char *function,
			   const char *label, const char *text)
{
	assert_true(calls(result, function, label, text) >= 0.9 * calls(result, NULL, label, text));
}

static void test_truth(void **state)
{
	struct harness_result result;
	double napped_ns;
	int old;

	profile_calls("syscall", 0, &result, &napped_ns, &old);
	check_count(&result, "preadv", calls(&result, NULL, "syscall", "preadv"), READS);
	check_function(&result, "reading", "syscall", "preadv");
	check_count(&result, "pwrite of children", calls(&result, NULL, "syscall", "pwrite64"),
		    CHILD_WRITES);
	check_count(&result, "failed openat", calls(&result, NULL, "errno", "ENOTDIR"), FAILURES);
	check_function(&result, "failing", "errno", "ENOTDIR");
	check_count(&result, "waits for a signal", calls(&result, NULL, "syscall", "rt_sigsuspend"),
		    SIGNALS);
	/* As do those of threads that are killed. */
	assert_true(calls(&result, NULL, "errno", "ERESTARTNOHAND") >=
		    calls(&result, NULL, "syscall", "rt_sigsuspend"));
	check_count(&result, "returns from handlers",
		    calls(&result, NULL, "syscall", "rt_sigreturn"), SIGNALS);
	/* Not that of the workload itself, which it was not yet when it began. */
	check_count(&result, "execve", calls(&result, NULL, "syscall", "execve"), 2 * CHILDREN);
	check_count(&result, "exits", calls(&result, NULL, "syscall", "exit_group"), 0);
	check_count(&result, "32-bit calls", calls(&result, NULL, "syscall", NULL),
		    old ? OLD_CALLS : 0);
	check_count(&result, "32-bit calls by a wrong name",
		    calls(&result, NULL, "syscall", "writev"), 0);
	harness_done(&result);
}

/* Another task may get the CPU between a call's return and the workload's look at the clock. */
static void test_length(void **state)
{
	bool is_near = false;

	for (int i = 0; i < 3 && !is_near; i++) {
		struct harness_result result;
		double napped_ns;
		int64_t ns;
		int old;

		profile_calls("syscall:clock_nanosleep", 0, &result, &napped_ns, &old);
		ns = sample_sum(result.profile, "syscall", &(struct sample_choice){ 0 });
		print_message("# naps: %.1f ms of %.1f ms\n", ns / 1e6, napped_ns / 1e6);
		assert_true(ns >= NAPS * (int64_t)NAP_NS || result.stats.lost);
		assert_true(ns <= napped_ns);
		is_near = ns >= 0.97 * napped_ns;
		harness_done(&result);
	}
	assert_true(is_near);
}

static void test_named(void **state)
{
	struct harness_result result;
	double napped_ns;
	int old;

	profile_calls("syscall:preadv+openat,max=10s", SESSION_STACKS_KERNEL, &result, &napped_ns,
		      &old);
	check_count(&result, "preadv", calls(&result, NULL, "syscall", "preadv"), READS);
	check_count(&result, "others", calls(&result, NULL, NULL, NULL),
		    READS + calls(&result, NULL, "syscall", "openat"));
	check_count(&result, "failed openat", calls(&result, NULL, "errno", "ENOTDIR"), FAILURES);
	/* Neither user stacks, which were not asked for, nor kernel stacks, which it does not have. */
	for (uint32_t i = 0; i < result.profile->sample_count; i++)
		assert_int_equal(result.profile->samples[i].location_count, 0);
	harness_done(&result);
}

static void test_least(void **state)
{
	struct harness_result result;
	double napped_ns;
	int old;

	profile_calls("syscall,min=1ms", 0, &result, &napped_ns, &old);
	check_count(&result, "naps", calls(&result, NULL, "syscall", "clock_nanosleep"), NAPS);
	assert_true(calls(&result, NULL, "syscall", "preadv") < READS / 2);
	assert_true(result.stats.filtered >= READS / 2);
	harness_done(&result);
}

/* What a thread does that changes its name and its process's, and fails now and then. */
enum { RENAMES = 40, CALLS_BETWEEN = 25 };

static void rename_often(void)
{
	static const char *const names[] = { "renamed-even", "renamed-odd" };

	for (int i = 0; i < RENAMES; i++) {
		prctl(PR_SET_NAME, names[i % 2]);
		for (int call = 0; call < CALLS_BETWEEN; call++)
			syscall(call % 5 ? SYS_getppid : SYS_tgkill, -1, -1, 0);
		usleep(20000);
	}
}

/* A process that begins @work when it is told to. */
static pid_t start_work(void (*work)(void), int *ret_go)
{
	int ends[2];
	pid_t pid;
	char byte;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	*ret_go = ends[1];
	if (pid) {
		close(ends[0]);
		return pid;
	}
	if (read(ends[0], &byte, 1) != 1)
		_exit(1);
	work();
	_exit(0);
}

static bool go_then_wait(void *context, struct session *session)
{
	int *go = context;

	if (*go >= 0) {
		assert_int_equal(write(*go, "", 1), 1);
		close(*go);
		*go = -1;
	}
	return session_has_targets(session);
}

/* All of @work's calls, without stacks; none is lost. */
static void profile_work(void (*work)(void), const char *event, struct harness_result *ret)
{
	struct session_event events[] = { { event } };
	struct harness_run run = { .seconds = 60, .no_stacks = true, .during = go_then_wait,
				   .session = { .events = events, .event_count = 1 } };
	pid_t pid;
	int go;

	harness_need_bpf();
	pid = start_work(work, &go);
	run.context = &go;
	run.session.pids = &pid;
	run.session.pid_count = 1;
	harness_profile(&run, ret);
	harness_end(pid);
	harness_print(event, ret);
	harness_check_invariant(&ret->stats);
	assert_int_equal(ret->stats.lost, 0);
}

/* Without stacks a call is counted as its thread's last one, if nothing of it has changed. */
static void test_renamed(void **state)
{
	static const char *const names[] = { "renamed-even", "renamed-odd" };
	struct harness_result result;

	profile_work(rename_often, "syscall:getppid+tgkill", &result);
	for (int i = 0; i < 2; i++) {
		struct sample_choice choice = { .comm = names[i], .thread = names[i],
						.label = "syscall", .text = "getppid" };

		assert_int_equal(sample_sum(result.profile, "calls", &choice),
				 RENAMES / 2 * CALLS_BETWEEN * 4 / 5);
		choice.label = "errno";
		choice.text = "EINVAL";
		assert_int_equal(sample_sum(result.profile, "calls", &choice),
				 RENAMES / 2 * CALLS_BETWEEN / 5);
	}
	harness_done(&result);
}

/* More kinds of calls than a CPU remembers, in turns. */
enum { KINDS = 60, TURNS = 20, CALLS_OF_TURN = 3 };

static void take_turns(void)
{
	char name[16];

	for (int i = 0; i < TURNS * KINDS; i++) {
		snprintf(name, sizeof(name), "kind-%d", i % KINDS);
		prctl(PR_SET_NAME, name);
		for (int call = 0; call < CALLS_OF_TURN; call++)
			syscall(SYS_getppid);
		usleep(500);
	}
}

static void test_kinds(void **state)
{
	struct harness_result result;
	char name[16];

	profile_work(take_turns, "syscall:getppid", &result);
	for (int i = 0; i < KINDS; i++) {
		struct sample_choice choice = { .comm = name, .thread = name };

		snprintf(name, sizeof(name), "kind-%d", i);
		assert_int_equal(sample_sum(result.profile, "calls", &choice),
				 TURNS * CALLS_OF_TURN);
	}
	harness_done(&result);
}

/* And what comes and goes is told apart as with them. */
static void test_no_stacks(void **state)
{
	struct harness_result result;
	double napped_ns;
	int old;

	profile_calls("syscall", NO_STACKS, &result, &napped_ns, &old);
	check_count(&result, "preadv", calls(&result, NULL, "syscall", "preadv"), READS);
	check_count(&result, "pwrite of children", calls(&result, NULL, "syscall", "pwrite64"),
		    CHILD_WRITES);
	check_count(&result, "failed openat", calls(&result, NULL, "errno", "ENOTDIR"), FAILURES);
	check_count(&result, "waits for a signal", calls(&result, NULL, "syscall", "rt_sigsuspend"),
		    SIGNALS);
	check_count(&result, "returns from handlers",
		    calls(&result, NULL, "syscall", "rt_sigreturn"), SIGNALS);
	check_count(&result, "execve", calls(&result, NULL, "syscall", "execve"), 2 * CHILDREN);
	check_count(&result, "32-bit calls", calls(&result, NULL, "syscall", NULL),
		    old ? OLD_CALLS : 0);
	harness_done(&result);
}

static void test_refused(void **state)
{
	static const struct {
		const char *event, *says;
	} wrong[] = {
		{ "syscall:raed", "did you mean read?" },
		{ "syscall:read+nothing_like_it", "no such system call: nothing_like_it" },
		{ "syscall:", "no such system call: " },
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		struct error err = { 0 };

		assert_int_equal(session_event_check(wrong[i].event, &err), -EINVAL);
		assert_non_null(strstr(err.text, wrong[i].says));
		assert_int_equal(err.kind, ERROR_USAGE);
	}
}

static uint64_t counter(const struct session *session, uint32_t source, unsigned int which)
{
	uint64_t sum = 0;

	for (unsigned int cpu = 0; cpu < bpf_maps_cpus(session->maps); cpu++)
		sum += bpf_maps_counters(session->maps, source, cpu)->value[which];
	return sum;
}

/* [0]: cpu, [1]: syscall. */
struct storm_counts {
	uint64_t taken[2], reported[2];
};

static bool read_counts(void *context, struct session *session)
{
	struct storm_counts *c = context;

	for (uint32_t i = 0; i < 2; i++) {
		c->taken[i] = counter(session, i, WICK_COUNTER_TAKEN);
		c->reported[i] = counter(session, i, WICK_COUNTER_REPORTED);
	}
	return session_has_targets(session);
}

static void test_storm(void **state)
{
	static const char *const command[] = { "nice", "-n", "10", "sh", "-c",
					       "exec $WICK_WORKLOADS/calls storm 3 100000", NULL };
	static const struct session_event events[] = { { "cpu" }, { "syscall" } };
	struct storm_counts counts = { { 0 } };
	struct harness_run run = { .command = command, .seconds = 60, .during = read_counts,
				   .context = &counts,
				   .session = { .events = events, .event_count = 2,
						.frequency_hz = 499 } };
	struct harness_result result;
	double lost;

	harness_need_bpf();
	harness_profile(&run, &result);
	harness_print("storm", &result);
	harness_check_invariant(&result.stats);
	print_message("# %llu calls, %llu samples of cpu\n", (unsigned long long)counts.taken[1],
		      (unsigned long long)counts.taken[0]);
	/* A busy machine makes fewer in the time. */
	assert_true(counts.taken[1] > 10000 && counts.taken[0] > 100);
	lost = 100 - harness_percent(counts.reported[0], counts.taken[0]);
	assert_true(lost <= 1);
	assert_true(harness_percent(result.stats.complete_user, result.stats.reported_user) >= 99);
	harness_done(&result);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("calls are counted and named", test_truth),
		UNIT_TEST("calls are as long as the caller saw them", test_length),
		UNIT_TEST("only calls that are named are counted", test_named),
		UNIT_TEST("short calls are left out", test_least),
		UNIT_TEST("without stacks they are counted and named, too", test_no_stacks),
		UNIT_TEST("also where a thread changes its name", test_renamed),
		UNIT_TEST("also more kinds of them in turns than a CPU remembers", test_kinds),
		UNIT_TEST("calls that do not exist are refused", test_refused),
		UNIT_TEST("a storm of calls loses nothing beside cpu", test_storm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
