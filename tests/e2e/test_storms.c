/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_storms.c - some 100,000 events a second of each source that has so many, with cpu beside it: for
 * each of the two, taken = reported + lost, exactly; as many as the workload says it made; and cpu
 * loses at most 1 % of its ticks, also by the count of a clock outside of it.
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
/* What a workload does apart from its storm, and now and then the kernel runs no program. */
#define APART_PERCENT 2.0
#define APART_COUNT 1000
#define START_SECONDS 60

enum { CPU, STORM, SOURCES };

static const struct storm_case {
	const char *name;		/* the event */
	const char *workload;		/* a kind of tests/workloads/rates.c */
	const char *value;		/* what is counted */
	bool is_unknown;		/* how many there are of it cannot be known by the workload */
} storms[] = {
	{ "offcpu", "switch", "waits" },
	{ "offcpu,min=1ms,waker", "switch", "waits", true },
	{ "runq", "switch", "delays", true },
	{ "wakeup", "switch", "wakeups" },
	{ "switch", "switch", "switches", true },
	{ "syscall", "call", "calls", true },
	{ "lock", "futex", "contentions" },
	{ "fault", "fault", "faults" },
	{ "signal", "signal", "signals" },
	{ "softirq", "packet", "softirqs", true },
	{ "irq", "disk", "interrupts", true },
};

/* Of one source, as the kernel's side counted. */
struct counts {
	uint64_t entered, taken, lost;
};

struct storm {
	const struct storm_case *c;
	char path[256], seconds[16];
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
		s->counts[i].entered = counter(session, i, WICK_COUNTER_ENTERED);
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

static void storm_profile(struct storm *s, struct harness_result *ret)
{
	const char *seconds = getenv("WICK_STORM_SECONDS") ?: "2";
	const char *const command[] = { "@rates", s->c->workload, seconds, "100000", s->path, NULL };
	const struct session_event events[SOURCES] = { { "cpu" }, { s->c->name } };
	struct harness_run run = {
		.command = command,
		.seconds = atof(seconds) + START_SECONDS,
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
	harness_print(s->c->name, ret);
	assert_true(report_read(s));
	unlink(s->path);
}

/* Losses that only user space sees are of samples of either source. */
static uint64_t lost_later(const struct session_stats *stats)
{
	return harness_count(stats->losses, "window-late") +
	       harness_count(stats->losses, "copies-late") +
	       harness_count(stats->losses, "copies-unread") +
	       harness_count(stats->losses, "no-memory");
}

static void check_invariants(const struct storm *s, const struct harness_result *result)
{
	static const struct sample_choice all;
	uint64_t cpu = sample_sum(result->profile, "samples", &all);
	uint64_t storm = sample_sum(result->profile, s->c->value, &all);
	const struct session_stats *stats = &result->stats;
	uint64_t skipped = harness_count(stats->losses, "kernel-skipped");
	uint64_t cpu_taken = s->counts[CPU].taken + skipped;
	uint64_t cpu_lost = s->counts[CPU].lost + skipped;

	for (unsigned i = 0; stats->counters[i].name[0]; i++)
		print_message("#    %s %" PRIu64 "\n", stats->counters[i].name,
				      stats->counters[i].count);
	print_message("# cpu: taken %" PRIu64 " reported %" PRIu64 " lost %" PRIu64 "; %s: taken "
		      "%" PRIu64 " reported %" PRIu64 " lost %" PRIu64 "; later %" PRIu64 "\n",
		      cpu_taken, cpu, cpu_lost, s->c->name, stats->taken - cpu_taken, storm,
		      stats->lost - cpu_lost, lost_later(stats));
	harness_check_invariant(stats);
	assert_int_equal(cpu + storm, stats->reported);
}

static void check_made(const struct storm *s, const struct harness_result *result)
{
	int64_t reported = sample_sum(result->profile, s->c->value,
				      &(struct sample_choice){ .comm = "rates" });

	print_message("# %s: made %" PRId64 ", reported %" PRId64 " (%.2f %%), %.0f/s\n", s->c->name, s->made, reported, 100.0 * (reported - s->made) / s->made, s->made * 1e9 / result->stats.duration_ns);
}

static void check_outside(const struct storm *s)
{
	uint64_t least = 0, most = 0, outside = 0;

	for (unsigned int cpu = 0; cpu < s->outside.cpus; cpu++) {
		least += outside_runs_least(&s->outside, cpu);
		most += outside_runs_most(&s->outside, cpu);
		outside += outside_count(&s->outside, cpu);
	}
	print_message("# ticks of cpu: %" PRIu64 " to %" PRIu64 ", outside %" PRIu64 "\n", least,
		      most, outside);
}

static void test_storm(void **state)
{
	struct storm s = { .c = *state };
	struct harness_result result;

	harness_need_bpf();
	storm_profile(&s, &result);
	check_invariants(&s, &result);
	check_made(&s, &result);
	check_outside(&s);
	outside_close(&s.outside);
	harness_done(&result);
}

int main(void)
{
	return unit_run_rows("storms", test_storm, UNIT_ROWS(storms));
}
