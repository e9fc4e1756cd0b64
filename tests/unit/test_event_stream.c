/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "formats/profile.h"
#include "profiler/base/queue.h"
#include "profiler/event_stream.h"
#include "profiler/probes/probe_set.h"
#include "tests/unit/fail_alloc.h"
#include "tests/unit/unit.h"

#define TASK 100
#define PEER 101
#define DETAIL 200

static const struct source plain = {
	.name = "plain",
	.values = { { "calls", "count", false, false }, { "took", "nanoseconds", true, true } },
	.peer_label = "target",
};
static const struct source *const sources[] = { &plain };

struct fixture {
	struct queue *queue;
	struct event_stream *stream;
	struct label_notes *notes;
};

static void fixture_init(struct fixture *f, struct event_stream_options options, size_t capacity)
{
	f->queue = queue_new(capacity);
	assert_int_equal(label_notes_new(0, -1, &f->notes), 0);
	options.out = f->queue;
	options.bytes_max = options.bytes_max ?: 1 << 20;
	options.resolve.sources = options.resolve.sources ?: sources;
	options.resolve.shown = options.resolve.sources;
	options.resolve.source_count = 1;
	options.resolve.label_notes = f->notes;
	options.resolve.symbolizer = symbolizer_new(NULL);
	assert_int_equal(event_stream_new(&options, &f->stream), 0);
}

static void fixture_done(struct fixture *f)
{
	event_stream_free(f->stream);
	queue_free(f->queue);
	label_notes_free(f->notes);
}

static struct window *window_until(uint64_t end_ns)
{
	struct window *w = window_new(0);
	struct wick_task task = {
		.pid = 10, .tid = 11, .comm = "thread", .process_comm = "process"
	};
	struct wick_task peer = { .pid = 20, .tid = 20, .comm = "other", .process_comm = "other" };
	struct wick_detail detail = { .present = WICK_DETAIL_BIT(PEER_TASK) };

	detail.value[WICK_DETAIL_PEER_TASK] = PEER;
	assert_int_equal(window_add_task(w, TASK, &task), 0);
	assert_int_equal(window_add_task(w, PEER, &peer), 0);
	assert_int_equal(window_add_detail(w, DETAIL, &detail), 0);
	window_set_time(w, 0, end_ns);
	return w;
}

static void add(struct window *w, uint64_t time_ns)
{
	struct window_event event = { .sample = { .key = { .task = TASK },
						  .value = { 1, time_ns } },
				      .time_ns = time_ns,
				      .cpu = 3 };

	assert_int_equal(window_add_event(w, &event), 0);
}

static void pass(struct fixture *f, struct window *w)
{
	event_stream_add(f->stream, w, NULL);
	window_free(w);
}

/* Times of what is in the queue, in its order, as "1 2 3"; batches apart by ";". */
static void check_times(struct fixture *f, const char *expected)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
	void *item;

	while (!queue_take(f->queue, 0, &item)) {
		struct event_batch *batch = item;

		event_stream_note_taken(f->stream, batch);
		for (size_t i = 0; i < batch->count; i++)
			strbuf_printf(&text, "%s%u", i ? " " : text.size ? ";" : "",
				      (unsigned int)batch->events[i]->time_ns);
		event_batch_free(batch);
	}
	assert_string_equal(text.data, expected);
}

static void test_order(void **state)
{
	struct fixture f;
	struct window *w = window_until(100);

	fixture_init(&f, (struct event_stream_options){ 0 }, 8);
	add(w, 30);
	add(w, 10);
	add(w, 20);
	pass(&f, w);
	check_times(&f, "10 20 30");
	fixture_done(&f);
}

static void test_held(void **state)
{
	struct fixture f;
	struct window *w = window_until(100);

	fixture_init(&f, (struct event_stream_options){ 0 }, 8);
	add(w, 90);
	/* Its program had begun when the window was to end. */
	add(w, 105);
	pass(&f, w);
	check_times(&f, "90");
	w = window_until(200);
	add(w, 103);
	add(w, 110);
	pass(&f, w);
	check_times(&f, "103 105 110");
	fixture_done(&f);
}

static void test_end(void **state)
{
	struct fixture f;
	struct window *w = window_until(100);

	fixture_init(&f, (struct event_stream_options){ 0 }, 8);
	add(w, 150);
	pass(&f, w);
	check_times(&f, "");
	event_stream_end(f.stream);
	check_times(&f, "150");
	fixture_done(&f);
}

static struct event_stream_stats stats_of(const struct fixture *f)
{
	struct event_stream_stats stats;

	event_stream_stats(f->stream, &stats);
	return stats;
}

static void test_late(void **state)
{
	struct fixture f;

	fixture_init(&f, (struct event_stream_options){ 0 }, 1);
	for (uint64_t end = 100; end <= 300; end += 100) {
		struct window *w = window_until(end);

		add(w, end - 50);
		add(w, end - 40);
		pass(&f, w);
	}
	assert_int_equal(stats_of(&f).lost_late, 4);
	assert_int_equal(stats_of(&f).reported, 2);
	check_times(&f, "50 60");
	fixture_done(&f);
}

static void test_bytes(void **state)
{
	struct fixture f;

	fixture_init(&f, (struct event_stream_options){ .bytes_max = 1 }, 8);
	for (uint64_t end = 100; end <= 200; end += 100) {
		struct window *w = window_until(end);

		add(w, end - 50);
		pass(&f, w);
	}
	/* One is always taken: else there would be none at all. */
	assert_int_equal(stats_of(&f).lost_late, 1);
	check_times(&f, "50");
	fixture_done(&f);
}

static void test_count(void **state)
{
	struct fixture f;
	struct window *w = window_until(100);
	void *item;

	fixture_init(&f, (struct event_stream_options){ .events_max = 2 }, 8);
	for (uint64_t time = 50; time > 10; time -= 10)
		add(w, time);
	pass(&f, w);
	check_times(&f, "20 30");
	assert_int_equal(queue_take(f.queue, 0, &item), -EPIPE);
	assert_int_equal(stats_of(&f).limited, 2);
	w = window_until(200);
	add(w, 150);
	pass(&f, w);
	assert_int_equal(stats_of(&f).limited, 3);
	assert_int_equal(stats_of(&f).lost_late, 0);
	fixture_done(&f);
}

static void test_rate(void **state)
{
	const uint64_t second = 1000000000;
	struct fixture f;
	struct window *w = window_until(3 * second);
	void *item;

	fixture_init(&f, (struct event_stream_options){ .events_per_second = 2 }, 8);
	for (uint64_t i = 0; i < 5; i++)
		add(w, second + i);
	for (uint64_t i = 0; i < 3; i++)
		add(w, 2 * second + i);
	pass(&f, w);
	assert_int_equal(stats_of(&f).reported, 4);
	assert_int_equal(stats_of(&f).limited, 4);
	assert_int_equal(queue_take(f.queue, 0, &item), 0);
	assert_true(((struct event_batch *)item)->events[2]->time_ns == 2 * second);
	event_batch_free(item);
	fixture_done(&f);
}

/* A wait that had not ended is counted by the drain, and has no time of its own. */
static void test_open(void **state)
{
	struct window_sample sample = { .key = { .task = TASK }, .value = { 1, 40 } };
	struct window *w = window_until(100);
	struct event_batch *batch;
	struct fixture f;
	void *item;

	fixture_init(&f, (struct event_stream_options){ 0 }, 8);
	assert_int_equal(window_add_sample(w, &sample), 0);
	pass(&f, w);
	event_stream_end(f.stream);
	assert_int_equal(queue_take(f.queue, 0, &item), 0);
	batch = item;
	assert_int_equal(batch->count, 1);
	assert_true(batch->events[0]->is_open);
	assert_int_equal(batch->events[0]->time_ns, 100);
	assert_int_equal(batch->events[0]->sum, 40);
	event_batch_free(batch);
	fixture_done(&f);
}

static void test_content(void **state)
{
	struct window_event event = {
		.sample = { .key = { .task = TASK, .detail = DETAIL }, .value = { 1, 7 } },
		.time_ns = 5,
		.cpu = 3,
	};
	struct window *w = window_until(100);
	const struct traced_event *e;
	struct fixture f;
	void *item;

	fixture_init(&f, (struct event_stream_options){ 0 }, 8);
	assert_int_equal(window_add_event(w, &event), 0);
	pass(&f, w);
	assert_int_equal(queue_take(f.queue, 0, &item), 0);
	e = ((struct event_batch *)item)->events[0];
	assert_int_equal(e->cpu, 3);
	assert_int_equal(e->pid, 10);
	assert_int_equal(e->tid, 11);
	assert_string_equal(e->comm, "thread");
	assert_string_equal(e->process_comm, "process");
	assert_string_equal(e->source, "plain");
	assert_string_equal(e->sum_name, "took");
	assert_true(e->took_time);
	assert_int_equal(e->sum, 7);
	assert_int_equal(e->label_count, 2);
	assert_string_equal(e->labels[0].key, "target");
	assert_string_equal(e->labels[0].text, "other");
	assert_string_equal(e->labels[1].key, "target_pid");
	assert_null(e->labels[1].text);
	assert_int_equal(e->labels[1].number, 20);
	event_batch_free(item);
	fixture_done(&f);
}

/* A probe with a number and a text. */
static struct probe_place place = {
	.name = "libc:open",
	.layout = {
		.site = { .value_count = 2, .values = { { .form = PROBE_NUMBER },
							{ .form = PROBE_TEXT } } },
		.values = { { .name = "flags", .show = PROBE_SHOW_SIGNED },
			    { .name = "path", .show = PROBE_SHOW_TEXT } },
	},
};
static const struct probe_set places = { .places = &place, .count = 1 };
static const struct source probed = { .name = "uprobe", .probes = &places };
static const struct source *const probed_sources[] = { &probed };

/* The event of a probe at place number @site, as it comes out; the batch is the caller's to free. */
static struct event_batch *probe_event(struct fixture *f, uint32_t site)
{
	struct probe_values values = { .site = site, .text_bytes = 4,
				       .value = { -7ull, 4ull << 32 }, .text = "/tmp" };
	struct window_event event = { .sample = { .key = { .task = TASK }, .value = { 1, 0 } },
				      .time_ns = 5, .values = &values };
	struct window *w = window_until(100);
	void *item;

	assert_int_equal(window_add_event(w, &event), 0);
	pass(f, w);
	assert_int_equal(queue_take(f->queue, 0, &item), 0);
	return item;
}

static void test_values(void **state)
{
	struct event_batch *batch;
	const struct traced_event *e;
	struct fixture f;

	fixture_init(&f, (struct event_stream_options){ .resolve.sources = probed_sources }, 8);
	batch = probe_event(&f, 0);
	e = batch->events[0];
	assert_string_equal(e->name, "libc:open");
	assert_string_equal(e->source, "uprobe");
	assert_int_equal(e->value_count, 2);
	assert_string_equal(e->values[0].name, "flags");
	assert_int_equal((int64_t)e->values[0].number, -7);
	assert_int_equal(e->values[1].size, 4);
	assert_memory_equal(e->values[1].bytes, "/tmp", 4);
	event_batch_free(batch);
	/* A place there is not. */
	batch = probe_event(&f, 1);
	assert_int_equal(batch->events[0]->value_count, 0);
	assert_string_equal(batch->events[0]->name, "uprobe");
	event_batch_free(batch);
	fixture_done(&f);
}

/* Takes what is there. Whether an allocation failed, number @skipped. */
static bool pass_failing(struct fixture *f, const struct window *w, size_t skipped)
{
	bool failed;
	void *item;

	fail_alloc_after(skipped);
	event_stream_add(f->stream, w, NULL);
	failed = fail_alloc_stop();
	while (!queue_take(f->queue, 0, &item)) {
		event_stream_note_taken(f->stream, item);
		event_batch_free(item);
	}
	return failed;
}

static void test_memory(void **state)
{
	struct window *w = window_until(100);
	struct fixture f;
	size_t tries = 0;
	bool failed;

	fixture_init(&f, (struct event_stream_options){ 0 }, 8);
	for (uint64_t time = 10; time <= 30; time += 10)
		add(w, time);
	do {
		failed = pass_failing(&f, w, tries++);
		assert_int_equal(stats_of(&f).lost_memory + stats_of(&f).reported, 3 * tries);
	} while (failed);
	assert_true(stats_of(&f).lost_memory > 0);
	assert_true(tries > 20);
	window_free(w);
	fixture_done(&f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("events of a window come in order of time", test_order),
		UNIT_TEST("one that is later than its window waits for those before it", test_held),
		UNIT_TEST("at the end nothing waits any more", test_end),
		UNIT_TEST("what nobody takes is dropped and counted", test_late),
		UNIT_TEST("so is what takes too much memory", test_bytes),
		UNIT_TEST("after as many as were asked for there are no more", test_count),
		UNIT_TEST("each second has as many as were asked for", test_rate),
		UNIT_TEST("a wait that has not ended is there at the end", test_open),
		UNIT_TEST("an event says who, where, how long and whom", test_content),
		UNIT_TEST("an event of a probe says what was read, and where", test_values),
		UNIT_TEST("without memory events are lost, and counted", test_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
