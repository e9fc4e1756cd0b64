/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_source_offcpu.c - waits as long as the program that waits says, by its own clocks; why; and
 * who ended them. The program is tests/workloads/waits.c.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "profiler/base/clock.h"
#include "profiler/base/strbuf.h"
#include "tests/e2e/harness.h"
#include "tests/e2e/sample_sum.h"
#include "tests/unit/unit.h"

#define PERCENT_MAX 3.0
/*
 * A measurement by two clocks, on a machine that may stop between the readings: what holds is seen
 * at once nearly always; what does not hold never is.
 */
#define TRIES 3
#define SECONDS_MAX 30
#define PHASES_MAX 10
/* What a switch may take: short waits are longer or shorter by it, by which clock is asked. */
#define SWITCH_NS 5000

/* ---- one run ---- */

struct waits_run {
	const char *events[2];
	const char *phases[PHASES_MAX];
	struct session_limits limits;
	uint32_t frequency_hz;
	bool no_stacks;
	bool until_waiting;		/* end the run in the last phase, which does not end */
	/* The rest is of the run. */
	char folder[64], path[80];
	uint64_t begin_ns, last_ns;
	struct harness_result result;
	char *said;
};

/* Of all runs: one of ten waits would say little. */
static uint64_t user_stacks, complete_stacks;

static void said_read(struct waits_run *w)
{
	_cleanup_fclose_ FILE *f = fopen(w->path, "re");
	struct strbuf text = STRBUF_INIT;
	char line[128];

	while (f && fgets(line, sizeof(line), f))
		strbuf_add_text(&text, line);
	free(w->said);
	w->said = strbuf_take(&text);
}

/* Until the program is done, or, if it never is, has waited for a second. */
static bool still_waits(void *context, struct session *session)
{
	struct waits_run *w = context;

	w->last_ns = clock_monotonic_ns();
	said_read(w);
	if (!w->said)
		return true;
	if (!w->until_waiting)
		return !strstr(w->said, "end\n");
	if (sscanf(w->said, "began %" SCNu64 " 0\n", &w->begin_ns) != 1)
		return true;
	return w->last_ns - w->begin_ns < 1000000000;
}

static void waits_profile(struct waits_run *w)
{
	const struct session_event events[2] = { { w->events[0] }, { w->events[1] } };
	const char *command[PHASES_MAX + 3] = { "@waits", w->path };
	struct harness_run run = {
		.command = command,
		.seconds = SECONDS_MAX,
		.no_stacks = w->no_stacks,
		.session = { .events = events, .event_count = w->events[1] ? 2 : 1,
			     .frequency_hz = w->frequency_hz, .limits = w->limits },
		.during = still_waits,
		.context = w,
	};

	for (size_t i = 0; i < PHASES_MAX && w->phases[i]; i++)
		command[i + 2] = w->phases[i];
	strcpy(w->folder, "/var/tmp/wick-waits.XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	snprintf(w->path, sizeof(w->path), "%s/said", w->folder);
	w->begin_ns = 0;
	harness_profile(&run, &w->result);
	said_read(w);
	unlink(w->path);
	rmdir(w->folder);
	harness_print(w->events[0], &w->result);
	harness_check_invariant(&w->result.stats);
	assert_int_equal(w->result.stats.lost, 0);
	user_stacks += w->result.stats.reported_user;
	complete_stacks += w->result.stats.complete_user;
}

static void waits_done(struct waits_run *w)
{
	harness_done(&w->result);
	free(w->said);
	w->said = NULL;
}

/* What the program said of @phase. False: it cannot be had here. */
static bool phase_said(const struct waits_run *w, const char *phase, uint64_t *ret_ns,
		       uint64_t *ret_count)
{
	char start[32];
	const char *line = w->said;

	snprintf(start, sizeof(start), "%s ", phase);
	while (strncmp(line, start, strlen(start))) {
		line = strchr(line, '\n');
		if (!line)
			fail_msg("the program says nothing of %s", phase);
		line++;
	}
	return sscanf(line + strlen(start), "%" SCNu64 " %" SCNu64, ret_ns, ret_count) == 2;
}

/* ---- sums over samples ---- */

struct sum {
	uint64_t ns, count;
};

static struct sum choice_sum(const struct waits_run *w, const struct sample_choice *choice)
{
	return (struct sum){ .ns = sample_sum(w->result.profile, "off_cpu", choice),
			     .count = sample_sum(w->result.profile, "waits", choice) };
}

/* Of the samples with @function on their stack and that reason; NULL is any. */
static struct sum waits_sum(const struct waits_run *w, const char *function, const char *reason)
{
	const struct sample_choice choice = { .function = function,
					      .label = reason ? "reason" : NULL,
					      .text = reason };

	return choice_sum(w, &choice);
}

static bool is_near(const char *what, uint64_t measured, uint64_t said)
{
	double percent = 100.0 * ((double)measured - said) / said;

	print_message("# %s: %.3f ms, it says %.3f ms: %+.2f %%\n", what, measured / 1e6,
		      said / 1e6, percent);
	return percent > -PERCENT_MAX && percent < PERCENT_MAX;
}

/* ---- the time and the reason of each kind of wait ---- */

static const struct wait_case {
	const char *name, *phase, *reason;
} wait_cases[] = {
	{ "nanosleep() is sleep", "sleep", "sleep" },
	{ "a futex is a futex", "futex", "futex" },
	{ "poll() is poll", "poll", "poll" },
	{ "reading a pipe is pipe", "pipe", "pipe" },
	{ "reading a socket of this machine is socket", "socket", "socket" },
	{ "reading from the network is network", "network", "network" },
	{ "waitpid() is child", "child", "child" },
	{ "fsync() is disk", "disk", "disk" },
	{ "a page that must be read first is disk", "major", "disk" },
	{ "a page that somebody brings is page-fault", "fault", "page-fault" },
};

static bool wait_holds(const struct wait_case *c, const struct waits_run *w, bool *ret_skipped)
{
	uint64_t ns, count;
	char function[32];
	struct sum all, why, preempted;
	bool holds;

	*ret_skipped = !phase_said(w, c->phase, &ns, &count);
	if (*ret_skipped)
		return true;
	snprintf(function, sizeof(function), "wait_%s", c->phase);
	all = waits_sum(w, function, NULL);
	why = waits_sum(w, function, c->reason);
	preempted = waits_sum(w, function, "preempted");
	holds = is_near(c->phase, all.ns, ns) ||
		llabs((long long)(all.ns - ns)) < (long long)(SWITCH_NS * all.count);
	print_message("# %s: %" PRIu64 " waits, %.1f %% of the time %s\n", c->phase, all.count,
		      harness_percent(why.ns, all.ns), c->reason);
	/* The rest is starting threads and making files; and all of a fast disk. */
	holds = holds && (why.ns > (all.ns - preempted.ns) * 3 / 4 || all.ns < 20000000);
	return holds && why.count >= count;
}

/* One run of all phases is for all cases; a case that does not hold in it tries again alone. */
static struct waits_run every_wait = { .events = { "offcpu,preempted" } };

static void every_wait_profile(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(wait_cases); i++)
		every_wait.phases[i] = wait_cases[i].phase;
	waits_profile(&every_wait);
}

static void test_wait(void **state)
{
	const struct wait_case *c = *state;
	bool skipped, holds;

	harness_need_bpf();
	if (!every_wait.said)
		every_wait_profile();
	holds = wait_holds(c, &every_wait, &skipped);
	for (int i = 1; i < TRIES && !holds; i++) {
		struct waits_run w = { .events = { every_wait.events[0] },
				       .phases = { c->phase } };

		waits_profile(&w);
		holds = wait_holds(c, &w, &skipped);
		waits_done(&w);
	}
	if (skipped)
		skip();
	assert_true(holds);
}

/* ---- long waits ---- */

static bool windows_hold(const char *event)
{
	struct waits_run w = { .events = { event }, .phases = { "long" },
			       .limits = { .window_ms = 50 } };
	uint64_t ns, count;
	struct sum sum;
	bool holds;

	waits_profile(&w);
	assert_true(phase_said(&w, "long", &ns, &count));
	sum = waits_sum(&w, "wait_long", "sleep");
	holds = is_near(event, sum.ns, ns);
	assert_int_equal(sum.count, 1);
	assert_true(harness_count(w.result.stats.counters, "windows") > 10);
	assert_int_equal(harness_count(w.result.stats.counters, "stack-unresolved"), 0);
	assert_int_equal(harness_count(w.result.stats.counters, "task-unresolved"), 0);
	waits_done(&w);
	return holds;
}

static void test_windows(void **state)
{
	static const char *const events[] = { "offcpu", "offcpu,min=500ms" };

	harness_need_bpf();
	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		bool holds = false;

		for (int try = 0; try < TRIES && !holds; try++)
			holds = windows_hold(events[i]);
		assert_true(holds);
	}
}

/*
 * From when the program says to the end of the run: that is between the last look at the program and the
 * return of the session.
 */
static void check_end(const char *event, const char *function, bool no_stacks)
{
	struct waits_run w = { .events = { event }, .phases = { "forever" }, .no_stacks = no_stacks,
			       .until_waiting = true, .limits = { .window_ms = 50 } };
	struct sum sum;
	uint64_t after_ns;

	waits_profile(&w);
	after_ns = clock_monotonic_ns();
	sum = waits_sum(&w, function, "signal");
	print_message("# %s: open for %.1f ms, of %.1f to %.1f ms\n", event, sum.ns / 1e6,
		      (w.last_ns - w.begin_ns) / 1e6, (after_ns - w.begin_ns) / 1e6);
	assert_int_equal(sum.count, 1);
	assert_int_equal(waits_sum(&w, "[asleep]", NULL).count, 0);
	assert_int_equal(waits_sum(&w, "main", "signal").count, !no_stacks);
	assert_true(w.begin_ns > 0);
	assert_true(sum.ns <= after_ns - w.begin_ns);
	assert_true(sum.ns >= (w.last_ns - w.begin_ns) * (100 - PERCENT_MAX) / 100);
	waits_done(&w);
}

static void test_end(void **state)
{
	harness_need_bpf();
	check_end("offcpu", "wait_forever", false);
	check_end("offcpu,min=100ms", "wait_forever", false);
	check_end("offcpu", NULL, true);
}

/* ---- thresholds ---- */

static bool threshold_holds(const char *event, const char *what)
{
	struct waits_run w = { .events = { event }, .phases = { "mixed" } };
	struct sum sum;
	uint64_t ns, count, all_ns, all_count;
	bool holds;

	waits_profile(&w);
	assert_true(phase_said(&w, "mixed-long", &ns, &count));
	assert_true(phase_said(&w, "mixed", &all_ns, &all_count));
	if (!strcmp(what, "short")) {
		ns = all_ns - ns;
		count = all_count - count;
	}
	sum = waits_sum(&w, "wait_mixed", NULL);
	print_message("# %s: %" PRIu64 " waits, it says %" PRIu64 "\n", event, sum.count, count);
	/* Of short ones what is between them is more: the time is for the long ones. */
	holds = !strcmp(what, "short") || is_near(event, sum.ns, ns);
	holds = holds && sum.count == count;
	waits_done(&w);
	return holds;
}

static void test_thresholds(void **state)
{
	bool holds = false;

	harness_need_bpf();
	for (int i = 0; i < TRIES && !holds; i++)
		holds = threshold_holds("offcpu,min=20ms", "long");
	assert_true(holds);
	holds = false;
	for (int i = 0; i < TRIES && !holds; i++)
		holds = threshold_holds("offcpu,max=20ms", "short");
	assert_true(holds);
}

/* ---- who ended it ---- */

/* Each of the waits of C was ended by B, in chain_b_wake(); each of B's by A. */
static void check_waker(const struct waits_run *w, const char *thread, const char *waker,
			const char *function)
{
	const struct sample_choice waiter = { .thread = thread, .label = "reason",
					      .text = "futex" };
	const struct sample_choice woken = { .thread = thread, .label = "waker", .text = waker,
					     .function = function };
	struct sum all = choice_sum(w, &waiter), right = choice_sum(w, &woken);

	print_message("# %s: %" PRIu64 " waits, %" PRIu64 " of them ended by %s in %s\n", thread,
		      all.count, right.count, waker, function);
	assert_true(all.count >= 8);
	assert_true(right.ns > all.ns * 9 / 10);
}

/* Above the sleeper's own stack: from the sleeper's leaf on to what the waker called last. */
static void check_order(const struct waits_run *w)
{
	const char *line = strstr(w->result.folded, "wait_chain_c;"), *mark, *wake, *end;

	assert_non_null(line);
	end = strchrnul(line, '\n');
	mark = memmem(line, end - line, "[waker: chain-b];", 17);
	wake = memmem(line, end - line, ";chain_b_wake;", 14);
	assert_true(mark && wake && line < mark && mark < wake);
}

static void test_wakers(void **state)
{
	static const char *const events[] = { "offcpu,waker", "offcpu,waker,min=5ms" };

	harness_need_bpf();
	for (size_t i = 0; i < ARRAY_SIZE(events); i++) {
		struct waits_run w = { .events = { events[i] }, .phases = { "chain" } };

		waits_profile(&w);
		check_waker(&w, "chain-c", "chain-b", "chain_b_wake");
		check_waker(&w, "chain-b", "waits", "chain_a_wake");
		check_order(&w);
		waits_done(&w);
	}
}

/* ---- what it waits for is a CPU ---- */

static uint64_t spinners_said(const struct waits_run *w)
{
	uint64_t sum = 0, ns;

	for (const char *line = w->said; line; line = strstr(line + 1, "spinner "))
		if (sscanf(line, "spinner %" SCNu64, &ns) == 1)
			sum += ns;
	return sum;
}

static bool preempted_holds(const char *event, bool is_asked)
{
	struct waits_run w = { .events = { event }, .phases = { "preempted" } };
	struct sum sum;
	bool holds;

	waits_profile(&w);
	sum = waits_sum(&w, "spin_run", "preempted");
	if (is_asked) {
		holds = is_near(event, sum.ns, spinners_said(&w));
	} else {
		holds = true;
		assert_int_equal(sum.count, 0);
	}
	waits_done(&w);
	return holds;
}

static void test_preempted(void **state)
{
	bool holds = false;

	harness_need_bpf();
	for (int i = 0; i < TRIES && !holds; i++)
		holds = preempted_holds("offcpu,preempted", true);
	assert_true(holds);
	preempted_holds("offcpu", false);
}

/* ---- elapsed time ---- */

static bool wall_holds(void)
{
	struct waits_run w = { .events = { "wall" }, .phases = { "cycles" },
			       .frequency_hz = 999 };
	struct sample_choice choice = { 0 };
	bool holds = true;
	int threads = 0;

	waits_profile(&w);
	assert_int_equal(w.result.profile->value_type_count, 1);
	for (const char *line = w.said; line; line = strstr(line + 1, "cycle-")) {
		uint64_t ns;
		int tid;

		if (sscanf(line, "cycle-%d %" SCNu64, &tid, &ns) != 2)
			continue;
		choice.tid = tid;
		holds = is_near("wall", sample_sum(w.result.profile, "wall", &choice), ns) && holds;
		threads++;
	}
	assert_int_equal(threads, 2);
	waits_done(&w);
	return holds;
}

static void test_wall(void **state)
{
	bool holds = false;

	harness_need_bpf();
	for (int i = 0; i < TRIES && !holds; i++)
		holds = wall_holds();
	assert_true(holds);
}

/* Comes last. */
static void test_complete(void **state)
{
	harness_need_bpf();
	print_message("# %" PRIu64 " of %" PRIu64 " user stacks are complete\n", complete_stacks,
		      user_stacks);
	assert_true(harness_percent(complete_stacks, user_stacks) >= 99);
	waits_done(&every_wait);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("a wait of many windows keeps its stacks", test_windows),
		UNIT_TEST("a wait that is open at the end counts up to there", test_end),
		UNIT_TEST("least and most: as many, and the same time", test_thresholds),
		UNIT_TEST("the one who woke it is on top of the stack", test_wakers),
		UNIT_TEST("being preempted counts on request only", test_preempted),
		UNIT_TEST("on a CPU and waiting is all of the time", test_wall),
		UNIT_TEST("stacks of these programs are complete", test_complete),
	};

	return unit_run_rows("offcpu", test_wait, UNIT_ROWS(wait_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
