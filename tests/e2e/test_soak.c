/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_soak.c - storms: taken = reported + lost stays exact and memory stays flat.
 *
 * WICK_SOAK_SECONDS says how long each lasts (25).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "profiler/base/clock.h"
#include "tests/e2e/harness.h"
#include "tests/unit/unit.h"

/* What a run may grow by between its middle and its end: new stacks of a longer profile. */
#define GROWTH_MAX_BYTES (8u << 20)

struct storm {
	const char *name;
	const char *command[4];
	uint32_t frequency_hz;
};

static const struct storm storms[] = {
	{ "200 forks and execs a second at 499 Hz", { "@storm", "300", "200" }, 499 },
	{ "64 busy threads at 999 Hz", { "@threads", "300", "64" }, 999 },
};

struct watch {
	uint64_t middle_ns, middle_bytes, last_bytes, next_ns;
};

/* Anonymous memory of our own: what a leak would grow. */
static uint64_t own_bytes(void)
{
	FILE *f = fopen("/proc/self/smaps_rollup", "re");
	unsigned long long kib = 0;
	char line[256];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "Anonymous: %llu kB", &kib) == 1)
			break;
	if (f)
		fclose(f);
	return kib << 10;
}

static bool watch_memory(void *context, struct session *session)
{
	struct watch *w = context;
	uint64_t now_ns = clock_monotonic_ns();

	if (now_ns < w->next_ns)
		return true;
	w->next_ns = now_ns + 500000000ull;
	w->last_bytes = own_bytes();
	if (!w->middle_bytes && now_ns > w->middle_ns)
		w->middle_bytes = w->last_bytes;
	return true;
}

static void test_storm(void **state)
{
	const struct storm *s = *state;
	double seconds = atof(getenv("WICK_SOAK_SECONDS") ?: "15");
	struct watch watch = { .middle_ns = clock_monotonic_ns() + (uint64_t)(seconds * 5e8) };
	struct harness_run run = { .command = s->command, .seconds = seconds,
				   .session = { .frequency_hz = s->frequency_hz },
				   .during = watch_memory, .context = &watch };
	struct harness_result result;

	harness_need_bpf();
	harness_profile(&run, &result);
	harness_print(s->name, &result);
	print_message("# memory: %.1f MiB in the middle, %.1f MiB at the end\n",
		      watch.middle_bytes / 1048576.0, watch.last_bytes / 1048576.0);
	harness_check_invariant(&result.stats);
	assert_true(result.stats.taken > 100 * seconds);
	assert_int_equal(harness_count(result.stats.counters, "stack-unresolved"), 0);
	assert_int_equal(harness_count(result.stats.counters, "task-unresolved"), 0);
	assert_true(watch.last_bytes < watch.middle_bytes + GROWTH_MAX_BYTES);
	harness_done(&result);
}

int main(void)
{
	return unit_run_rows("storms", test_storm, UNIT_ROWS(storms));
}
