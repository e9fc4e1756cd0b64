/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/e2e/outside_ticks.h"

#include <linux/perf_event.h>
#include <stddef.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "profiler/bpf_maps.h"
#include "profiler/session_private.h"
#include "tests/unit/unit.h"

#define DATA_BYTES (1u << 20)	/* written over and over: the last records */
#define RING_BYTES (4096 + DATA_BYTES)

struct tick_record {
	struct perf_event_header header;
	uint64_t time_ns;
	uint32_t cpu, reserved;
};

static void event_open(struct outside_event *e, unsigned int cpu, unsigned int frequency_hz)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.freq = 1,
		.sample_freq = frequency_hz,
		.sample_type = PERF_SAMPLE_TIME | PERF_SAMPLE_CPU,
		.exclude_idle = 1,
		.disabled = 1,
	};

	e->fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	assert_true(e->fd >= 0);
	e->page = mmap(NULL, RING_BYTES, PROT_READ, MAP_SHARED, e->fd, 0);
	assert_true(e->page != MAP_FAILED);
}

void outside_open(struct outside_ticks *o, unsigned int frequency_hz)
{
	o->period_ns = 1000000000 / frequency_hz;
	o->cpus = sysconf(_SC_NPROCESSORS_ONLN);
	if (o->cpus > OUTSIDE_CPUS_MAX)
		o->cpus = OUTSIDE_CPUS_MAX;
	for (unsigned int cpu = 0; cpu < o->cpus; cpu++)
		event_open(&o->events[cpu], cpu, frequency_hz);
}

static uint64_t runs(struct session *session, unsigned int cpu)
{
	return bpf_maps_counters(session->maps, 0, cpu)->value[WICK_COUNTER_ENTERED];
}

static void switch_all(struct outside_ticks *o, struct session *session, unsigned long request,
		       uint64_t ret_runs[2][OUTSIDE_CPUS_MAX])
{
	for (unsigned int cpu = 0; cpu < o->cpus; cpu++) {
		ret_runs[0][cpu] = runs(session, cpu);
		ioctl(o->events[cpu].fd, request, 0);
		ret_runs[1][cpu] = runs(session, cpu);
	}
}

void outside_begin(struct outside_ticks *o, struct session *session)
{
	switch_all(o, session, PERF_EVENT_IOC_ENABLE, o->on);
}

void outside_end(struct outside_ticks *o, struct session *session)
{
	switch_all(o, session, PERF_EVENT_IOC_DISABLE, o->off);
}

void outside_close(struct outside_ticks *o)
{
	for (unsigned int cpu = 0; cpu < o->cpus; cpu++) {
		munmap(o->events[cpu].page, RING_BYTES);
		close(o->events[cpu].fd);
	}
}

/* Every record has the same size, so the bytes written tell how many there were. */
uint64_t outside_count(const struct outside_ticks *o, unsigned int cpu)
{
	return o->events[cpu].page->data_head / sizeof(struct tick_record);
}

static uint64_t tick_time_ns(const struct outside_ticks *o, unsigned int cpu, uint64_t number)
{
	const uint8_t *data = (const uint8_t *)o->events[cpu].page + 4096;
	const uint8_t *record = data + number * sizeof(struct tick_record) % DATA_BYTES;
	uint64_t time_ns;

	memcpy(&time_ns, record + offsetof(struct tick_record, time_ns), sizeof(time_ns));
	return time_ns;
}

uint64_t outside_stalls(const struct outside_ticks *o, unsigned int cpu)
{
	uint64_t count = outside_count(o, cpu), stalls = 0;

	/* None has been written over. */
	assert_true(count * sizeof(struct tick_record) <= DATA_BYTES);
	for (uint64_t i = 1; i < count; i++)
		stalls += tick_time_ns(o, cpu, i) - tick_time_ns(o, cpu, i - 1) >
			  o->period_ns + o->period_ns / 2;
	return stalls;
}

uint64_t outside_runs_least(const struct outside_ticks *o, unsigned int cpu)
{
	return o->off[0][cpu] - o->on[1][cpu];
}

uint64_t outside_runs_most(const struct outside_ticks *o, unsigned int cpu)
{
	return o->off[1][cpu] - o->on[0][cpu];
}
