/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_taken.c - "taken" checked from outside: a second perf event of the same kind that only fills
 * its own ring sees as many ticks on each CPU. All are kept busy: both events leave idle time out,
 * and where a CPU is awake for moments only, it is chance which of two clocks meets them.
 */
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "profiler/bpf_maps.h"
#include "profiler/session_private.h"
#include "tests/e2e/harness.h"
#include "tests/unit/unit.h"

#define RING_PAGES 256
#define CPUS_MAX 64
#define TICKS_APART 3

struct witness {
	int fd;
	struct perf_event_mmap_page *page;
};

struct outside {
	unsigned int frequency_hz, cpus, round;
	struct witness witness[CPUS_MAX];
	/* What the program had counted just before and just after the other event was switched. */
	uint64_t on[2][CPUS_MAX], off[2][CPUS_MAX];
};

static void witness_open(struct witness *w, unsigned int cpu, unsigned int frequency_hz)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.freq = 1,
		.sample_freq = frequency_hz,
		.sample_type = PERF_SAMPLE_CPU,
		.exclude_idle = 1,
		.disabled = 1,
	};

	w->fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	assert_true(w->fd >= 0);
	w->page = mmap(NULL, (RING_PAGES + 1) * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, w->fd, 0);
	assert_true(w->page != MAP_FAILED);
}

/* Every record has the same size, so the bytes written tell how many there were. */
static uint64_t witness_count(const struct witness *w)
{
	const size_t record_bytes = sizeof(struct perf_event_header) + 8;

	assert_true(w->page->data_head < RING_PAGES * 4096);
	return w->page->data_head / record_bytes;
}

static uint64_t entered(struct session *session, unsigned int cpu)
{
	return bpf_maps_counters(session->maps, 0, cpu)->value[WICK_COUNTER_ENTERED];
}

static bool count_outside(void *context, struct session *session)
{
	struct outside *o = context;

	o->round++;
	for (unsigned int cpu = 0; cpu < o->cpus; cpu++) {
		if (o->round == 10) {
			o->on[0][cpu] = entered(session, cpu);
			ioctl(o->witness[cpu].fd, PERF_EVENT_IOC_ENABLE, 0);
			o->on[1][cpu] = entered(session, cpu);
		}
		if (o->round == 200) {
			o->off[0][cpu] = entered(session, cpu);
			ioctl(o->witness[cpu].fd, PERF_EVENT_IOC_DISABLE, 0);
			o->off[1][cpu] = entered(session, cpu);
		}
	}
	return o->round < 200;
}

static void test_outside(void **state)
{
	/* More threads than CPUs: on an idle one the few ticks are those that meet our own wake-ups. */
	static const char *const command[] = { "@threads", "30", "8", NULL };
	struct outside o = { .frequency_hz = 999, .cpus = sysconf(_SC_NPROCESSORS_ONLN) };
	struct harness_run run = { .command = command, .seconds = 20, .whole_machine = true,
				   .session = { .frequency_hz = 999 }, .during = count_outside,
				   .context = &o };
	struct harness_result result;

	harness_need_bpf();
	o.cpus = o.cpus < CPUS_MAX ? o.cpus : CPUS_MAX;
	for (unsigned int cpu = 0; cpu < o.cpus; cpu++)
		witness_open(&o.witness[cpu], cpu, o.frequency_hz);
	harness_profile(&run, &result);
	for (unsigned int cpu = 0; cpu < o.cpus; cpu++) {
		long least = o.off[0][cpu] - o.on[1][cpu], most = o.off[1][cpu] - o.on[0][cpu],
		     outside = witness_count(&o.witness[cpu]);

		print_message("# cpu %u: program %ld to %ld, second event %ld\n", cpu, least, most,
			      outside);
		assert_true(outside >= least - TICKS_APART && outside <= most + TICKS_APART);
		assert_true(most - least < least / 10);
		close(o.witness[cpu].fd);
	}
	harness_check_invariant(&result.stats);
	harness_done(&result);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("a second event sees as many ticks on each CPU", test_outside),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
