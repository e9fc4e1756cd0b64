/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/base/queue.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t not_empty;	/* or closed */
	size_t capacity;
	size_t first;
	size_t count;			/* written under the lock, read without by queue_count() */
	bool closed;
	void *items[];
};

struct queue *queue_new(size_t capacity)
{
	pthread_condattr_t attributes;
	struct queue *queue;

	assert(capacity > 0);
	if (capacity > (SIZE_MAX - sizeof(*queue)) / sizeof(queue->items[0]))
		return NULL;
	queue = calloc(1, sizeof(*queue) + capacity * sizeof(queue->items[0]));
	if (!queue)
		return NULL;
	queue->capacity = capacity;
	pthread_mutex_init(&queue->lock, NULL);
	/* A timeout must not depend on someone setting the wall clock. */
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&queue->not_empty, &attributes);
	pthread_condattr_destroy(&attributes);
	return queue;
}

struct queue *queue_free(struct queue *queue)
{
	if (!queue)
		return NULL;
	pthread_cond_destroy(&queue->not_empty);
	pthread_mutex_destroy(&queue->lock);
	free(queue);
	return NULL;
}

static void queue_set_count(struct queue *queue, size_t count)
{
	__atomic_store_n(&queue->count, count, __ATOMIC_RELAXED);
}

int queue_add(struct queue *queue, void *item)
{
	int r = 0;

	pthread_mutex_lock(&queue->lock);
	if (queue->closed) {
		r = -EPIPE;
	} else if (queue->count == queue->capacity) {
		r = -EAGAIN;
	} else {
		queue->items[(queue->first + queue->count) % queue->capacity] = item;
		queue_set_count(queue, queue->count + 1);
		pthread_cond_signal(&queue->not_empty);
	}
	pthread_mutex_unlock(&queue->lock);
	return r;
}

static struct timespec deadline_after(int timeout_ms)
{
	struct timespec deadline;

	clock_gettime(CLOCK_MONOTONIC, &deadline);
	deadline.tv_sec += timeout_ms / 1000;
	deadline.tv_nsec += (long)(timeout_ms % 1000) * 1000000;
	if (deadline.tv_nsec >= 1000000000) {
		deadline.tv_nsec -= 1000000000;
		deadline.tv_sec++;
	}
	return deadline;
}

/* With the lock held: 0 once there is an item or the queue is closed, or -ETIMEDOUT. */
static int queue_wait(struct queue *queue, int timeout_ms)
{
	struct timespec deadline;
	int r = 0;

	if (timeout_ms >= 0)
		deadline = deadline_after(timeout_ms);
	while (!queue->count && !queue->closed && !r) {
		if (timeout_ms < 0)
			r = pthread_cond_wait(&queue->not_empty, &queue->lock);
		else
			r = pthread_cond_timedwait(&queue->not_empty, &queue->lock, &deadline);
	}
	return queue->count || queue->closed ? 0 : -r;
}

int queue_take(struct queue *queue, int timeout_ms, void **ret)
{
	int r;

	pthread_mutex_lock(&queue->lock);
	r = queue_wait(queue, timeout_ms);
	if (!r && !queue->count)
		r = -EPIPE;
	if (!r) {
		*ret = queue->items[queue->first];
		queue->first = (queue->first + 1) % queue->capacity;
		queue_set_count(queue, queue->count - 1);
	}
	pthread_mutex_unlock(&queue->lock);
	return r;
}

void queue_close(struct queue *queue)
{
	pthread_mutex_lock(&queue->lock);
	queue->closed = true;
	pthread_cond_broadcast(&queue->not_empty);
	pthread_mutex_unlock(&queue->lock);
}

size_t queue_count(const struct queue *queue)
{
	return __atomic_load_n(&queue->count, __ATOMIC_RELAXED);
}
