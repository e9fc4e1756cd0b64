/* SPDX-License-Identifier: BSD-2-Clause */
/* test_open_waits.c - over a real map of waits: without the right to make one it is skipped. */
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "profiler/open_waits.h"
#include "tests/unit/fail_alloc.h"
#include "tests/unit/unit.h"

enum { TASK = 100, KERNEL_STACK = 200, USER_STACK, PEER_TASK = 300, PEER_KERNEL, PEER_USER };
#define SOURCE 3
#define PLACES 16

struct fixture {
	int fd;
	struct wick_settings settings;
	struct open_waits *waits;
	struct window *window;		/* what to keep, where a case repeats that */
};

static void fixture_open(struct fixture *f)
{
	struct open_waits_map map = { .source = SOURCE, .settings = &f->settings };

	f->fd = bpf_map_create(BPF_MAP_TYPE_HASH, "waits", sizeof(uint32_t),
			       sizeof(struct wick_wait), PLACES, NULL);
	if (f->fd == -EPERM) {
		print_message("skipped: may not make BPF maps\n");
		skip();
	}
	assert_true(f->fd >= 0);
	map.fd = f->fd;
	assert_int_equal(open_waits_new(&map, 1, &f->waits), 0);
}

static void fixture_close(struct fixture *f)
{
	open_waits_free(f->waits);
	close(f->fd);
}

static void put(struct fixture *f, uint32_t tid, const struct wick_wait *wait)
{
	assert_int_equal(bpf_map_update_elem(f->fd, &tid, wait, BPF_ANY), 0);
}

static const struct wick_wait open_wait = {
	.state = WICK_WAIT_OPEN,
	.begin_ns = 1000,
	.task = TASK,
	.kernel_stack = KERNEL_STACK,
	.user_stack = USER_STACK,
	.peer_task = PEER_TASK,
	.peer_kernel = PEER_KERNEL,
	.peer_user = PEER_USER,
};

/* What the program sent when the wait began, and when it was woken. */
static struct window *window_full(void)
{
	static const uint64_t ids[] = { KERNEL_STACK, USER_STACK, PEER_KERNEL, PEER_USER };
	struct wick_task task = { .pid = TASK }, peer = { .pid = PEER_TASK };
	struct window *w = window_new(0);

	assert_int_equal(window_add_task(w, TASK, &task), 0);
	assert_int_equal(window_add_task(w, PEER_TASK, &peer), 0);
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		struct window_stack stack = { .id = ids[i], .count = 1, .frames = &ids[i] };

		assert_int_equal(window_add_stack(w, &stack), 0);
	}
	return w;
}

/* The wait's own end: its key, in a window that knows the detail and nothing else. */
static const struct wick_key end_key = { .task = TASK, .kernel_stack = KERNEL_STACK,
					 .user_stack = USER_STACK, .detail = 400 };

static struct window *window_of_end(void)
{
	struct wick_detail detail = { .present = 1 };
	struct window *w = window_new(0);

	detail.value[WICK_DETAIL_PEER_TASK] = PEER_TASK;
	detail.value[WICK_DETAIL_PEER_KERNEL] = PEER_KERNEL;
	detail.value[WICK_DETAIL_PEER_USER] = PEER_USER;
	assert_int_equal(window_add_detail(w, end_key.detail, &detail), 0);
	return w;
}

/* How many of the six things the window knows once it is completed. */
static int known_at_end(struct fixture *f)
{
	struct window *w = window_of_end();
	int known = 0;

	open_waits_complete(f->waits, w, &end_key);
	for (uint64_t id = KERNEL_STACK; id <= USER_STACK; id++)
		known += window_stack(w, id) != NULL;
	for (uint64_t id = PEER_KERNEL; id <= PEER_USER; id++)
		known += window_stack(w, id) != NULL;
	known += window_task(w, TASK) != NULL;
	known += window_task(w, PEER_TASK) != NULL;
	window_free(w);
	return known;
}

static void keep(struct fixture *f, struct window *w)
{
	assert_int_equal(open_waits_keep(f->waits, w), 0);
	window_free(w);
}

static void test_long(void **state)
{
	struct fixture f = { 0 };

	fixture_open(&f);
	put(&f, 1, &open_wait);
	keep(&f, window_full());
	for (int i = 0; i < 5; i++)
		keep(&f, window_new(0));
	assert_int_equal(known_at_end(&f), 6);
	fixture_close(&f);
}

/* It ended behind the flip, in the next generation, and before the waits were looked at. */
static void test_between(void **state)
{
	struct wick_wait ended = open_wait;
	struct fixture f = { 0 };

	fixture_open(&f);
	put(&f, 1, &open_wait);
	keep(&f, window_full());
	keep(&f, window_new(0));
	ended.state = WICK_WAIT_NONE;
	put(&f, 1, &ended);
	keep(&f, window_new(0));
	assert_int_equal(known_at_end(&f), 6);
	keep(&f, window_new(0));
	assert_int_equal(known_at_end(&f), 0);
	fixture_close(&f);
}

/* It began and was not seen open yet when the window was closed. */
static void test_unseen(void **state)
{
	struct fixture f = { 0 };

	fixture_open(&f);
	keep(&f, window_full());
	put(&f, 1, &open_wait);
	keep(&f, window_new(0));
	keep(&f, window_new(0));
	assert_int_equal(known_at_end(&f), 6);
	fixture_close(&f);
}

/* ---- the end of the run ---- */

#define END_NS 11000

static const struct close_case {
	const char *name;
	struct wick_wait wait;
	uint64_t min, max;
	uint64_t added, lost, sum;
} close_cases[] = {
	{ "an open wait counts up to the end",
	  { .state = WICK_WAIT_OPEN, .begin_ns = 1000, .task = TASK }, 0, 0, 1, 0, 10000 },
	{ "one that has ended counts what it took",
	  { .state = WICK_WAIT_ENDED, .begin_ns = 1000, .value = 42, .task = TASK },
	  0, 0, 1, 0, 42 },
	{ "one that is over is no wait", { .begin_ns = 1000, .task = TASK }, 0, 0, 0, 0, 0 },
	{ "one that has not begun is none",
	  { .state = WICK_WAIT_PREPARED, .begin_ns = 1000, .task = TASK }, 0, 0, 0, 0, 0 },
	{ "one that was lost when it began is none",
	  { .state = WICK_WAIT_BEGUN, .begin_ns = 1000, .task = TASK }, 0, 0, 0, 0, 0 },
	{ "one that is too short is left out",
	  { .state = WICK_WAIT_OPEN, .begin_ns = 1000, .task = TASK }, 10001, 0, 0, 0, 0 },
	{ "one that is long enough is not",
	  { .state = WICK_WAIT_OPEN, .begin_ns = 1000, .task = TASK }, 10000, 0, 1, 0, 10000 },
	{ "one that is too long is left out",
	  { .state = WICK_WAIT_OPEN, .begin_ns = 1000, .task = TASK }, 0, 9999, 0, 0, 0 },
	{ "one without a task is lost", { .state = WICK_WAIT_OPEN, .begin_ns = 1000 },
	  0, 0, 0, 1, 0 },
	{ "one without a task that is too short is not lost",
	  { .state = WICK_WAIT_OPEN, .begin_ns = 1000 }, 10001, 0, 0, 0, 0 },
	{ "one that began behind the end counts nothing",
	  { .state = WICK_WAIT_OPEN, .begin_ns = END_NS + 1, .task = TASK }, 0, 0, 1, 0, 0 },
};

static void test_close(void **state)
{
	const struct close_case *c = *state;
	struct fixture f = { .settings = { .value_min = c->min, .value_max = c->max } };
	struct window *w = window_new(0);
	struct open_waits_closed closed = { .lost = 77 };
	struct window_sample sample;
	size_t position = 0;

	fixture_open(&f);
	put(&f, 1, &c->wait);
	assert_int_equal(open_waits_close(f.waits, w, END_NS, &closed), 0);
	assert_int_equal(closed.added, c->added);
	assert_int_equal(closed.lost, c->lost);
	assert_int_equal(window_sample_count(w), c->added);
	if (c->added) {
		assert_true(window_next_sample(w, &position, &sample));
		assert_int_equal(sample.source, SOURCE);
		assert_int_equal(sample.value.sum, c->sum);
	}
	window_free(w);
	fixture_close(&f);
}

/* Labels that were asked for, the peer always; each with what it needs to be named. */
static void test_close_details(void **state)
{
	struct fixture f = { .settings = { .labels = WICK_DETAIL_BIT(REASON) |
						     WICK_DETAIL_BIT(BUCKET) |
						     WICK_DETAIL_BIT(CPU) } };
	struct wick_wait wait = open_wait;
	const struct wick_detail *detail;
	struct window *w = window_new(0);
	struct window_sample sample;
	struct open_waits_closed closed;
	size_t position = 0;

	fixture_open(&f);
	wait.reason = WICK_REASON_DISK;
	wait.syscall = 8;
	wait.cpu = 1;
	put(&f, 1, &wait);
	keep(&f, window_full());
	assert_int_equal(open_waits_close(f.waits, w, END_NS, &closed), 0);
	assert_int_equal(closed.added, 1);
	assert_true(window_next_sample(w, &position, &sample));
	detail = window_detail(w, sample.key.detail);
	assert_non_null(detail);
	assert_int_equal(detail->present,
			 WICK_DETAIL_BIT(REASON) | WICK_DETAIL_BIT(BUCKET) | WICK_DETAIL_BIT(CPU) |
				 WICK_DETAIL_BIT(PEER_TASK) | WICK_DETAIL_BIT(PEER_KERNEL) |
				 WICK_DETAIL_BIT(PEER_USER));
	assert_int_equal(detail->value[WICK_DETAIL_REASON], WICK_REASON_DISK);
	assert_int_equal(detail->value[WICK_DETAIL_CPU], 0);
	assert_int_equal(detail->value[WICK_DETAIL_BUCKET], 13);
	assert_int_equal(window_task(w, TASK)->pid, TASK);
	assert_int_equal(window_task(w, PEER_TASK)->pid, PEER_TASK);
	assert_non_null(window_stack(w, PEER_USER));
	window_free(w);
	fixture_close(&f);
}

/* ---- without memory ---- */

static int run_new(void *arg)
{
	struct open_waits_map map = { .fd = -1 };
	struct open_waits *waits = NULL;
	int r = open_waits_new(&map, 1, &waits);

	open_waits_free(waits);
	return r;
}

/* What fails leaves what was kept before. */
static int run_keep(void *arg)
{
	struct fixture *f = arg;

	return open_waits_keep(f->waits, f->window);
}

static void test_no_memory(void **state)
{
	struct fixture f = { .window = window_full() };

	fixture_open(&f);
	put(&f, 1, &open_wait);
	assert_true(fail_alloc_each(run_new, NULL) > 4);
	assert_int_equal(open_waits_keep(f.waits, f.window), 0);
	assert_true(fail_alloc_each(run_keep, &f) > 4);
	assert_int_equal(known_at_end(&f), 6);
	window_free(f.window);
	fixture_close(&f);
}

/* Each wait is added or lost, whatever fails. */
static void test_close_no_memory(void **state)
{
	struct fixture f = { 0 };
	struct window *full = window_full();
	size_t skipped = 0;
	bool failed;

	fixture_open(&f);
	put(&f, 1, &open_wait);
	put(&f, 2, &open_wait);
	assert_int_equal(open_waits_keep(f.waits, full), 0);
	window_free(full);
	do {
		struct window *w = window_new(0);
		struct open_waits_closed closed;

		fail_alloc_after(skipped++);
		assert_int_equal(open_waits_close(f.waits, w, END_NS, &closed), 0);
		failed = fail_alloc_stop();
		assert_int_equal(closed.added + closed.lost, 2);
		assert_int_equal(window_sample_count(w), closed.added);
		window_free(w);
	} while (failed);
	fixture_close(&f);
}

/* A map that cannot be read is no map without waits. */
static void test_unreadable(void **state)
{
	struct fixture f = { 0 };
	struct open_waits_closed closed;
	struct window *w = window_new(0);
	int fd;

	fixture_open(&f);
	put(&f, 1, &open_wait);
	keep(&f, window_full());
	keep(&f, window_new(0));
	fd = dup(f.fd);
	assert_true(fd >= 0);
	close(f.fd);
	/* Nor is what is needed forgotten, however long it lasts. */
	for (int i = 0; i < 5; i++)
		keep(&f, window_new(0));
	assert_true(open_waits_close(f.waits, w, END_NS, &closed) < 0);
	assert_int_equal(closed.added + closed.lost, 0);
	assert_int_equal(dup2(fd, f.fd), f.fd);
	close(fd);
	assert_int_equal(known_at_end(&f), 6);
	assert_int_equal(open_waits_close(f.waits, w, END_NS, &closed), 0);
	assert_int_equal(closed.added, 1);
	window_free(w);
	fixture_close(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("a long wait has its stacks when it ends", test_long),
		UNIT_TEST("so has one that ends before the waits are looked at", test_between),
		UNIT_TEST("so has one that is not seen when it begins", test_unseen),
		UNIT_TEST("an open wait has its labels at the end of the run", test_close_details),
		UNIT_TEST("waits that cannot be read are not taken for none", test_unreadable),
		UNIT_TEST("without memory nothing that was kept is lost", test_no_memory),
		UNIT_TEST("without memory open waits are counted as lost", test_close_no_memory),
	};

	return unit_run_rows("the end of the run", test_close, UNIT_ROWS(close_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
