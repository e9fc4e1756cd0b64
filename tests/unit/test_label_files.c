/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/labels/label_files.h"

#include <string.h>
#include <unistd.h>

#include "bpf/stack_id.h"
#include "profiler/window.h"
#include "tests/unit/unit.h"

/* No process of this machine has that PID: nothing is read from /proc. */
#define PID 0x7ffffff0
#define PAGE 0x1000

static const struct wick_task task = { .pid = PID, .tid = PID, .comm = "mapper" };

static struct notice map_notice(uint64_t time_ns, uint64_t address, const char *path)
{
	return (struct notice){ .type = NOTICE_MMAP, .pid = PID, .tid = PID, .time_ns = time_ns,
				.is_data = true, .address = address, .length = PAGE,
				
				.inode = path[0] == '/' && path[1] != '/', .path = path };
}

static void note(struct label_files *files, const struct notice *notices, size_t count)
{
	struct notice_batch *batch = notice_batch_new();

	for (size_t i = 0; i < count; i++)
		assert_int_equal(notice_batch_add(batch, &notices[i]), 0);
	label_files_note(files, batch);
	notice_batch_free(batch);
}

static void add_event(struct window *window, uint64_t time_ns, uint64_t address)
{
	struct wick_detail detail = { .present = WICK_DETAIL_BIT(ADDRESS) };
	struct window_event event = { .time_ns = time_ns, .sample.value = { 1, 1 } };

	detail.value[WICK_DETAIL_ADDRESS] = address;
	event.sample.key.task = wick_task_id(&task);
	event.sample.key.detail = wick_detail_id(&detail);
	assert_int_equal(window_add_task(window, event.sample.key.task, &task), 0);
	assert_int_equal(window_add_detail(window, event.sample.key.detail, &detail), 0);
	assert_int_equal(window_add_event(window, &event), 0);
}

/* How many samples of @window are of @file. */
static uint64_t count_file(const struct label_files *files, const struct window *window,
			   const char *file)
{
	struct window_sample sample;
	size_t position = 0;
	uint64_t count = 0;

	while (window_next_sample(window, &position, &sample)) {
		const struct wick_detail *detail = window_detail(window, sample.key.detail);
		const char *text = label_files_text(files, detail->value[WICK_DETAIL_FILE]);

		assert_true(detail->present & WICK_DETAIL_BIT(FILE));
		count += !strcmp(text, file) ? sample.value.count : 0;
	}
	return count;
}

/* Two windows; the second begins at 50. Notices come long before the window they belong to. */
static void test_times(void **state)
{
	const struct notice notices[] = {
		{ .type = NOTICE_EXEC, .pid = PID, .tid = PID, .time_ns = 10, .path = "mapper" },
		map_notice(20, 0x10000, "/first"),
		map_notice(30, 0x10000, "/second"),
		map_notice(60, 0x10000, "//anon"),
		map_notice(61, 0x20000, "[stack]"),
	};
	struct label_files *files = label_files_new(false);
	struct window *first = window_new(0), *second = window_new(0);

	note(files, notices, sizeof(notices) / sizeof(notices[0]));
	/* In the order in which CPUs happened to send them. */
	add_event(first, 31, 0x10000);
	add_event(first, 21, 0x10000);
	add_event(first, 22, 0x10000);
	add_event(first, 23, 0x30000);
	window_set_time(first, 1, 50);
	label_files_apply(files, &first);
	assert_int_equal(count_file(files, first, "/first"), 2);
	assert_int_equal(count_file(files, first, "/second"), 1);
	assert_int_equal(count_file(files, first, "[unknown]"), 1);
	assert_int_equal(window_sample_count(first), 4);
	assert_int_equal(window_end_ns(first), 50);
	add_event(second, 55, 0x10000);
	add_event(second, 62, 0x10000);
	add_event(second, 62, 0x20000);
	window_set_time(second, 50, 100);
	label_files_apply(files, &second);
	assert_int_equal(count_file(files, second, "/second"), 1);
	assert_int_equal(count_file(files, second, "[anon]"), 1);
	assert_int_equal(count_file(files, second, "[stack]"), 1);
	window_free(first);
	window_free(second);
	label_files_free(files);
}

/* Pages of one file are one sample, unless they were asked for, too. */
static void test_addresses(void **state)
{
	const struct notice notices[] = {
		{ .type = NOTICE_EXEC, .pid = PID, .tid = PID, .time_ns = 10, .path = "mapper" },
		map_notice(20, 0x10000, "/file"),
		map_notice(21, 0x11000, "/file"),
	};

	for (int keep = 0; keep < 2; keep++) {
		struct label_files *files = label_files_new(keep);
		struct window *window = window_new(0);
		struct window_sample sample;
		size_t position = 0, count = 0;

		note(files, notices, sizeof(notices) / sizeof(notices[0]));
		add_event(window, 30, 0x10000);
		add_event(window, 31, 0x11000);
		window_set_time(window, 1, 50);
		label_files_apply(files, &window);
		assert_int_equal(count_file(files, window, "/file"), 2);
		while (window_next_sample(window, &position, &sample))
			count++;
		assert_int_equal(count, keep ? 2 : 1);
		window_free(window);
		label_files_free(files);
	}
}

/* What is no address stays as it came: samples, events, the counts of what was shed. */
static void test_others(void **state)
{
	struct label_files *files = label_files_new(false);
	struct window *window = window_new(0);
	const struct window_sample sample = { .key.task = wick_task_id(&task),
					      .value = { 3, 30 } };
	const struct window_event event = { .sample = sample, .time_ns = 5, .cpu = 1 };
	size_t count;

	assert_int_equal(window_add_task(window, sample.key.task, &task), 0);
	assert_int_equal(window_add_sample(window, &sample), 0);
	assert_int_equal(window_add_event(window, &event), 0);
	window_add_shed(window, 2);
	label_files_apply(files, &window);
	assert_int_equal(window_sample_count(window), 6);
	assert_int_equal(window_events(window, &count)->cpu, 1);
	assert_int_equal(count, 1);
	assert_int_equal(window_shed_count(window), 2);
	assert_int_equal(window_task(window, sample.key.task)->pid, PID);
	window_free(window);
	label_files_free(files);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("an address is of what was mapped there at that time", test_times),
		UNIT_TEST("pages of a file are one, unless asked for", test_addresses),
		UNIT_TEST("samples without an address stay as they are", test_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
