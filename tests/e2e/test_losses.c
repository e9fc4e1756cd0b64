/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_losses.c - makes every cause of loss happen: its counter moves, and taken = reported + lost.
 *
 * Capacities are made tiny, or a stage is kept busy with real work of its own kind.
 */
#include <string.h>

#include "profiler/bpf_maps.h"
#include "profiler/session_private.h"
#include "tests/e2e/harness.h"
#include "tests/unit/fail_alloc.h"
#include "tests/unit/unit.h"

#define SECONDS_MOST 10
/* Of 10 ms. */
#define ROUNDS_LEAST 100
#define ROUNDS_OF_A_FLOOD 10

struct loss_case {
	const char *name;
	const char *counter;		/* in losses, or in counters when not a loss of samples */
	bool of_samples;
	struct session_limits limits;
	enum session_delivery delivery;
	const char *command[4];
	bool (*during)(void *context, struct session *session);
};

/* All scratch states of all CPUs, held as by programs of another generation. */
static bool hold_claims(void *context, struct session *session)
{
	size_t count;
	struct wick_claim *claims = bpf_maps_claims(session->maps, &count);
	int *rounds = context;
	uint64_t state = ++*rounds < 50 ? WICK_CLAIM_GENERATION(0xffffffffull) : WICK_CLAIM_FREE;

	/* A running program gives its claim back, and must not find it taken twice: only free ones. */
	for (size_t i = 0; i < count; i++) {
		uint64_t expected = *rounds < 50 ? WICK_CLAIM_FREE :
						   WICK_CLAIM_GENERATION(0xffffffffull);

		__atomic_compare_exchange_n(&claims[i].state, &expected, state, false,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
	}
	return true;
}

/* A window with so much in it that the processing thread is behind for a while. */
static bool flood_processing(void *context, struct session *session)
{
	struct window *window;
	int *rounds = context;

	if (++*rounds % ROUNDS_OF_A_FLOOD)
		return true;
	window = window_new(0);
	for (uint64_t i = 0; i < 200000; i++) {
		struct window_sample sample = { .key = { .task = i + 100, .detail = i },
						.value = { 0, 0 } };

		assert_int_equal(window_add_sample(window, &sample), 0);
	}
	if (queue_add(session->windows, window) < 0)
		window_free(window);
	return true;
}

/* Notices of as many processes, for the tables thread. */
static bool flood_tables(void *context, struct session *session)
{
	struct notice_batch *batch = notice_batch_new();

	for (uint32_t i = 0; i < 100000; i++) {
		struct notice notice = { .type = NOTICE_FORK, .time_ns = 1, .pid = 5000000 + i,
					 .tid = 5000000 + i, .parent_pid = 1, .path = "" };

		assert_int_equal(notice_batch_add(batch, &notice), 0);
	}
	if (queue_add(session->notices, batch) < 0)
		notice_batch_free(batch);
	return true;
}

/* A page, read only every 200 ms: too little on purpose. */
#define SMALL_RING { .ring_bytes = 4096, .wakeup_bytes = UINT32_MAX }
#define STORM { "@storm", "30", "100" }
/* At the lowest priority: so many threads leave nothing to those who look at them. */
#define THREADS(count) { "sh", "-c", "exec nice -n 19 $WICK_WORKLOADS/threads 30 " count }

/* For a while nothing larger than a few hundred bytes can be had. */
static bool starve(void *context, struct session *session)
{
	int *rounds = context;

	++*rounds;
	fail_alloc_from(*rounds > 20 && *rounds < 60 ? 1024 : 0);
	return true;
}

static const struct loss_case cases[] = {
	{ "the map of counts is full", "counts-full", true, { .counts = 1 }, SESSION_COUNTED,
	  THREADS("128") },
	{ "the ring has no room for a task", "task-unsent", true, SMALL_RING, SESSION_COUNTED,
	  THREADS("128") },
	{ "the ring has no room for a stack", "stack-lost", false, SMALL_RING, SESSION_COUNTED,
	  { "@cxx_work", "30" } },
	{ "the ring has no room for a copy", "copies-lost", false, SMALL_RING, SESSION_COUNTED,
	  STORM },
	{ "the ring has no room for an event", "event-unsent", true, SMALL_RING, SESSION_EVENTS,
	  { "@shares", "30" } },
	{ "copies come too fast", "copies-limited", false,
	  { .copies_per_second = 1, .processes = 1 }, SESSION_COUNTED, STORM },
	{ "the pool of rules is full: some modules do without", "rule-pool-full", false,
	  { .rules = 64 }, SESSION_COUNTED, STORM },
	{ "the array of mappings is full: some processes do without", "mappings-full", false,
	  { .mappings = 24 }, SESSION_COUNTED, STORM },
	{ "the table of modules is full: some do without", "modules-full", false,
	  { .modules = UNWIND_MODULE_FIRST + 1 }, SESSION_COUNTED, STORM },
	{ "all scratch states are claimed", "no-scratch", true, { 0 }, SESSION_COUNTED, STORM,
	  hold_claims },
	{ "processing is behind", "window-late", true, { .queue_items = 1, .window_ms = 5 },
	  SESSION_COUNTED, STORM, flood_processing },
	{ "there is no memory for windows", "no-memory", true, { .window_ms = 50 },
	  SESSION_COUNTED, STORM, starve },
	{ "tables are behind", "copies-late", true, { .queue_items = 1, .processes = 1 },
	  SESSION_COUNTED, STORM, flood_tables },
};

struct progress {
	const struct loss_case *wanted;
	int rounds, own_rounds;
};

static uint64_t count_of(const struct loss_case *c, const struct session_stats *stats)
{
	return harness_count(c->of_samples ? stats->losses : stats->counters, c->counter);
}

/* Until the counter has moved; for some time after it, for what else comes of a loss. */
static bool until_it_moves(void *context, struct session *session)
{
	struct progress *progress = context;
	const struct loss_case *c = progress->wanted;
	struct session_stats stats;

	if (c->during)
		c->during(&progress->own_rounds, session);
	session_stats(session, &stats);
	return ++progress->rounds < ROUNDS_LEAST || !count_of(c, &stats);
}

static void test_loss(void **state)
{
	const struct loss_case *c = *state;
	struct progress progress = { c, 0, 0 };
	struct harness_run run = {
		.command = c->command,
		.seconds = SECONDS_MOST,
		.whole_machine = true,
		.session = { .frequency_hz = 1999, .limits = c->limits, .delivery = c->delivery },
		.during = until_it_moves,
		.context = &progress,
	};
	struct harness_result result;
	uint64_t count;

	harness_need_bpf();
	harness_profile(&run, &result);
	harness_print(c->name, &result);
	count = count_of(c, &result.stats);
	harness_check_invariant(&result.stats);
	assert_true(count > 0);
	if (c->of_samples)
		assert_true(result.stats.lost >= count);
	harness_done(&result);
}

/* With no room to remember what was sent, all is sent again each time; none is lost for it. */
static void test_sent_full(void **state)
{
	static const char *const command[4] = THREADS("64");
	struct harness_run run = {
		.command = command,
		.seconds = 3,
		.session = { .frequency_hz = 1999, .limits = { .sent = 1 } },
	};
	struct harness_result result;

	harness_need_bpf();
	harness_profile(&run, &result);
	harness_print("sent", &result);
	harness_check_invariant(&result.stats);
	assert_true(result.stats.reported > 100);
	/* Again and again: where there is room it is some dozens, each once. */
	assert_true(harness_count(result.stats.counters, "stacks-sent") * 10 >
		    result.stats.reported);
	assert_int_equal(harness_count(result.stats.counters, "stack-unresolved"), 0);
	assert_int_equal(harness_count(result.stats.counters, "task-unresolved"), 0);
	harness_done(&result);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("the array of what was sent is full", test_sent_full),
	};

	return unit_run_rows("losses", test_loss, UNIT_ROWS(cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
