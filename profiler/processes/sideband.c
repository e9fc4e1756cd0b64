/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/processes/sideband.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>

#include "profiler/base/alloc.h"
#include "profiler/base/clock.h"
#include "profiler/cpu_set.h"
#include "profiler/privileges.h"
#include "profiler/processes/sideband_parse.h"

/* Waking for each record costs more than the record; whoever asks for a process looks here first. */
#define WAKEUP_BYTES 32768
/* perf_event_header.size has 16 bits. */
#define RECORD_BYTES_MAX 65536

struct ring {
	unsigned int cpu;
	int fd;
	struct perf_event_mmap_page *page;
	bool offline;		/* to be closed once it is read */
};

struct sideband {
	struct ring *rings;
	size_t ring_count, ring_capacity;
	size_t ring_bytes, page_bytes;
	int online_fd;		/* sysfs: cpu/online */
	int epoll_fd;		/* -1: not polled */
	uint64_t epoll_data;
	bool has_build_ids, with_data;
	uint64_t lost, count;
	/* A record that wraps around the end of its ring is put together here. */
	uint8_t record[RECORD_BYTES_MAX] __attribute__((aligned(8)));
};

static void ring_close(struct sideband *sb, struct ring *ring)
{
	if (ring->page)
		munmap(ring->page, sb->page_bytes + sb->ring_bytes);
	if (ring->fd >= 0)
		close(ring->fd);
}

struct sideband *sideband_close(struct sideband *sb)
{
	if (!sb)
		return NULL;
	for (size_t i = 0; i < sb->ring_count; i++)
		ring_close(sb, &sb->rings[i]);
	if (sb->online_fd >= 0)
		close(sb->online_fd);
	free(sb->rings);
	free(sb);
	return NULL;
}

static int event_open(const struct sideband *sb, unsigned int cpu)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_DUMMY,
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME,
		.sample_id_all = 1,
		.mmap = 1,
		.mmap2 = 1,
		.mmap_data = sb->with_data,
		.comm = 1,
		.comm_exec = 1,
		.task = 1,
		.build_id = sb->has_build_ids,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
		.watermark = 1,
		.wakeup_watermark = WAKEUP_BYTES,
	};
	long fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : (int)fd;
}

/* Open the event of @cpu and its ring. */
static int ring_open(struct sideband *sb, unsigned int cpu, struct ring *ret)
{
	struct ring ring = { .cpu = cpu };
	void *page;
	int r;

	ring.fd = event_open(sb, cpu);
	if (ring.fd == -EINVAL && sb->has_build_ids) {
		/* Before 5.12 (88a16a130933). */
		sb->has_build_ids = false;
		ring.fd = event_open(sb, cpu);
	}
	if (ring.fd < 0)
		return ring.fd;
	page = mmap(NULL, sb->page_bytes + sb->ring_bytes, PROT_READ | PROT_WRITE, MAP_SHARED,
		    ring.fd, 0);
	if (page == MAP_FAILED) {
		r = -errno;
		close(ring.fd);
		return r;
	}
	ring.page = page;
	*ret = ring;
	return 0;
}

static int ring_poll(const struct sideband *sb, const struct ring *ring)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = sb->epoll_data };

	if (sb->epoll_fd < 0)
		return 0;
	if (epoll_ctl(sb->epoll_fd, EPOLL_CTL_ADD, ring->fd, &event) < 0 && errno != EEXIST)
		return -errno;
	return 0;
}

static int ring_add(struct sideband *sb, unsigned int cpu)
{
	struct ring *ring;
	int r = alloc_grow(&sb->rings, &sb->ring_capacity, sb->ring_count + 1);

	if (r < 0)
		return r;
	ring = &sb->rings[sb->ring_count];
	r = ring_open(sb, cpu, ring);
	/* It went offline meanwhile. */
	if (r == -ENODEV || r == -ENXIO)
		return 0;
	if (r < 0)
		return r;
	sb->ring_count++;
	return ring_poll(sb, ring);
}

static struct ring *ring_find(struct sideband *sb, unsigned int cpu)
{
	for (size_t i = 0; i < sb->ring_count; i++)
		if (sb->rings[i].cpu == cpu && !sb->rings[i].offline)
			return &sb->rings[i];
	return NULL;
}

int sideband_update_cpus(struct sideband *sb)
{
	struct cpu_set online;
	int r = cpu_set_read(sb->online_fd, &online);

	if (r < 0)
		return r;
	for (size_t i = 0; i < sb->ring_count; i++)
		if (!cpu_set_has(&online, sb->rings[i].cpu))
			sb->rings[i].offline = true;
	for (unsigned int cpu = 0; cpu < cpu_set_end(&online) && !r; cpu++)
		if (cpu_set_has(&online, cpu) && !ring_find(sb, cpu))
			r = ring_add(sb, cpu);
	return r;
}

static int open_failed(struct error *err, int code)
{
	if (privileges_lack(code))
		return privileges_refuse(err, code, "cannot open perf events of all processes");
	return error_set(err, ERROR_FAILED, code, "cannot open perf events of all processes: %s",
			 strerror(-code));
}

int sideband_open(size_t ring_bytes, bool with_data, struct sideband **ret, struct error *err)
{
	_cleanup_(sideband_closep) struct sideband *sb = calloc(1, sizeof(*sb));
	int r;

	if (!sb)
		return open_failed(err, -ENOMEM);
	sb->ring_bytes = ring_bytes;
	sb->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
	sb->has_build_ids = true;
	sb->with_data = with_data;
	sb->epoll_fd = -1;
	sb->online_fd = open("/sys/devices/system/cpu/online", O_RDONLY | O_CLOEXEC);
	if (sb->online_fd < 0)
		return open_failed(err, -errno);
	r = sideband_update_cpus(sb);
	if (r < 0)
		return open_failed(err, r);
	*ret = take_ptr(sb);
	return 0;
}

int sideband_poll(struct sideband *sb, int epoll_fd, uint64_t data)
{
	int r = 0;

	sb->epoll_fd = epoll_fd;
	sb->epoll_data = data;
	for (size_t i = 0; i < sb->ring_count && !r; i++)
		r = ring_poll(sb, &sb->rings[i]);
	return r;
}

/* The record at @tail of the ring, in one piece; NULL when it is none. */
static const struct perf_event_header *ring_record(struct sideband *sb, const struct ring *ring,
						   uint64_t tail, uint64_t head)
{
	const uint8_t *data = (const uint8_t *)ring->page + sb->page_bytes;
	size_t offset = tail & (sb->ring_bytes - 1);
	const struct perf_event_header *header = (const void *)(data + offset);
	size_t first = sb->ring_bytes - offset, size = header->size;

	/* The kernel wrote it; but a wrong size would make us read for ever, or too far. */
	if (size < sizeof(*header) || size % 8 || size > head - tail)
		return NULL;
	if (size <= first)
		return header;
	memcpy(sb->record, header, first);
	memcpy(sb->record + first, data, size - first);
	return (const void *)sb->record;
}

/* Put what @record says into @batch. Returns 1 when it is to be left for the next batch. */
static int record_apply(struct sideband *sb, const struct perf_event_header *record,
			uint64_t limit_ns, struct notice_batch *batch)
{
	struct sideband_record parsed;

	if (sideband_parse(record, record->size, &parsed) < 0) {
		sb->lost++;
		batch->notices_lost = true;
		return 0;
	}
	if (parsed.notice.time_ns > limit_ns)
		return 1;
	sb->count++;
	if (parsed.kind == SIDEBAND_NOTICE)
		return notice_batch_add(batch, &parsed.notice);
	if (parsed.kind == SIDEBAND_LOST) {
		sb->lost += parsed.lost;
		batch->notices_lost = true;
	}
	return 0;
}

static int ring_read(struct sideband *sb, struct ring *ring, uint64_t limit_ns,
		     struct notice_batch *batch)
{
	uint64_t head = __atomic_load_n(&ring->page->data_head, __ATOMIC_ACQUIRE);
	uint64_t tail = ring->page->data_tail;
	int r = 0;

	while (tail < head) {
		const struct perf_event_header *record = ring_record(sb, ring, tail, head);

		if (!record) {
			sb->lost++;
			batch->notices_lost = true;
			tail = head;
			break;
		}
		r = record_apply(sb, record, limit_ns, batch);
		if (r)
			break;
		tail += record->size;
	}
	__atomic_store_n(&ring->page->data_tail, tail, __ATOMIC_RELEASE);
	return r < 0 ? r : 0;
}

int sideband_read(struct sideband *sb, struct notice_batch *batch)
{
	/*
	 * While one ring is read the others fill: without a limit a batch could
	 * hold the exec of a process but not its fork on another CPU.
	 */
	uint64_t limit_ns = clock_monotonic_ns();
	size_t kept = 0;
	int r = 0;

	for (size_t i = 0; i < sb->ring_count; i++) {
		struct ring *ring = &sb->rings[i];

		if (!r)
			r = ring_read(sb, ring, ring->offline ? UINT64_MAX : limit_ns, batch);
		if (!r && ring->offline)
			ring_close(sb, ring);
		else
			sb->rings[kept++] = *ring;
	}
	sb->ring_count = kept;
	notice_batch_sort(batch);
	return r;
}

bool sideband_has_build_ids(const struct sideband *sb)
{
	return sb->has_build_ids;
}

uint64_t sideband_lost(const struct sideband *sb)
{
	return sb->lost;
}

uint64_t sideband_count(const struct sideband *sb)
{
	return sb->count;
}

size_t sideband_bytes(const struct sideband *sb)
{
	return sizeof(*sb) + sb->ring_capacity * sizeof(*sb->rings) +
	       sb->ring_count * (sb->page_bytes + sb->ring_bytes);
}
