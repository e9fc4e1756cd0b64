/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * find_counter.c - hw:, sw: the counters of perf_event_open(2), a sample each so many events.
 */
#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>

#include "profiler/base/suggest.h"
#include "profiler/probes/find_counter.h"
#include "profiler/probes/probe_finding.h"

/* As perf list calls them. */
static const struct counter {
	uint32_t type;
	const char *name;
	uint64_t config, period;	/* events for a sample, unless it is said */
} counters[] = {
	{ PERF_TYPE_HARDWARE, "cycles", PERF_COUNT_HW_CPU_CYCLES, 1000000 },
	{ PERF_TYPE_HARDWARE, "instructions", PERF_COUNT_HW_INSTRUCTIONS, 1000000 },
	{ PERF_TYPE_HARDWARE, "cache-references", PERF_COUNT_HW_CACHE_REFERENCES, 10000 },
	{ PERF_TYPE_HARDWARE, "cache-misses", PERF_COUNT_HW_CACHE_MISSES, 10000 },
	{ PERF_TYPE_HARDWARE, "branches", PERF_COUNT_HW_BRANCH_INSTRUCTIONS, 100000 },
	{ PERF_TYPE_HARDWARE, "branch-misses", PERF_COUNT_HW_BRANCH_MISSES, 10000 },
	{ PERF_TYPE_HARDWARE, "bus-cycles", PERF_COUNT_HW_BUS_CYCLES, 100000 },
	{ PERF_TYPE_HARDWARE, "stalled-cycles-frontend", PERF_COUNT_HW_STALLED_CYCLES_FRONTEND,
	  100000 },
	{ PERF_TYPE_HARDWARE, "stalled-cycles-backend", PERF_COUNT_HW_STALLED_CYCLES_BACKEND,
	  100000 },
	{ PERF_TYPE_HARDWARE, "ref-cycles", PERF_COUNT_HW_REF_CPU_CYCLES, 1000000 },
	{ PERF_TYPE_SOFTWARE, "page-faults", PERF_COUNT_SW_PAGE_FAULTS, 1 },
	{ PERF_TYPE_SOFTWARE, "minor-faults", PERF_COUNT_SW_PAGE_FAULTS_MIN, 1 },
	{ PERF_TYPE_SOFTWARE, "major-faults", PERF_COUNT_SW_PAGE_FAULTS_MAJ, 1 },
	{ PERF_TYPE_SOFTWARE, "context-switches", PERF_COUNT_SW_CONTEXT_SWITCHES, 1 },
	{ PERF_TYPE_SOFTWARE, "cpu-migrations", PERF_COUNT_SW_CPU_MIGRATIONS, 1 },
	{ PERF_TYPE_SOFTWARE, "alignment-faults", PERF_COUNT_SW_ALIGNMENT_FAULTS, 1 },
	{ PERF_TYPE_SOFTWARE, "emulation-faults", PERF_COUNT_SW_EMULATION_FAULTS, 1 },
	{ PERF_TYPE_SOFTWARE, "cgroup-switches", PERF_COUNT_SW_CGROUP_SWITCHES, 1 },
};

const char *counter_name(const char *scheme, size_t index)
{
	uint32_t type = strcmp(scheme, "hw") ? PERF_TYPE_SOFTWARE : PERF_TYPE_HARDWARE;

	for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
		if (counters[i].type == type && !index--)
			return counters[i].name;
	return NULL;
}

static int find(struct probe_finding *f, uint32_t type, struct error *err)
{
	const struct probe_scope scope = { .arguments = SCOPE_WORDS, .what = f->words.name };
	struct suggestion suggestion = { .wanted = f->words.name };
	struct probe_point point = { .role = PROBE_ROLE_HIT, .type_id = type };
	const char *nearest;
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(counters); i++) {
		const struct counter *counter = &counters[i];

		if (counter->type != type)
			continue;
		suggestion_offer(&suggestion, counter->name);
		if (strcmp(counter->name, f->words.name))
			continue;
		point.config = counter->config;
		point.period = f->request->period ?: counter->period;
		point.name = counter->name;
		r = probe_add_place(f, counter->name, &scope, &point.site, err);
		return r ?: probe_add_point(f, &point);
	}
	nearest = suggestion_get(&suggestion);
	return error_set(err, ERROR_USAGE, -ENOENT, "no such counter: %s: %s%s%s", f->words.name,
			 nearest ? "did you mean " : "see: wick list", nearest ?: "",
			 nearest ? "?" : "");
}

static int find_hardware(struct probe_finding *f, struct error *err)
{
	return find(f, PERF_TYPE_HARDWARE, err);
}

static int find_software(struct probe_finding *f, struct error *err)
{
	return find(f, PERF_TYPE_SOFTWARE, err);
}

const struct probe_kind probe_hw = { .grammar = PROBE_GRAMMAR_NAME, .is_counter = true,
				       .find = find_hardware };
const struct probe_kind probe_sw = { .grammar = PROBE_GRAMMAR_NAME, .is_counter = true,
				       .find = find_software };
