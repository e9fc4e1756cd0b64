/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_storms.c - some 100,000 events a second of each source that has so many, with cpu beside it:
 * for each of the two, taken = reported + lost, exactly; as many as the workload says it made; and
 * cpu loses at most 1 % of its ticks, also by the count of a clock outside of it.
 *
 * WICK_STORM_SECONDS says how long each lasts (2).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "profiler/session_private.h"
#include "tests/e2e/harness.h"
#include "tests/e2e/outside_ticks.h"
#include "tests/e2e/sample_sum.h"
#include "tests/unit/unit.h"

#define HZ 499
#define CPU_LOST_PERCENT_MAX 1.0
#define ATTEMPTS 3
/* What a workload does apart from its storm, and now and then the kernel runs no program. */
#define APART_PERCENT 2.0
#define APART_COUNT 1000
/* A busy machine makes fewer in the time. */
#define PER_SECOND_LEAST 1000
/* Until it is ended, should the storm not come to its end. */
#define SECONDS_MORE 60

enum { CPU, STORM, SOURCES };

static const struct storm_case {
	const char *event;
	const char *workload;		/* a kind of tests/workloads/rates.c */
	const char *per_second;
	const char *value;		/* what is counted */
	/* Which samples are the workload's; nothing: it does not know how many there should be. */
	struct sample_choice made;
	bool is_slow;			/* as fast as the machine's disk */
} storms[] = {
	/* A wake-up takes the CPU from the waker, so only every other switch is a sleep. */
	{ "offcpu", "sleep", "200000", "waits", { .comm = "rates" } },
	{ "offcpu,min=1ms,waker", "sleep", "200000", "waits" },
	{ "wakeup", "sleep", "200000", "wakeups", { .comm = "rates" } },
	{ "runq", "switch", "100000", "delays", { .comm = "rates" } },
	{ "switch", "switch", "100000", "switches", { .comm = "rates" } },
	{ "syscall", "call", "100000", "calls", { .comm = "rates" } },
	{ "lock", "futex", "100000", "contentions", { .comm = "rates" } },
	{ "fault", "fault", "100000", "faults", { .comm = "rates" } },
	{ "signal", "signal", "100000", "signals", { .comm = "rates" } },
	{ "softirq", "packet", "100000", "softirqs", { .label = "softirq", .text = "NET_RX" } },
	{ "irq", "disk", "100000", "interrupts", .is_slow = true },
};

/* Of one source, as the kernel's side counted. */
struct counts {
	uint64_t taken, lost;
};

struct storm {
	const struct storm_case *c;
	char path[256];
	struct outside_ticks outside;
	struct counts counts[SOURCES];
	int64_t made;
	bool has_begun;
};

static uint64_t counter(const struct session *session, uint32_t source, unsigned int which)
{
	uint64_t sum = 0;

	for (unsigned int cpu = 0; cpu < bpf_maps_cpus(session->maps); cpu++)
		sum += bpf_maps_counters(session->maps, source, cpu)->value[which];
	return sum;
}

static void counts_read(void *context, struct session *session)
{
	static const enum wick_counter losses[] = {
		WICK_COUNTER_LOST_SCRATCH, WICK_COUNTER_LOST_COUNTS, WICK_COUNTER_LOST_TASK,
		WICK_COUNTER_LOST_EVENT, WICK_COUNTER_LOST_WAITS,
	};
	struct storm *s = context;

	for (uint32_t i = 0; i < SOURCES; i++) {
		s->counts[i].taken = counter(session, i, WICK_COUNTER_TAKEN);
		for (size_t j = 0; j < ARRAY_SIZE(losses); j++)
			s->counts[i].lost += counter(session, i, losses[j]);
	}
}

static bool report_read(struct storm *s)
{
	_cleanup_fclose_ FILE *f = fopen(s->path, "re");

	return f && fscanf(f, "%" SCNd64 "\n", &s->made) == 1;
}

static bool storm_goes_on(void *context, struct session *session)
{
	struct storm *s = context;
	bool goes_on = !report_read(s);

	if (!s->has_begun)
		outside_begin(&s->outside, session);
	s->has_begun = true;
	if (!goes_on)
		outside_end(&s->outside, session);
	return goes_on;
}

static double storm_seconds(void)
{
	return atof(getenv("WICK_STORM_SECONDS") ?: "2");
}

static void storm_profile(struct storm *s, struct harness_result *ret)
{
	const char *seconds = getenv("WICK_STORM_SECONDS") ?: "2";
	const char *const command[] = { "@rates", s->c->workload, seconds, s->c->per_second,
					s->path, NULL };
	const struct session_event events[SOURCES] = { { "cpu" }, { s->c->event } };
	struct harness_run run = {
		.command = command,
		.seconds = storm_seconds() + SECONDS_MORE,
		.whole_machine = true,
		.session = { .events = events, .event_count = SOURCES, .frequency_hz = HZ },
		.during = storm_goes_on,
		.finished = counts_read,
		.context = s,
	};

	snprintf(s->path, sizeof(s->path), "%s/storm.%d", getenv("WICK_TMP") ?: "/tmp", getpid());
	unlink(s->path);
	outside_open(&s->outside, HZ);
	harness_profile(&run, ret);
	harness_print(s->c->event, ret);
	assert_true(report_read(s));
	unlink(s->path);
}

/* Losses that user space counts, of samples of either source. */
static uint64_t lost_later(const struct session_stats *stats)
{
	static const char *const causes[] = { "window-late", "copies-late", "copies-unread",
					      "no-memory", "counts-unread" };
	uint64_t sum = 0;

	for (size_t i = 0; i < ARRAY_SIZE(causes); i++)
		sum += harness_count(stats->losses, causes[i]);
	return sum;
}

/* More ticks than the program's runs: the kernel did not run it. */
static uint64_t outside_skipped(const struct outside_ticks *o)
{
	uint64_t runs = 0, ticks = 0;

	for (unsigned int cpu = 0; cpu < o->cpus; cpu++) {
		runs += outside_runs_most(o, cpu) + OUTSIDE_TICKS_APART;
		ticks += outside_count(o, cpu);
	}
	print_message("# ticks of cpu: %" PRIu64 " runs, %" PRIu64 " by another clock\n",
		      runs - o->cpus * OUTSIDE_TICKS_APART, ticks);
	return ticks > runs ? ticks - runs : 0;
}

/*
 * The invariant holds for both together and for cpu, and so for the other. Returns whether cpu lost
 * little.
 */
static bool check_sources(const struct storm *s, const struct harness_result *result)
{
	static const struct sample_choice all;
	const struct session_stats *stats = &result->stats;
	uint64_t skipped = harness_count(stats->losses, "kernel-skipped");
	uint64_t taken = s->counts[CPU].taken + skipped, lost = s->counts[CPU].lost + skipped;
	uint64_t reported = sample_sum(result->profile, "samples", &all);
	uint64_t storm = sample_sum(result->profile, s->c->value, &all);
	uint64_t later = lost_later(stats), unseen = outside_skipped(&s->outside);

	print_message("# cpu: taken %" PRIu64 ", reported %" PRIu64 ", lost %" PRIu64
		      "; %s: taken %" PRIu64 ", reported %" PRIu64 ", lost %" PRIu64
		      "; of both %" PRIu64 "\n", taken, reported, lost, s->c->event,
		      stats->taken - taken, storm, stats->lost - lost - later, later);
	harness_check_invariant(stats);
	assert_int_equal(reported + storm, stats->reported);
	assert_true(reported + lost <= taken && reported + lost + later >= taken);
	unseen = unseen > skipped ? unseen - skipped : 0;
	return harness_percent(taken - reported + unseen, taken) <= CPU_LOST_PERCENT_MAX;
}

/* What was lost, by named causes, may be missing. */
static void check_made(const struct storm *s, const struct harness_result *result)
{
	int64_t reported = sample_sum(result->profile, s->c->value, &s->c->made);
	double apart = s->made * APART_PERCENT / 100 + APART_COUNT;
	double per_second = s->made / storm_seconds();

	print_message("# %s: %" PRId64 " were made, %" PRId64 " reported; %.0f a second\n",
		      s->c->event, s->made, reported, per_second);
	if (!s->c->is_slow)
		assert_true(per_second >= PER_SECOND_LEAST);
	if (!s->c->made.comm && !s->c->made.label)
		return;
	assert_true(reported <= s->made + apart);
	assert_true(reported + (int64_t)result->stats.lost >= s->made - apart);
}

/* Both clocks stand still where a CPU idles, and meet what wakes it by chance. */
static pid_t keep_cpus_busy(void)
{
	char script[128];
	const char *const command[] = { "nice", "-n", "19", "sh", "-c", script, NULL };

	snprintf(script, sizeof(script), "exec $WICK_WORKLOADS/threads %.0f $(nproc)",
		 storm_seconds() + SECONDS_MORE);
	return harness_start(command, -1);
}

static bool storm_is_harmless(const struct storm_case *c)
{
	struct storm s = { .c = c };
	struct harness_result result;
	pid_t busy = keep_cpus_busy();
	bool is_harmless;

	storm_profile(&s, &result);
	harness_end(busy);
	is_harmless = check_sources(&s, &result);
	check_made(&s, &result);
	outside_close(&s.outside);
	harness_done(&result);
	return is_harmless;
}

/* Programs of other tools may hold the kernel's guard meanwhile: then cpu loses ticks by those. */
static void test_storm(void **state)
{
	bool is_harmless = false;

	harness_need_bpf();
	for (int i = 0; i < ATTEMPTS && !is_harmless; i++)
		is_harmless = storm_is_harmless(*state);
	assert_true(is_harmless);
}

/* test_storms PATTERN: only the cases whose names match. */
int main(int argc, char **argv)
{
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return unit_run_rows("storms", test_storm, UNIT_ROWS(storms));
}
