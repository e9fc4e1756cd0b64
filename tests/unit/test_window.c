/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "profiler/window.h"
#include "tests/unit/fail_alloc.h"
#include "tests/unit/unit.h"

static struct window_sample sample(uint64_t task, uint64_t stack, uint64_t count)
{
	return (struct window_sample){ .key = { .task = task, .user_stack = stack },
				       .value = { count, 10 * count } };
}

static void add(struct window *w, uint64_t task, uint64_t stack_id, uint64_t count)
{
	uint64_t frames[] = { 1, 2, stack_id };
	struct window_stack stack = { .id = stack_id, .count = 3, .frames = frames };
	struct window_sample added = sample(task, stack_id, count);
	struct wick_task who = { .pid = task };

	assert_int_equal(window_add_task(w, task, &who), 0);
	assert_int_equal(window_add_stack(w, &stack), 0);
	assert_int_equal(window_add_sample(w, &added), 0);
}

static void test_sums(void **state)
{
	struct window *w = window_new(0);
	struct window_sample s;
	size_t position = 0;

	add(w, 100, 200, 3);
	add(w, 100, 200, 4);
	assert_true(window_next_sample(w, &position, &s));
	assert_int_equal(s.value.count, 7);
	assert_int_equal(s.value.sum, 70);
	assert_false(window_next_sample(w, &position, &s));
	assert_int_equal(window_sample_count(w), 7);
	window_free(w);
}

static void test_sources_apart(void **state)
{
	struct window *w = window_new(0);
	struct window_sample a = sample(100, 200, 1), b = a, s;
	size_t position = 0, count = 0;

	b.source = 1;
	assert_int_equal(window_add_sample(w, &a), 0);
	assert_int_equal(window_add_sample(w, &b), 0);
	while (window_next_sample(w, &position, &s))
		count++;
	assert_int_equal(count, 2);
	window_free(w);
}

static void test_merge(void **state)
{
	struct window *a = window_new(0), *b = window_new(0);
	struct window_event event = { .sample = sample(100, 200, 1), .time_ns = 5 };
	size_t events;
	uint64_t lost;

	add(a, 100, 200, 1);
	add(b, 100, 200, 2);
	add(b, 101, 201, 5);
	assert_int_equal(window_add_event(b, &event), 0);
	window_set_time(a, 10, 20);
	window_set_time(b, 20, 30);
	assert_int_equal(window_merge(a, b, &lost), 0);
	window_free(b);
	assert_int_equal(window_sample_count(a), 9);
	assert_int_equal(window_task(a, 101)->pid, 101);
	assert_int_equal(window_stack(a, 201)->frames[2], 201);
	assert_int_equal(window_start_ns(a), 10);
	assert_int_equal(window_end_ns(a), 30);
	assert_int_equal(window_events(a, &events)->time_ns, 5);
	assert_int_equal(events, 1);
	window_free(a);
}

static void check_text(const struct window *w, uint64_t id, const char *text, size_t bytes)
{
	const struct window_text *found = window_text(w, id);

	assert_non_null(found);
	assert_int_equal(found->bytes, bytes);
	assert_memory_equal(found->text, text, bytes);
}

static void test_texts(void **state)
{
	static const char name[] = "a\0b";
	char bytes[] = "xyz";
	const struct window_text first = { 3, bytes }, again = { 1, "?" }, odd = { 3, name },
				 nothing = { 0, NULL };
	struct window *a = window_new(0), *b = window_new(0);
	uint64_t lost;

	assert_int_equal(window_add_text(b, 100, &first), 0);
	memset(bytes, 0, sizeof(bytes));
	assert_int_equal(window_add_text(b, 100, &again), 0);
	assert_int_equal(window_add_text(b, 101, &odd), 0);
	assert_int_equal(window_add_text(b, 102, &nothing), 0);
	assert_int_equal(window_merge(a, b, &lost), 0);
	window_free(b);
	check_text(a, 100, "xyz", 3);
	check_text(a, 101, name, 3);
	check_text(a, 102, "", 0);
	assert_null(window_text(a, 103));
	assert_null(window_text(a, WICK_TEXT_LOST));
	window_free(a);
}

static void test_texts_no_memory(void **state)
{
	const struct window_text text = { 3, "xyz" };
	bool failed = true;

	for (int skipped = 0; failed; skipped++) {
		struct window *w = window_new(0);
		int r;

		fail_alloc_after(skipped);
		r = window_add_text(w, 100, &text);
		failed = fail_alloc_stop();
		assert_int_equal(r, failed ? -ENOMEM : 0);
		if (r)
			assert_null(window_text(w, 100));
		else
			check_text(w, 100, "xyz", 3);
		window_free(w);
	}
}

/* Over the limit samples stay and their stacks go, counted. */
static void test_shed(void **state)
{
	struct window *w = window_new(1);
	struct window_sample s;
	size_t position = 0;

	add(w, 100, 200, 4);
	assert_null(window_stack(w, 200));
	assert_true(window_next_sample(w, &position, &s));
	assert_int_equal(s.key.user_stack, WICK_STACK_LOST);
	assert_int_equal(window_sample_count(w), 4);
	assert_int_equal(window_shed_count(w), 4);
	window_free(w);
}

/* What is in it, by looking. */
static uint64_t samples_in(const struct window *w)
{
	const struct window_event *events;
	struct window_sample s;
	size_t position = 0, count;
	uint64_t sum = 0;

	while (window_next_sample(w, &position, &s))
		sum += s.value.count;
	events = window_events(w, &count);
	for (size_t i = 0; i < count; i++)
		sum += events[i].sample.value.count;
	return sum;
}

/* So many that each container grows several times. */
static struct window *large(uint64_t first_task)
{
	struct window *w = window_new(0);

	for (uint64_t i = 0; i < 60; i++) {
		struct window_event event = { .sample = sample(first_task + i, 200 + i, 1) };
		struct wick_detail detail = { .present = i };

		add(w, first_task + i, 200 + i, 3);
		assert_int_equal(window_add_detail(w, 300 + i, &detail), 0);
		assert_int_equal(window_add_event(w, &event), 0);
	}
	return w;
}

/* Each sample is in the window or lost, and none both, whatever fails. */
static void test_merge_no_memory(void **state)
{
	size_t skipped = 0, failures = 0, partly = 0;
	bool failed;

	do {
		struct window *a = large(100), *b = large(140);
		uint64_t before = samples_in(a), lost = 0;
		int r;

		fail_alloc_after(skipped++);
		r = window_merge(a, b, &lost);
		failed = fail_alloc_stop();
		assert_int_equal(r, failed ? -ENOMEM : 0);
		assert_int_equal(samples_in(a), before + samples_in(b) - lost);
		assert_int_equal(window_sample_count(a), samples_in(a));
		assert_int_equal(window_sample_count(b), samples_in(b));
		failures += failed;
		partly += failed && lost < samples_in(b);
		window_free(a);
		window_free(b);
	} while (failed);
	assert_true(failures > 4);
	assert_true(partly > 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("values of an equal key add up", test_sums),
		UNIT_TEST("sources are kept apart", test_sources_apart),
		UNIT_TEST("windows merge into one that needs neither", test_merge),
		UNIT_TEST("without memory each sample is merged or lost", test_merge_no_memory),
		UNIT_TEST("texts are kept by id, whatever bytes they are", test_texts),
		UNIT_TEST("without memory a text is not there", test_texts_no_memory),
		UNIT_TEST("over the limit stacks are shed and counted", test_shed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
