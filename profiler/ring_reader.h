/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ring_reader.h - reads a BPF ring buffer up to a position.
 *
 * libbpf's reader goes on until the ring is empty, which under a storm is never; a drain
 * must stop at the position it took. Layout: Documentation/bpf/ringbuf.rst. One thread.
 */
#ifndef WICK_RING_READER_H
#define WICK_RING_READER_H

#include <stddef.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"

struct ring_reader;

int ring_reader_open(int map_fd, uint32_t ring_bytes, struct ring_reader **ret);
struct ring_reader *ring_reader_close(struct ring_reader *reader);
DEFINE_CLEANUP(struct ring_reader *, ring_reader_close)

/* How far programs have written. */
uint64_t ring_reader_position(const struct ring_reader *reader);
/*
 * Call @each for every record before @position. A record still being written is waited
 * for, up to 100 ms. Stops at the first negative return of @each and returns it, with that record
 * read. Returns 0, or -ETIMEDOUT.
 */
int ring_reader_read(struct ring_reader *reader, uint64_t position,
		     int (*each)(void *context, const void *record, size_t size), void *context);

#endif
