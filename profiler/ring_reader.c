/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/ring_reader.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define BUSY_WAIT_NS 50000
#define BUSY_WAITS_MAX 2000

struct ring_reader {
	uint64_t *consumer;		/* our page, writable */
	const uint64_t *producer;	/* the kernel's page; data follows, mapped twice in a row */
	const uint8_t *data;
	uint64_t size;
	size_t page_bytes;
};

int ring_reader_open(int map_fd, uint32_t ring_bytes, struct ring_reader **ret)
{
	_cleanup_(ring_reader_closep) struct ring_reader *r = calloc(1, sizeof(*r));
	void *memory;

	if (!r)
		return -ENOMEM;
	r->size = ring_bytes;
	r->page_bytes = sysconf(_SC_PAGESIZE);
	memory = mmap(NULL, r->page_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	r->consumer = memory;
	memory = mmap(NULL, r->page_bytes + 2 * r->size, PROT_READ, MAP_SHARED, map_fd,
		      r->page_bytes);
	if (memory == MAP_FAILED)
		return -errno;
	r->producer = memory;
	r->data = (const uint8_t *)memory + r->page_bytes;
	*ret = take_ptr(r);
	return 0;
}

struct ring_reader *ring_reader_close(struct ring_reader *r)
{
	if (!r)
		return NULL;
	if (r->consumer)
		munmap(r->consumer, r->page_bytes);
	if (r->producer)
		munmap((void *)r->producer, r->page_bytes + 2 * r->size);
	free(r);
	return NULL;
}

uint64_t ring_reader_position(const struct ring_reader *r)
{
	return __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
}

/* The record's length word once it is written, or -ETIMEDOUT. */
static int64_t record_wait(const uint32_t *header)
{
	const struct timespec pause = { .tv_nsec = BUSY_WAIT_NS };

	for (int i = 0; i < BUSY_WAITS_MAX; i++) {
		uint32_t length = __atomic_load_n(header, __ATOMIC_ACQUIRE);

		if (!(length & BPF_RINGBUF_BUSY_BIT))
			return length;
		nanosleep(&pause, NULL);
	}
	return -ETIMEDOUT;
}

int ring_reader_read(struct ring_reader *r, uint64_t position,
		     int (*each)(void *context, const void *record, size_t size), void *context)
{
	uint64_t at = *r->consumer;

	while (at < position) {
		const uint8_t *header = r->data + (at & (r->size - 1));
		int64_t word = record_wait((const uint32_t *)header);
		uint32_t length;
		int result = 0;

		if (word < 0)
			return word;
		length = word & ~(BPF_RINGBUF_BUSY_BIT | BPF_RINGBUF_DISCARD_BIT);
		if (!(word & BPF_RINGBUF_DISCARD_BIT))
			result = each(context, header + BPF_RINGBUF_HDR_SZ, length);
		at += (length + BPF_RINGBUF_HDR_SZ + 7) & ~7ull;
		__atomic_store_n(r->consumer, at, __ATOMIC_RELEASE);
		if (result < 0)
			return result;
	}
	return 0;
}
