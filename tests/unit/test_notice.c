/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/processes/notice.h"
#include "profiler/window.h"
#include "tests/unit/fail_alloc.h"

static void test_owns(void **state)
{
	_cleanup_(notice_batch_freep) struct notice_batch *batch = notice_batch_new();
	char path[] = "/usr/bin/true";
	struct notice notice = { .type = NOTICE_MMAP, .pid = 7, .path = path };
	struct wick_request_record request = { .pid = 8 };
	struct wick_file_record file = { .identity = 9, .start = 10 };

	assert_non_null(batch);
	assert_true(notice_batch_is_empty(batch));
	assert_int_equal(notice_batch_add(batch, &notice), 0);
	assert_int_equal(notice_batch_add_request(batch, &request), 0);
	assert_false(notice_batch_is_empty(batch));
	memset(path, 'x', sizeof(path) - 1);
	memset(&request, 0, sizeof(request));
	assert_int_equal(notice_batch_add_file(batch, &file), 0);
	memset(&file, 0, sizeof(file));
	assert_int_equal(batch->files[0].identity, 9);
	assert_int_equal(batch->files[0].start, 10);
	assert_string_equal(batch->notices[0].path, "/usr/bin/true");
	assert_int_equal(batch->notices[0].pid, 7);
	assert_int_equal(batch->requests[0].pid, 8);
	notice.path = NULL;
	assert_int_equal(notice_batch_add(batch, &notice), 0);
	assert_string_equal(batch->notices[1].path, "");
}

static void test_empty(void **state)
{
	_cleanup_(notice_batch_freep) struct notice_batch *batch = notice_batch_new();

	assert_true(notice_batch_is_empty(batch));
	batch->notices_lost = true;
	assert_false(notice_batch_is_empty(batch));
	batch->notices_lost = false;
	batch->window = window_new(0);
	assert_non_null(batch->window);
	assert_false(notice_batch_is_empty(batch));
	batch->window = window_free(batch->window);
	assert_int_equal(notice_batch_add_file(batch, &(struct wick_file_record){ .pid = 1 }), 0);
	assert_false(notice_batch_is_empty(batch));
	assert_null(notice_batch_free(NULL));
}

static void test_order(void **state)
{
	static const uint64_t times[] = { 30, 10, 20, 10, 30, 10 };
	static const uint32_t expected[] = { 1, 3, 5, 2, 0, 4 };
	_cleanup_(notice_batch_freep) struct notice_batch *batch = notice_batch_new();

	notice_batch_sort(batch);
	for (uint32_t i = 0; i < 6; i++) {
		struct notice notice = { .time_ns = times[i], .pid = i };

		assert_int_equal(notice_batch_add(batch, &notice), 0);
	}
	notice_batch_sort(batch);
	for (uint32_t i = 0; i < 6; i++)
		assert_int_equal(batch->notices[i].pid, expected[i]);
}

static void test_copies(void **state)
{
	static const uint64_t times[] = { 30, 10, 20 };
	_cleanup_(notice_batch_freep) struct notice_batch *batch = notice_batch_new();
	struct wick_copy_record copy;

	memset(&copy, 0xa5, sizeof(copy));
	copy.part = 0;
	for (uint32_t i = 0; i < 3; i++) {
		copy.time_ns = times[i];
		copy.bytes = 1000 * (uint32_t)times[i] / 10;
		copy.data[copy.bytes - 1] = (uint8_t)times[i];
		assert_int_equal(notice_batch_add_copy(batch, &copy), 0);
	}
	notice_batch_sort(batch);
	for (uint32_t i = 0; i < 3; i++) {
		const struct wick_copy_record *kept = batch->copies[i].parts[0];

		assert_int_equal(batch->copies[i].part_count, 1);
		assert_int_equal(kept->time_ns, 10 * (i + 1));
		assert_int_equal(kept->bytes, 1000 * (i + 1));
		assert_int_equal(kept->data[1000 * (i + 1) - 1], 10 * (i + 1));
	}
	copy.bytes = WICK_COPY_BYTES;
	assert_int_equal(notice_batch_add_copy(batch, &copy), 0);
	copy.bytes = WICK_COPY_BYTES + 1;
	assert_int_equal(notice_batch_add_copy(batch, &copy), -EINVAL);
	assert_int_equal(batch->copy_count, 4);
}

static void add_part(struct notice_batch *batch, uint64_t task, uint32_t part)
{
	struct wick_copy_record copy = { .bytes = 100, .part = part, .key.task = task,
					 .base = 1000 * task + 100 * part };

	assert_int_equal(notice_batch_add_copy(batch, &copy), 0);
}

static void test_parts(void **state)
{
	_cleanup_(notice_batch_freep) struct notice_batch *batch = notice_batch_new();

	/* Two deep stacks whose parts come mixed, the last ones too many; and a part of none. */
	for (uint32_t part = 0; part <= WICK_COPY_PARTS; part++)
		for (uint32_t task = 1; task <= 2; task++)
			add_part(batch, task, part);
	add_part(batch, 3, 1);
	assert_int_equal(batch->copy_count, 2);
	for (uint32_t task = 1; task <= 2; task++) {
		const struct stack_copy *copy = &batch->copies[task - 1];

		assert_int_equal(copy->part_count, WICK_COPY_PARTS);
		for (uint32_t part = 0; part < WICK_COPY_PARTS; part++)
			assert_int_equal(copy->parts[part]->base, 1000 * task + 100 * part);
	}
}

static int fill(void *arg)
{
	_cleanup_(notice_batch_freep) struct notice_batch *batch = notice_batch_new();
	struct notice notice = { .path = "/a" };
	struct wick_request_record request = { .pid = 1 };
	struct wick_file_record file = { .pid = 1 };
	int r = batch ? 0 : -ENOMEM;

	for (int i = 0; i < 20 && !r; i++) {
		r = notice_batch_add(batch, &notice);
		if (!r)
			r = notice_batch_add_request(batch, &request);
		if (!r)
			r = notice_batch_add_file(batch, &file);
		if (!r)
			r = notice_batch_add_copy(batch, arg);
	}
	return r;
}

static void test_no_memory(void **state)
{
	struct wick_copy_record *copy = calloc(1, sizeof(*copy));

	assert_non_null(copy);
	copy->bytes = 3000;
	assert_true(fail_alloc_each(fill, copy) > 5);
	free(copy);
}

/* Registers alone: a copy without data, whose sample comes by itself. */
static void test_sleeper(void **state)
{
	const struct wick_sleeper_record record = { .task = 5, .user_stack = 6, .time_ns = 7,
						    .arrivals = 8, .pid = 9, .tid = 10,
						    .exec_id = 11, .start_ns = 12, .ip = 13,
						    .sp = 14, .fp = 15, .regs = { 16, 17 } };
	struct notice_batch *batch = notice_batch_new();
	const struct wick_copy_record *first;

	assert_int_equal(notice_batch_add_sleeper(batch, &record), 0);
	assert_false(notice_batch_is_empty(batch));
	assert_int_equal(batch->copies[0].sleeper_tid, 10);
	assert_int_equal(batch->copies[0].arrivals, 8);
	first = batch->copies[0].parts[0];
	assert_int_equal(first->value.count, 0);
	assert_int_equal(first->bytes, 0);
	assert_int_equal(first->key.user_stack, 6);
	assert_int_equal(first->exec_id, 11);
	assert_int_equal(first->sp, 14);
	assert_memory_equal(first->regs, record.regs, sizeof(record.regs));
	notice_batch_free(batch);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("a sleeper is a copy without data", test_sleeper),
		UNIT_TEST("a batch keeps copies of what it is given", test_owns),
		UNIT_TEST("a batch with a window or a loss says something", test_empty),
		UNIT_TEST("notices are ordered by time, equal ones as they came", test_order),
		UNIT_TEST("copies are ordered by time and only as long as they need", test_copies),
		UNIT_TEST("the parts of a copy become one, whatever comes between", test_parts),
		UNIT_TEST("any allocation may fail", test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
