/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>

#include "profiler/base/clock.h"
#include "profiler/processes/notice.h"
#include "profiler/tables/tables.h"
#include "profiler/window.h"
#include "tests/e2e/store_maps.h"

#define CHILDREN 8
#define WAIT_NS (10 * 1000000000ull)
#define OUT_ITEMS 2

extern char **environ;

struct fixture {
	struct tables_options options;
	struct tables *tables;
	pid_t children[CHILDREN];
	size_t child_count;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct table_store_options *store = &f->options.store;
	struct error err = { .text = "" };

	assert_non_null(f);
	store->segment_limit = 8;
	store->rule_limit = 16384;
	store->module_limit = f->options.module_limit = 1024;
	store->mapping_limit = 4096;
	store_maps_open(store);
	f->options.in = queue_new(64);
	f->options.out = queue_new(OUT_ITEMS);
	assert_int_equal(tables_new(&f->options, &f->tables, &err), 0);
	assert_int_equal(tables_start(f->tables), 0);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	void *window;

	queue_close(f->options.in);
	tables_join(f->tables);
	while (!queue_take(f->options.out, 0, &window))
		window_free(window);
	tables_free(f->tables);
	queue_free(f->options.in);
	queue_free(f->options.out);
	store_maps_close(&f->options.store);
	for (size_t i = 0; i < f->child_count; i++) {
		kill(f->children[i], SIGKILL);
		waitpid(f->children[i], NULL, 0);
	}
	free(f);
	return 0;
}

static void wait_stopped(pid_t pid)
{
	int status;

	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	if (!WIFSTOPPED(status))
		skip();		/* not installed */
}

/* Start a program that stops itself. */
static uint32_t start(struct fixture *f, const char *const *argv)
{
	pid_t pid;

	assert_true(f->child_count < CHILDREN);
	assert_int_equal(posix_spawnp(&pid, argv[0], NULL, NULL, (char **)argv, environ), 0);
	f->children[f->child_count++] = pid;
	wait_stopped(pid);
	return (uint32_t)pid;
}

static uint32_t start_python(struct fixture *f)
{
	return start(f, (const char *const[]){ "python3", "-c",
					       "import os, json, ctypes; os.kill(os.getpid(), 19)",
					       NULL });
}

static struct tables_stats stats(const struct fixture *f)
{
	struct tables_stats s;

	tables_stats(f->tables, &s);
	return s;
}

static void send(const struct fixture *f, struct notice_batch *batch)
{
	notice_batch_sort(batch);
	assert_int_equal(queue_add(f->options.in, batch), 0);
}

static void send_request(const struct fixture *f, uint32_t pid, uint64_t start_ns,
			 uint32_t exec_id, bool is_loaded)
{
	struct notice_batch *batch = notice_batch_new();
	struct wick_request_record request = {
		.pid = pid,
		.start_ns = start_ns,
		.exec_id = exec_id,
		.is_loaded = is_loaded,
	};

	assert_int_equal(notice_batch_add_request(batch, &request), 0);
	send(f, batch);
}

/* Wait until the entry of @pid is loaded with another range than @before. */
static struct wick_process wait_loaded(const struct fixture *f, uint32_t pid,
				       const struct wick_process *before)
{
	const struct timespec pause = { .tv_nsec = 20000 };
	uint64_t end_ns = clock_monotonic_ns() + WAIT_NS;
	struct wick_process entry = { 0 };

	while (clock_monotonic_ns() < end_ns) {
		if (store_maps_process(&f->options.store, pid, &entry) &&
		    entry.state == WICK_PROCESS_LOADED &&
		    (!before || before->map_first != entry.map_first))
			return entry;
		nanosleep(&pause, NULL);
	}
	fail_msg("process %u is not published", pid);
	return entry;
}

static struct wick_process load(const struct fixture *f, uint32_t pid, uint64_t start_ns,
				uint32_t exec_id)
{
	uint64_t begin_ns;
	struct wick_process entry;

	store_maps_request(&f->options.store, pid, start_ns, exec_id);
	begin_ns = clock_monotonic_ns();
	send_request(f, pid, start_ns, exec_id, false);
	entry = wait_loaded(f, pid, NULL);
	print_message("# from request to published: %lu us, %u mappings\n",
		      (unsigned long)(clock_monotonic_ns() - begin_ns) / 1000, entry.map_count);
	return entry;
}

/* An empty window is passed on when all before it is done. */
static struct window *flush(const struct fixture *f)
{
	struct notice_batch *batch = notice_batch_new();
	void *window = NULL;

	batch->window = window_new(0);
	send(f, batch);
	assert_int_equal(queue_take(f->options.out, WAIT_NS / 1000000, &window), 0);
	return window;
}

static void test_request(void **state)
{
	struct fixture *f = *state;
	uint32_t first = start_python(f), second = start_python(f);
	struct wick_process entry = load(f, first, 100, 1);
	struct wick_mapping mapping;
	struct module *mod;

	assert_int_equal(entry.start_ns, 100);
	assert_int_equal(entry.exec_id, 1);
	for (uint32_t i = 0; i < entry.map_count; i++) {
		store_maps_mapping(&f->options.store, entry.map_first + i, &mapping);
		assert_true(mapping.start < mapping.end);
		assert_int_not_equal(mapping.module, UNWIND_MODULE_NONE);
		mod = tables_module(f->tables, mapping.module);
		assert_non_null(mod);
		module_put(mod);
	}
	load(f, second, 200, 1);
	window_free(flush(f));
	assert_int_equal(stats(f).requests, 2);
	assert_int_equal(stats(f).maps_read, 2);
	assert_int_equal(stats(f).maps_failed, 0);
	print_message("# %lu rows of %lu tables built in %lu us\n",
		      (unsigned long)stats(f).rows_built, (unsigned long)stats(f).store.tables,
		      (unsigned long)stats(f).build_ns / 1000);
}

static struct notice notice_at(enum notice_type type, uint32_t pid)
{
	return (struct notice){
		.type = type,
		.time_ns = clock_monotonic_ns(),
		.pid = pid,
		.tid = pid,
	};
}

static struct notice notice_mmap(uint32_t pid, uint64_t address)
{
	struct notice notice = notice_at(NOTICE_MMAP, pid);

	notice.address = address;
	notice.length = 0x1000;
	notice.path = "//anon";
	return notice;
}

static void send_notices(const struct fixture *f, const struct notice *notices, size_t count)
{
	struct notice_batch *batch = notice_batch_new();

	for (size_t i = 0; i < count; i++)
		assert_int_equal(notice_batch_add(batch, &notices[i]), 0);
	send(f, batch);
}

static void test_later_mapping(void **state)
{
	struct fixture *f = *state;
	uint32_t pid = start_python(f);
	struct wick_process before = load(f, pid, 100, 1), after;
	struct wick_mapping mapping;
	struct notice notice = notice_mmap(pid, 0x1000);

	send_notices(f, &notice, 1);
	after = wait_loaded(f, pid, &before);
	assert_int_equal(after.map_count, before.map_count + 1);
	store_maps_mapping(&f->options.store, after.map_first, &mapping);
	assert_int_equal(mapping.start, 0x1000);
	assert_int_equal(mapping.module, UNWIND_MODULE_NONE);
	/* The same once more changes nothing. */
	notice.time_ns++;
	send_notices(f, &notice, 1);
	window_free(flush(f));
	assert_int_equal(stats(f).store.processes_published, 2);
}

static void test_fork(void **state)
{
	struct fixture *f = *state;
	uint32_t pid = start_python(f), child = 0x7ffffff0;
	struct wick_process parent = load(f, pid, 100, 1), copy = parent, after;
	struct notice notices[2] = { notice_at(NOTICE_FORK, child) };

	copy.start_ns = clock_monotonic_ns() - 1;
	assert_int_equal(bpf_map_update_elem(f->options.store.processes_fd, &child, &copy, 0), 0);
	notices[0].time_ns = clock_monotonic_ns();
	notices[0].parent_pid = pid;
	notices[1] = notice_mmap(child, 0x1000);
	send_notices(f, notices, 2);
	after = wait_loaded(f, child, &parent);
	assert_int_equal(after.start_ns, copy.start_ns);
	assert_int_equal(after.exec_id, 1);
	assert_int_equal(after.map_count, parent.map_count + 1);
	assert_true(store_maps_process(&f->options.store, pid, &after));
	assert_memory_equal(&after, &parent, sizeof(after));
}

static void test_exec(void **state)
{
	struct fixture *f = *state;
	uint32_t pid = start_python(f);
	struct notice notices[3];
	struct wick_process entry;

	load(f, pid, 100, 1);
	notices[0] = notice_at(NOTICE_EXEC, pid);
	notices[1] = notice_mmap(pid, 0x1000);
	notices[2] = notice_mmap(pid, 0x9000);
	send_notices(f, notices, 3);
	/* From its notices alone; what /proc says is something else here. */
	entry = load(f, pid, 100, 2);
	assert_int_equal(entry.exec_id, 2);
	assert_int_equal(entry.map_count, 2);
	window_free(flush(f));
	assert_int_equal(stats(f).maps_read, 1);
	/* An exec that was not told is found by its number. */
	entry = load(f, pid, 100, 5);
	assert_true(entry.map_count > 2);
	window_free(flush(f));
	assert_int_equal(stats(f).maps_read, 2);
	/* A request from before is not answered any more. */
	send_request(f, pid, 100, 1, false);
	window_free(flush(f));
	assert_int_equal(stats(f).requests_late, 1);
	assert_true(store_maps_process(&f->options.store, pid, &entry));
	assert_int_equal(entry.exec_id, 5);
}

static int map_later(void)
{
	raise(SIGSTOP);
	if (mmap((void *)0x10000000, 4096, PROT_EXEC | PROT_READ,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		return 1;
	raise(SIGSTOP);
	return 0;
}

static void test_astray(void **state)
{
	struct fixture *f = *state;
	uint32_t pid = start(f, (const char *const[]){ "/proc/self/exe", "map-later", NULL });
	struct wick_process before = load(f, pid, 100, 1), after;

	/* Nothing has changed: nothing is published, so that the kernel side asks less often. */
	send_request(f, pid, 100, 1, true);
	window_free(flush(f));
	assert_int_equal(stats(f).store.processes_published, 1);
	/* A change nobody told. */
	kill((pid_t)pid, SIGCONT);
	wait_stopped((pid_t)pid);
	send_request(f, pid, 100, 1, true);
	after = wait_loaded(f, pid, &before);
	assert_int_equal(after.map_count, before.map_count + 1);
}

static void test_notices_lost(void **state)
{
	struct fixture *f = *state;
	uint32_t pid = start(f, (const char *const[]){ "/proc/self/exe", "map-later", NULL });
	struct wick_process before = load(f, pid, 100, 1), after;
	struct notice_batch *batch = notice_batch_new();

	kill((pid_t)pid, SIGCONT);
	wait_stopped((pid_t)pid);
	batch->notices_lost = true;
	send(f, batch);
	after = wait_loaded(f, pid, &before);
	assert_int_equal(after.map_count, before.map_count + 1);
	/* One that is gone is not asked about again. */
	kill((pid_t)pid, SIGKILL);
	waitpid((pid_t)pid, NULL, 0);
	assert_int_equal(bpf_map_delete_elem(f->options.store.processes_fd, &pid), 0);
	f->child_count--;
	batch = notice_batch_new();
	batch->notices_lost = true;
	send(f, batch);
	window_free(flush(f));
	assert_int_equal(stats(f).store.processes_published, 2);
}

/* A copy of a process nobody knows, with a stack of nothing. */
static void send_copy(const struct fixture *f, uint64_t task, bool with_window)
{
	struct notice_batch *batch = notice_batch_new();
	struct wick_copy_record copy = {
		.head.source = 3,
		.key = { .task = task, .user_stack = WICK_STACK_COPIED, .detail = 9 },
		.value = { .count = 1, .sum = 1000 },
		.pid = 0x7ffffff1,
		.exec_id = 1,
	};

	assert_int_equal(notice_batch_add_copy(batch, &copy), 0);
	if (with_window)
		batch->window = window_new(0);
	send(f, batch);
}

static void test_late_copy(void **state)
{
	struct fixture *f = *state;
	const struct window_stack *stack;
	struct window_sample sample;
	size_t position = 0;
	struct window *window;

	send_copy(f, 77, false);
	send_copy(f, 77, false);
	window = flush(f);
	assert_int_equal(window_sample_count(window), 2);
	assert_true(window_next_sample(window, &position, &sample));
	assert_int_equal(sample.key.task, 77);
	assert_int_equal(sample.key.detail, 9);
	assert_int_equal(sample.source, 3);
	assert_int_equal(sample.value.count, 2);
	assert_int_equal(sample.value.sum, 2000);
	stack = window_stack(window, sample.key.user_stack);
	assert_non_null(stack);
	assert_int_equal(stack->count, 0);
	assert_int_equal(stack->stop, UNWIND_STOP_LATE);
	assert_int_equal(stats(f).copies, 2);
	assert_int_equal(stats(f).copies_complete, 0);
	window_free(window);
	window = flush(f);
	assert_int_equal(window_sample_count(window), 0);
	window_free(window);
}

static void test_full_queue(void **state)
{
	struct fixture *f = *state;
	void *window;

	for (uint64_t i = 0; i < OUT_ITEMS + 3; i++)
		send_copy(f, i, true);
	queue_close(f->options.in);
	tables_join(f->tables);
	for (int i = 0; i < OUT_ITEMS; i++) {
		assert_int_equal(queue_take(f->options.out, 0, &window), 0);
		assert_int_equal(window_sample_count(window), 1);
		window_free(window);
	}
	assert_int_equal(queue_take(f->options.out, 0, &window), -EPIPE);
	assert_int_equal(stats(f).windows_late_samples, 3);
}

static void test_last_copies(void **state)
{
	struct fixture *f = *state;
	void *window;

	send_copy(f, 1, false);
	queue_close(f->options.in);
	tables_join(f->tables);
	assert_int_equal(queue_take(f->options.out, 0, &window), 0);
	assert_int_equal(window_sample_count(window), 1);
	window_free(window);
}

static void test_preload(void **state)
{
	struct fixture *f = *state;
	struct error err = { .text = "" };
	struct tables_options options = f->options;
	struct tables *tables;
	uint32_t pid = start_python(f), nobody = 0x7ffffff1;
	struct wick_process entry;
	struct tables_stats s;

	/* Before the thread runs: a second one, with queues of its own. */
	options.in = queue_new(4);
	options.out = queue_new(4);
	assert_int_equal(tables_new(&options, &tables, &err), 0);
	store_maps_request(&options.store, pid, 100, 1);
	store_maps_request(&options.store, nobody, 100, 1);
	assert_int_equal(tables_start(tables), 0);
	queue_close(options.in);
	tables_join(tables);
	tables_stats(tables, &s);
	assert_true(s.store.tables > 3);
	assert_int_equal(s.maps_read, 1);
	assert_int_equal(s.maps_failed, 1);
	assert_true(s.user_bytes > 10000);
	assert_true(store_maps_process(&options.store, pid, &entry));
	assert_int_equal(entry.state, WICK_PROCESS_LOADED);
	assert_true(store_maps_process(&options.store, nobody, &entry));
	assert_int_equal(entry.state, WICK_PROCESS_REQUESTED);
	tables_free(tables);
	queue_free(options.in);
	queue_free(options.out);
}

#define TABLES_TEST(sentence, function) { (sentence), (function), setup, teardown, NULL }

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		TABLES_TEST("a request is answered with mappings and tables", test_request),
		TABLES_TEST("a later mapping is published too", test_later_mapping),
		TABLES_TEST("a forked child gets its own list when that changes", test_fork),
		TABLES_TEST("after an exec the list is that of the notices", test_exec),
		TABLES_TEST("a walk that went astray publishes only what changed", test_astray),
		TABLES_TEST("after a loss lists are read again", test_notices_lost),
		TABLES_TEST("a copy that nobody can unwind is a sample all the same",
			    test_late_copy),
		TABLES_TEST("a window that finds no place is counted", test_full_queue),
		TABLES_TEST("copies without a window after them come by themselves",
			    test_last_copies),
		TABLES_TEST("tables can be loaded before anything runs", test_preload),
	};

	if (argc > 1 && !strcmp(argv[1], "map-later"))
		return map_later();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
