/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/processes/notice.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "profiler/window.h"

/* Most batches hold a few notices; copies of stacks get chunks of their own. */
#define BATCH_CHUNK_BYTES 8192

struct notice_batch *notice_batch_new(void)
{
	_cleanup_(notice_batch_freep) struct notice_batch *batch = calloc(1, sizeof(*batch));

	if (!batch)
		return NULL;
	batch->arena = arena_new(BATCH_CHUNK_BYTES);
	if (!batch->arena)
		return NULL;
	return take_ptr(batch);
}

struct notice_batch *notice_batch_free(struct notice_batch *batch)
{
	if (!batch)
		return NULL;
	arena_free(batch->arena);
	free(batch->notices);
	free(batch->requests);
	free(batch->files);
	free(batch->copies);
	window_free(batch->window);
	free(batch);
	return NULL;
}

int notice_batch_add(struct notice_batch *batch, const struct notice *notice)
{
	struct notice *added;
	char *path;
	int r;

	r = alloc_grow(&batch->notices, &batch->notice_capacity, batch->notice_count + 1);
	if (r < 0)
		return r;
	path = arena_strdup(batch->arena, notice->path ? notice->path : "");
	if (!path)
		return -ENOMEM;
	added = &batch->notices[batch->notice_count];
	*added = *notice;
	added->path = path;
	added->sequence = batch->notice_count++;
	return 0;
}

int notice_batch_add_request(struct notice_batch *batch, const struct wick_request_record *request)
{
	int r = alloc_grow(&batch->requests, &batch->request_capacity, batch->request_count + 1);

	if (r < 0)
		return r;
	batch->requests[batch->request_count++] = *request;
	return 0;
}

int notice_batch_add_file(struct notice_batch *batch, const struct wick_file_record *file)
{
	int r = alloc_grow(&batch->files, &batch->file_capacity, batch->file_count + 1);

	if (r < 0)
		return r;
	batch->files[batch->file_count++] = *file;
	return 0;
}

static struct wick_copy_record *keep_record(struct notice_batch *batch,
					    const struct wick_copy_record *record)
{
	return arena_copy(batch->arena, record,
			  offsetof(struct wick_copy_record, data) + record->bytes);
}

/*
 * @record is not the first part: add it to its copy, which came a moment ago. Without it, as
 * without the first one, the rest is still good.
 */
static void add_part(struct notice_batch *batch, const struct wick_copy_record *record)
{
	for (size_t i = batch->copy_count; i > 0; i--) {
		struct stack_copy *copy = &batch->copies[i - 1];

		if (copy->parts[0]->time_ns != record->time_ns ||
		    copy->parts[0]->key.task != record->key.task)
			continue;
		if (copy->part_count == WICK_COPY_PARTS)
			return;
		copy->parts[copy->part_count] = keep_record(batch, record);
		if (copy->parts[copy->part_count])
			copy->part_count++;
		return;
	}
}

int notice_batch_add_copy(struct notice_batch *batch, const struct wick_copy_record *record)
{
	struct stack_copy copy = { .part_count = 1 };
	int r;

	if (record->bytes > sizeof(record->data))
		return -EINVAL;
	if (record->part) {
		add_part(batch, record);
		return 0;
	}
	r = alloc_grow(&batch->copies, &batch->copy_capacity, batch->copy_count + 1);
	if (r < 0)
		return r;
	copy.parts[0] = keep_record(batch, record);
	if (!copy.parts[0])
		return -ENOMEM;
	batch->copies[batch->copy_count++] = copy;
	return 0;
}

/* As a copy without data, whose count is 0: the sample comes by itself. */
int notice_batch_add_sleeper(struct notice_batch *batch, const struct wick_sleeper_record *record)
{
	struct wick_copy_record *first;
	struct stack_copy *copy;
	int r = alloc_grow(&batch->copies, &batch->copy_capacity, batch->copy_count + 1);

	if (r < 0)
		return r;
	first = arena_alloc(batch->arena, offsetof(struct wick_copy_record, data));
	if (!first)
		return -ENOMEM;
	memset(first, 0, offsetof(struct wick_copy_record, data));
	first->head = record->head;
	first->key.task = record->task;
	first->key.user_stack = record->user_stack;
	first->time_ns = record->time_ns;
	first->pid = record->pid;
	first->exec_id = record->exec_id;
	first->start_ns = record->start_ns;
	first->ip = record->ip;
	first->sp = record->sp;
	first->fp = record->fp;
	memcpy(first->regs, record->regs, sizeof(first->regs));
	copy = &batch->copies[batch->copy_count++];
	*copy = (struct stack_copy){ .parts = { first }, .part_count = 1,
				     .sleeper_tid = record->tid, .arrivals = record->arrivals };
	return 0;
}

bool notice_batch_is_empty(const struct notice_batch *batch)
{
	return !batch->notice_count && !batch->request_count && !batch->file_count &&
	       !batch->copy_count && !batch->notices_lost && !batch->window;
}

static int compare_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_notices(const void *a, const void *b)
{
	const struct notice *left = a, *right = b;
	int order = compare_u64(left->time_ns, right->time_ns);

	return order ? order : compare_u64(left->sequence, right->sequence);
}

static int compare_copies(const void *a, const void *b)
{
	const struct stack_copy *left = a, *right = b;

	return compare_u64(left->parts[0]->time_ns, right->parts[0]->time_ns);
}

void notice_batch_sort(struct notice_batch *batch)
{
	if (batch->notice_count > 1)
		qsort(batch->notices, batch->notice_count, sizeof(*batch->notices),
		      compare_notices);
	if (batch->copy_count > 1)
		qsort(batch->copies, batch->copy_count, sizeof(*batch->copies), compare_copies);
}
