/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_source_lock.c - waits for a mutex as long as the threads that wait say, by their own clocks,
 * for the lock they say, with the owner they say (tests/workloads/convoy.c); locks of the kernel by
 * kind; and every wait counted under contention (tests/workloads/contend.c).
 */
#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "profiler/base/strbuf.h"
#include "tests/e2e/harness.h"
#include "tests/unit/unit.h"

#define PERCENT_MAX 4.0
#define OWNER_PERCENT_MIN 95.0
/*
 * A thread of a busy machine may lose its CPU between the end of its wait and its look at the
 * clock, and the kernel may have nothing to contend for: what holds is seen soon, what does not
 * hold never is.
 */
#define TRIES 4
#define SECONDS_MAX 30
#define THREADS 4

/* ---- sums over samples ---- */

static const char *sample_text(const struct profile *p, const struct profile_sample *sample,
			       const char *key)
{
	const struct profile_label *label =
		profile_find_label(sample, profile_find_string(p, key));

	return label && label->text ? p->strings[label->text] : "";
}

static bool sample_has(const struct profile *p, const struct profile_sample *sample,
		       const char *function)
{
	profile_string name = profile_find_string(p, function);

	for (uint32_t i = 0; name && i < sample->location_count; i++) {
		const struct profile_location *location = &p->locations[sample->locations[i]];

		for (uint32_t j = 0; j < location->line_count; j++)
			if (p->functions[location->lines[j].function].name == name)
				return true;
	}
	return false;
}

static uint32_t value_index(const struct profile *p, const char *type)
{
	for (uint32_t i = 0; i < p->value_type_count; i++)
		if (!strcmp(p->strings[p->value_types[i].type], type))
			return i;
	fail_msg("no values: %s", type);
	return 0;
}

/* Samples with this kind of lock, and, unless NULL, this function. */
static uint64_t kind_sum(const struct profile *p, const char *kind, const char *function)
{
	uint32_t value = value_index(p, "contentions");
	uint64_t sum = 0;

	for (uint32_t i = 0; i < p->sample_count; i++)
		if (!strcmp(sample_text(p, &p->samples[i], "kind"), kind) &&
		    (!function || sample_has(p, &p->samples[i], function)))
			sum += p->samples[i].values[value];
	return sum;
}

/* ---- a convoy: how long, for what, and who had it ---- */

/* Nanoseconds, by waiter and owner. */
struct waits {
	char lock[32];
	uint64_t ns[THREADS][THREADS];
};

struct convoy {
	const char *event;
	const char *protocol;		/* "pi" or NULL */
	enum session_delivery delivery;
	char path[256];
	struct waits said, seen;
	uint64_t with_unlock;		/* ns in stacks with the function that unlocks */
};

static uint64_t waits_sum(const struct waits *w)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < THREADS; i++)
		for (size_t j = 0; j < THREADS; j++)
			sum += w->ns[i][j];
	return sum;
}

static bool report_read(struct convoy *c)
{
	_cleanup_fclose_ FILE *f = fopen(c->path, "re");
	unsigned int waiter, owner, count = 0;
	uint64_t ns;

	if (!f || fscanf(f, "lock %31s", c->said.lock) != 1)
		return false;
	while (fscanf(f, " waited %u %u %" SCNu64, &waiter, &owner, &ns) == 3) {
		assert_true(waiter < THREADS && owner < THREADS);
		c->said.ns[waiter][owner] = ns;
		count++;
	}
	return count == THREADS * THREADS;
}

static bool convoy_goes_on(void *context, struct session *session)
{
	return !report_read(context);
}

/* Threads are called "convoy-N". */
static bool thread_number(const char *name, unsigned int *ret)
{
	return sscanf(name, "convoy-%u", ret) == 1 && *ret < THREADS;
}

static void convoy_see(struct convoy *c, const struct profile *p)
{
	uint32_t value = value_index(p, "lock_wait");
	unsigned int waiter, owner;

	for (uint32_t i = 0; i < p->sample_count; i++) {
		const struct profile_sample *sample = &p->samples[i];
		uint64_t ns = sample->values[value];

		if (strcmp(sample_text(p, sample, "lock"), c->said.lock))
			continue;
		assert_string_equal(sample_text(p, sample, "kind"), "futex");
		if (!thread_number(sample_text(p, sample, "thread"), &waiter))
			fail_msg("the wait of another thread");
		/* Its owner may not be known: then it is nobody's. */
		if (!thread_number(sample_text(p, sample, "owner"), &owner))
			owner = waiter;
		c->seen.ns[waiter][owner] += ns;
		c->with_unlock += sample_has(p, sample, "convoy_unlock") ? ns : 0;
	}
}

static void convoy_profile(struct convoy *c, struct harness_result *ret)
{
	const struct session_event event = { c->event };
	const char *command[] = { "@convoy", "1", "4", c->path, c->protocol, NULL };
	struct harness_run run = {
		.command = command,
		.seconds = SECONDS_MAX,
		.session = { .events = &event, .event_count = 1, .delivery = c->delivery },
		.during = convoy_goes_on,
		.context = c,
	};

	snprintf(c->path, sizeof(c->path), "%s/convoy.%d", getenv("WICK_TMP") ?: "/tmp", getpid());
	unlink(c->path);
	harness_profile(&run, ret);
	assert_true(report_read(c));
	unlink(c->path);
	harness_print(c->event, ret);
	harness_check_invariant(&ret->stats);
	convoy_see(c, ret->profile);
}

/* What both say of the same pair of threads. */
static uint64_t waits_agree(const struct waits *a, const struct waits *b)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < THREADS; i++)
		for (size_t j = 0; j < THREADS; j++)
			sum += a->ns[i][j] < b->ns[i][j] ? a->ns[i][j] : b->ns[i][j];
	return sum;
}

static bool convoy_holds(const struct convoy *c, const struct session_stats *stats)
{
	uint64_t said = waits_sum(&c->said), seen = waits_sum(&c->seen);
	double off = 100.0 * ((double)seen - said) / said;
	double owners = harness_percent(waits_agree(&c->said, &c->seen), said);
	double unlocks = harness_percent(c->with_unlock, seen);
	double complete = harness_percent(stats->complete_user, stats->reported_user);

	print_message("# %s: waited %.1f ms, said %.1f ms: %+.2f %%; owners %.1f %%, who unlock "
		      "%.1f %%\n", c->event, seen / 1e6, said / 1e6, off, owners, unlocks);
	return off > -PERCENT_MAX && off < PERCENT_MAX && owners >= OWNER_PERCENT_MIN &&
	       unlocks >= OWNER_PERCENT_MIN && complete >= 99;
}

static const struct convoy_case {
	const char *name, *event, *protocol;
	enum session_delivery delivery;
} convoy_cases[] = {
	{ "a convoy waits as long as it says, and for whom", "lock", NULL, 0 },
	{ "so it does when only long waits are looked at", "lock,user,min=1ms", NULL, 0 },
	{ "so it does by single events", "lock", NULL, SESSION_EVENTS },
	{ "so it does where the kernel hands the mutex over", "lock", "pi", 0 },
};

static void convoy_row(void **state)
{
	const struct convoy_case *row = *state;
	bool holds = false;

	harness_need_bpf();
	for (int i = 0; i < TRIES && !holds; i++) {
		struct convoy c = { .event = row->event, .protocol = row->protocol,
				    .delivery = row->delivery };
		struct harness_result result;

		convoy_profile(&c, &result);
		holds = convoy_holds(&c, &result.stats);
		harness_done(&result);
	}
	assert_true(holds);
}

/* ---- locks of the kernel ---- */

struct contention {
	const char *how;
	double seconds;
	const char *events[2];		/* the second may be NULL */
	struct session_limits limits;
};

static void contend_profile(const struct contention *c, struct harness_result *ret)
{
	const struct session_event events[] = { { c->events[0] }, { c->events[1] } };
	const char *command[] = { "@contend", "20", "4", c->how, NULL };
	struct harness_run run = {
		.command = command,
		.seconds = c->seconds,
		.session = { .events = events, .event_count = c->events[1] ? 2 : 1,
			     .frequency_hz = 999, .limits = c->limits },
	};

	harness_need_bpf();
	harness_profile(&run, ret);
	harness_print(c->how, ret);
	harness_check_invariant(&ret->stats);
}

static void test_kernel(void **state)
{
	static const struct contention c = { "mmap", 1.5, { "lock,kernel" } };
	uint64_t writers = 0, slow = 0;

	for (int i = 0; i < TRIES && !slow; i++) {
		struct harness_result result;

		contend_profile(&c, &result);
		writers = kind_sum(result.profile, "rwsem:W", NULL);
		slow = kind_sum(result.profile, "rwsem:W", "rwsem_down_write_slowpath");
		print_message("# %" PRIu64 " writers waited, %" PRIu64 " there; %" PRIu64
			      " readers, %" PRIu64 " spun\n", writers, slow,
			      kind_sum(result.profile, "rwsem:R", NULL),
			      kind_sum(result.profile, "spinlock", NULL));
		assert_int_equal(kind_sum(result.profile, "futex", NULL), 0);
		assert_int_equal(harness_count(result.stats.losses, "waits-full"), 0);
		harness_done(&result);
	}
	assert_true(slow > 0);
	/* A stack may be lost to a full ring. */
	assert_true(harness_percent(slow, writers) > 90);
}

/* ---- every one of them ---- */

static void test_storm(void **state)
{
	static const struct contention c = { "both", 3, { "cpu", "lock" } };
	struct harness_result result;

	contend_profile(&c, &result);
	assert_true(kind_sum(result.profile, "futex", "contend_futex") > 0);
	harness_done(&result);
}

/* Each thread needs a place for its wait. */
static void test_no_room(void **state)
{
	static const struct contention c = { "futex", 1, { "lock,user" }, { .waits = 1 } };
	struct harness_result result;

	contend_profile(&c, &result);
	assert_true(harness_count(result.stats.losses, "waits-full") > 0);
	harness_done(&result);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("locks of the kernel have kinds, and functions that wait", test_kernel),
		UNIT_TEST("none is missed beside cpu, under contention", test_storm),
		UNIT_TEST("waits without a place are counted as lost", test_no_room),
	};

	return unit_run_rows("convoy", convoy_row, UNIT_ROWS(convoy_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
