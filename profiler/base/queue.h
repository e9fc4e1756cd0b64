/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * queue.h - a bounded queue of pointers between two threads.
 *
 * The only way threads meet. The adder never waits: when the queue is full it
 * keeps the item and counts the loss. Any number of threads may add and take.
 */
#ifndef WICK_QUEUE_H
#define WICK_QUEUE_H

#include <stddef.h>
#include "profiler/base/cleanup.h"

struct queue;

struct queue *queue_new(size_t capacity);
/* Must be empty, or its items are leaked. */
struct queue *queue_free(struct queue *queue);
/* Returns 0, -EAGAIN when it is full, -EPIPE when it is closed; the item stays the caller's then. */
int queue_add(struct queue *queue, void *item);
/*
 * Wait for an item. Returns 0 with *@ret, -EPIPE when the queue is closed and
 * empty, -ETIMEDOUT after @timeout_ms (negative: never).
 */
int queue_take(struct queue *queue, int timeout_ms, void **ret);
/* No more adds; takers get what is left and then -EPIPE. */
void queue_close(struct queue *queue);
size_t queue_count(const struct queue *queue);

DEFINE_CLEANUP(struct queue *, queue_free)

#endif
