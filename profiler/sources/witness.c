/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/sources/witness.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "profiler/bpf_maps.h"

/* The two clocks start and stop microseconds apart. */
#define TICKS_APART 3

struct witness_event {
	int fd;				/* -1: none */
	struct perf_event_mmap_page *page;
	uint64_t ticks;			/* of events before it, on this CPU */
};

struct witness {
	struct bpf_maps *maps;
	uint32_t source;
	pthread_mutex_t lock;		/* CPUs come and go while figures are asked for */
	unsigned int cpus;
	struct witness_event events[];
};

/* Of one page that is written over and over: only how much was written counts. */
static size_t ring_bytes(void)
{
	return 2 * sysconf(_SC_PAGESIZE);
}

int witness_new(struct bpf_maps *maps, struct witness **ret)
{
	unsigned int cpus = bpf_maps_cpus(maps);
	struct witness *w = calloc(1, sizeof(*w) + cpus * sizeof(w->events[0]));

	if (!w)
		return -ENOMEM;
	w->maps = maps;
	w->cpus = cpus;
	pthread_mutex_init(&w->lock, NULL);
	for (unsigned int cpu = 0; cpu < cpus; cpu++)
		w->events[cpu].fd = -1;
	*ret = w;
	return 0;
}

/* Every record has the same size. */
static uint64_t event_ticks(const struct witness_event *e)
{
	const size_t record_bytes = sizeof(struct perf_event_header) + sizeof(uint64_t);

	if (e->fd < 0)
		return e->ticks;
	return e->ticks + __atomic_load_n(&e->page->data_head, __ATOMIC_ACQUIRE) / record_bytes;
}

static void event_close(struct witness_event *e)
{
	if (e->fd < 0)
		return;
	e->ticks = event_ticks(e);
	munmap(e->page, ring_bytes());
	close(e->fd);
	e->fd = -1;
}

static int event_open(struct witness_event *e, unsigned int cpu, int leader,
		      const struct perf_event_attr *like)
{
	struct perf_event_attr attr = *like;
	_cleanup_close_ int fd = -1;
	void *page;

	attr.sample_type = PERF_SAMPLE_CPU;
	attr.disabled = 0;	/* it runs when its leader does */
	fd = syscall(SYS_perf_event_open, &attr, -1, cpu, leader, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return -errno;
	/* Not to be written by us: then the kernel needs nobody to read it. */
	page = mmap(NULL, ring_bytes(), PROT_READ, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		return -errno;
	e->page = page;
	e->fd = take_fd(fd);
	return 0;
}

int witness_follow(struct witness *w, uint32_t source, unsigned int cpu, int event,
		   const struct perf_event_attr *attr)
{
	int r;

	if (cpu >= w->cpus)
		return -ERANGE;
	pthread_mutex_lock(&w->lock);
	w->source = source;
	event_close(&w->events[cpu]);
	r = event_open(&w->events[cpu], cpu, event, attr);
	pthread_mutex_unlock(&w->lock);
	return r;
}

void witness_stop(struct witness *w)
{
	pthread_mutex_lock(&w->lock);
	for (unsigned int cpu = 0; cpu < w->cpus; cpu++) {
		if (w->events[cpu].fd >= 0)
			ioctl(w->events[cpu].fd, PERF_EVENT_IOC_DISABLE, PERF_IOC_FLAG_GROUP);
		event_close(&w->events[cpu]);
	}
	pthread_mutex_unlock(&w->lock);
}

uint64_t witness_skipped(struct witness *w)
{
	uint64_t sum = 0;

	pthread_mutex_lock(&w->lock);
	for (unsigned int cpu = 0; cpu < w->cpus; cpu++) {
		const struct wick_counters *c = bpf_maps_counters(w->maps, w->source, cpu);
		uint64_t ticks = event_ticks(&w->events[cpu]);
		uint64_t runs = __atomic_load_n(&c->value[WICK_COUNTER_ENTERED], __ATOMIC_RELAXED);

		if (ticks > runs + TICKS_APART)
			sum += ticks - runs;
	}
	pthread_mutex_unlock(&w->lock);
	return sum;
}

struct witness *witness_free(struct witness *w)
{
	if (!w)
		return NULL;
	for (unsigned int cpu = 0; cpu < w->cpus; cpu++)
		event_close(&w->events[cpu]);
	pthread_mutex_destroy(&w->lock);
	free(w);
	return NULL;
}
