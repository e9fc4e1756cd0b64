/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_probe_hits.c - what a probe reads of a function whose arguments are known, what its filter lets
 * through, and that each hit is counted once.
 */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "profiler/base/clock.h"
#include "tests/e2e/probe_rig.h"
#include "tests/unit/unit.h"

#define BAD_ADDRESS 0x10
#define LONG_BYTES 600

struct inner {
	char pad[24];
	uint32_t low : 3, middle : 5, high : 24;
	const char *name;
};

struct outer {
	uint64_t pad[3];
	struct inner *inner;
};

static volatile int64_t kept;

__attribute__((noipa)) static int64_t probed(int number, const char *text, struct outer *outer,
					     const void *bytes, int64_t size, char letter,
					     int64_t seventh)
{
	kept = number + size + letter + seventh;
	return kept + (text != NULL) + (outer != NULL) + (bytes != NULL);
}

#define REGISTER(name) .base = PROBE_BASE_REGISTER, .index = PROBE_##name

static const struct probe_fetch number_fetch = { REGISTER(RDI), .bytes = 4,
						 .flags = PROBE_FETCH_SIGNED };
static const struct probe_fetch text_fetch = { REGISTER(RSI), .form = PROBE_TEXT, .size = 64,
					       .flags = PROBE_FETCH_USER };

enum { NUMBER, TEXT, NAME, MIDDLE, BYTES, SIZE_UNUSED, LETTER, SEVENTH, COMM, PID, TID, INNER,
       AGAIN_NAME, CUT, VALUES };

/* Every kind of value; SIZE_UNUSED is what BYTES has for its size, and comes before it. */
static struct probe_site all_site(void)
{
	struct probe_site site = { .value_count = VALUES, .sum = PROBE_NO_VALUE };
	struct probe_fetch *v = site.values;

	v[NUMBER] = number_fetch;
	v[TEXT] = text_fetch;
	v[NAME] = (struct probe_fetch){ REGISTER(RDX), .form = PROBE_TEXT, .size = 64,
					.flags = PROBE_FETCH_USER, .step_count = 2,
					.step = { offsetof(struct outer, inner),
						  offsetof(struct inner, name) } };
	v[MIDDLE] = (struct probe_fetch){ REGISTER(RDX), .bytes = 4, .bit_shift = 3, .bit_count = 5,
					  .flags = PROBE_FETCH_USER | PROBE_FETCH_MEMORY |
						   PROBE_FETCH_SIGNED,
					  .step_count = 1,
					  .step = { offsetof(struct outer, inner) }, .offset = 24 };
	v[BYTES] = (struct probe_fetch){ REGISTER(RCX), .form = PROBE_BYTES, .size = 16,
					 .flags = PROBE_FETCH_USER, .size_value = 1 + NUMBER };
	v[SIZE_UNUSED] = (struct probe_fetch){ REGISTER(R8), .bytes = 8 };
	v[LETTER] = (struct probe_fetch){ REGISTER(R9), .bytes = 1 };
	v[SEVENTH] = (struct probe_fetch){ REGISTER(RSP), .offset = 8, .bytes = 8,
					   .flags = PROBE_FETCH_USER | PROBE_FETCH_MEMORY };
	v[COMM] = (struct probe_fetch){ .base = PROBE_BASE_COMM, .form = PROBE_TEXT, .size = 16 };
	v[PID] = (struct probe_fetch){ .base = PROBE_BASE_PID, .bytes = 4 };
	v[TID] = (struct probe_fetch){ .base = PROBE_BASE_TID, .bytes = 4 };
	v[INNER] = (struct probe_fetch){ REGISTER(RDX), .bytes = 8, .offset = 24,
					 .flags = PROBE_FETCH_USER | PROBE_FETCH_MEMORY };
	v[AGAIN_NAME] = (struct probe_fetch){ .base = PROBE_BASE_VALUE, .from = INNER,
					      .form = PROBE_TEXT, .size = 2,
					      .flags = PROBE_FETCH_USER, .step_count = 1,
					      .step = { offsetof(struct inner, name) } };
	v[CUT] = (struct probe_fetch){ REGISTER(RSI), .form = PROBE_TEXT, .size = 3,
				       .flags = PROBE_FETCH_USER };
	return site;
}

static const char *const hit[] = { "probe_hit", NULL };

static struct probe_rig rig_of(const struct probe_site *site, bool events)
{
	return (struct probe_rig){ .object = "probe", .programs = hit, .sites = site,
				   .site_count = 1, .settings.deliver_events = events };
}

static void rig_begin(struct probe_rig *rig)
{
	probe_rig_open(rig);
	probe_rig_attach(rig, "probe_hit", false, probed, 0);
	probe_rig_start(rig);
}

static void test_values(void **state)
{
	struct probe_site site = all_site();
	struct probe_rig rig = rig_of(&site, true);
	/* On the stack: a page of constants may not be there yet. */
	char comm[] = "probe hits", text[] = "text", nested[] = "nested", bytes[] = "by\0te",
	     nothing[] = "";
	struct inner inner = { .low = 5, .middle = 0x1e, .high = 7, .name = nested };
	struct outer outer = { .inner = &inner };
	const struct window_event *event;
	const uint64_t *values;

	rig_begin(&rig);
	assert_int_equal(pthread_setname_np(pthread_self(), comm), 0);
	probed(5, text, &outer, bytes, 77, 'x', 0x123456789abcdef0);
	probed(-7, nothing, &outer, bytes, -1, '\xff', -1);
	probe_rig_stop(&rig);
	assert_int_equal(probe_rig_event_count(&rig), 2);
	event = probe_rig_event(&rig, 0);
	values = event->values->value;
	assert_int_equal(event->values->unreadable, 0);
	assert_int_equal(event->sample.value.sum, 1);
	assert_int_equal(values[NUMBER], 5);
	probe_rig_check_text(event, TEXT, "text", 4);
	probe_rig_check_text(event, NAME, "nested", 6);
	assert_int_equal(values[MIDDLE], -2);
	probe_rig_check_text(event, BYTES, "by\0te", 5);
	assert_int_equal(values[SIZE_UNUSED], 77);
	assert_int_equal(values[LETTER], 'x');
	assert_int_equal(values[SEVENTH], 0x123456789abcdef0);
	probe_rig_check_text(event, COMM, comm, strlen(comm));
	assert_int_equal(values[PID], getpid());
	assert_int_equal(values[TID], gettid());
	assert_int_equal(values[INNER], (uintptr_t)&inner);
	probe_rig_check_text(event, AGAIN_NAME, "ne", 2);
	probe_rig_check_text(event, CUT, "tex", 3);
	assert_int_equal(event->values->cut, 1 << AGAIN_NAME | 1 << CUT);
	event = probe_rig_event(&rig, 1);
	values = event->values->value;
	assert_int_equal(values[NUMBER], -7);
	probe_rig_check_text(event, TEXT, "", 0);
	probe_rig_check_text(event, BYTES, "", 0);
	assert_int_equal(values[LETTER], 0xff);
	assert_int_equal(values[SEVENTH], -1);
	assert_int_equal(event->values->cut, 1 << AGAIN_NAME);
	probe_rig_close(&rig);
}

static void test_unreadable(void **state)
{
	struct probe_site site = all_site();
	struct probe_rig rig = rig_of(&site, true);
	struct outer outer = { .inner = (struct inner *)BAD_ADDRESS };
	const struct window_event *event;

	rig_begin(&rig);
	probed(5, (const char *)BAD_ADDRESS, &outer, (const void *)BAD_ADDRESS, 5, 0, 0);
	probe_rig_stop(&rig);
	event = probe_rig_event(&rig, 0);
	assert_int_equal(event->values->unreadable, 1 << TEXT | 1 << NAME | 1 << MIDDLE |
							    1 << BYTES | 1 << AGAIN_NAME |
							    1 << CUT);
	/* Where it would be is known of a text, and not of one behind a pointer that is bad. */
	assert_int_equal(event->values->value[TEXT], BAD_ADDRESS);
	assert_int_equal(event->values->value[NAME], 0);
	assert_int_equal(event->values->value[MIDDLE], 0);
	probe_rig_check_text(event, COMM, "probe hits", 10);
	/* They are only shown. */
	assert_int_equal(probe_rig_counter(&rig, WICK_COUNTER_UNREADABLE), 0);
	probe_rig_close(&rig);
}

/* Texts of an event have 2 KiB: the last of them are cut, and none is in another's place. */
static void test_many_texts(void **state)
{
	struct probe_site site = { .value_count = PROBE_VALUES_MAX, .sum = PROBE_NO_VALUE };
	struct probe_rig rig = rig_of(&site, true);
	const struct window_event *event;
	char text[LONG_BYTES + 1] = "";

	memset(text, 't', LONG_BYTES);
	for (size_t i = 0; i < PROBE_VALUES_MAX; i++) {
		site.values[i] = text_fetch;
		site.values[i].size = i ? 300 : PROBE_TEXT_MAX;
	}
	rig_begin(&rig);
	probed(0, text, NULL, NULL, 0, 0, 0);
	probe_rig_stop(&rig);
	event = probe_rig_event(&rig, 0);
	assert_int_equal(event->values->unreadable, 0);
	assert_int_equal(event->values->cut, 0xffff);
	assert_int_equal(event->values->text_bytes, PROBE_TEXTS_BYTES);
	probe_rig_check_text(event, 0, text, PROBE_TEXT_MAX);
	for (size_t i = 1; i <= 5; i++)
		probe_rig_check_text(event, i, text, 300);
	/* Each begins at a whole word. */
	probe_rig_check_text(event, 6, text, PROBE_TEXTS_BYTES - PROBE_TEXT_MAX - 5 * 304);
	probe_rig_check_text(event, 15, text, 0);
	probe_rig_close(&rig);
}

static uint64_t sum_of(const struct probe_rig *rig, uint64_t *ret_count)
{
	struct window_sample sample;
	size_t position = 0;
	uint64_t sum = 0;

	*ret_count = 0;
	while (window_next_sample(rig->window, &position, &sample)) {
		sum += sample.value.sum;
		*ret_count += sample.value.count;
	}
	return sum;
}

static void test_sum(void **state)
{
	struct probe_site site = { .value_count = 1, .sum = 0, .values = { number_fetch } };
	struct probe_rig rig = rig_of(&site, false);
	uint64_t count;

	rig_begin(&rig);
	for (int i = -100; i < 50; i++)
		probed(i, "", NULL, NULL, 0, 0, 0);
	probe_rig_stop(&rig);
	assert_int_equal(sum_of(&rig, &count), -(100 * 101 / 2 - 49 * 50 / 2));
	assert_int_equal(count, 150);
	assert_int_equal(probe_rig_counter(&rig, WICK_COUNTER_TAKEN), 150);
	probe_rig_close(&rig);
}

/* Of samples with label @field of this value. */
static uint64_t count_of(const struct probe_rig *rig, enum wick_detail_field field, uint64_t value)
{
	struct window_sample sample;
	size_t position = 0;
	uint64_t count = 0;

	while (window_next_sample(rig->window, &position, &sample)) {
		const struct wick_detail *detail = window_detail(rig->window, sample.key.detail);

		if (detail && detail->present >> field & 1 && detail->value[field] == value)
			count += sample.value.count;
	}
	return count;
}

/* The same of a label that is a text. */
static uint64_t count_of_text(const struct probe_rig *rig, enum wick_detail_field field,
			      const char *text)
{
	struct window_sample sample;
	size_t position = 0;
	uint64_t count = 0;

	while (window_next_sample(rig->window, &position, &sample)) {
		const struct wick_detail *detail = window_detail(rig->window, sample.key.detail);
		const struct window_text *found =
			detail ? window_text(rig->window, detail->value[field]) : NULL;

		if (found && found->bytes == strlen(text) &&
		    !memcmp(found->text, text, found->bytes))
			count += sample.value.count;
	}
	return count;
}

static void test_labels(void **state)
{
	struct probe_site site = { .value_count = 2, .sum = PROBE_NO_VALUE, .label_count = 2,
				   .labels = { 0, 1 }, .values = { number_fetch, text_fetch } };
	struct probe_rig rig = rig_of(&site, false);
	/* On the stack, which is there: constants are where nobody may have been yet. */
	char text[] = "textual", letter[] = "t";

	rig_begin(&rig);
	for (int i = 0; i < 30; i++)
		probed(-(i % 3), i % 2 ? text : letter, NULL, NULL, 0, 0, 0);
	probed(9, (const char *)BAD_ADDRESS, NULL, NULL, 0, 0, 0);
	probe_rig_stop(&rig);
	assert_int_equal(count_of(&rig, WICK_DETAIL_ARG1, 0), 10);
	assert_int_equal(count_of(&rig, WICK_DETAIL_ARG1, -1ull), 10);
	assert_int_equal(count_of(&rig, WICK_DETAIL_ARG1, -2ull), 10);
	assert_int_equal(count_of(&rig, WICK_DETAIL_ARG1, 9), 1);
	assert_int_equal(count_of_text(&rig, WICK_DETAIL_ARG2, text), 15);
	assert_int_equal(count_of_text(&rig, WICK_DETAIL_ARG2, "t"), 15);
	assert_int_equal(probe_rig_counter(&rig, WICK_COUNTER_UNREADABLE), 1);
	assert_int_equal(probe_rig_counter(&rig, WICK_COUNTER_TAKEN), 31);
	probe_rig_close(&rig);
}

/* number < 0 || text == "yes" */
static void test_filter(void **state)
{
	struct probe_site site = {
		.value_count = 2,
		.term_count = 2,
		.sum = PROBE_NO_VALUE,
		.values = { number_fetch, text_fetch },
		.terms = { { .left = 0, .right = PROBE_RIGHT_CONSTANT, .op = PROBE_LESS,
			     .flags = PROBE_TERM_SIGNED, .if_true = PROBE_ACCEPT, .if_false = 1 },
			   { .left = 1, .right = PROBE_RIGHT_CONSTANT, .op = PROBE_EQUAL,
			     .flags = PROBE_TERM_TEXT, .if_true = PROBE_ACCEPT,
			     .if_false = PROBE_REJECT } },
		.constant_bytes = { 3 },
		.constants = { "yes" },
	};
	struct probe_rig rig = rig_of(&site, true);
	char yes[] = "yes", no[] = "no";

	rig_begin(&rig);
	for (int i = 0; i < 20; i++)
		probed(i % 2 ? -1 : 1, i % 4 ? no : yes, NULL, NULL, 0, 0, 0);
	probed(1, (const char *)BAD_ADDRESS, NULL, NULL, 0, 0, 0);
	probe_rig_stop(&rig);
	assert_int_equal(probe_rig_event_count(&rig), 15);
	assert_int_equal(probe_rig_counter(&rig, WICK_COUNTER_TAKEN), 15);
	assert_int_equal(probe_rig_counter(&rig, WICK_COUNTER_FILTERED), 6);
	assert_int_equal(probe_rig_counter(&rig, WICK_COUNTER_UNREADABLE), 1);
	for (size_t i = 0; i < 15; i++) {
		const struct window_event *event = probe_rig_event(&rig, i);

		if ((int64_t)event->values->value[0] >= 0)
			probe_rig_check_text(event, 1, "yes", 3);
	}
	probe_rig_close(&rig);
}

__attribute__((noipa)) static void other(int64_t number)
{
	kept = number;
}

static void test_sites(void **state)
{
	struct probe_site sites[2] = { { .value_count = 1, .sum = 0, .values = { number_fetch } },
				       { .value_count = 2, .sum = 1,
					 .values = { number_fetch, number_fetch } } };
	struct probe_rig rig = rig_of(sites, true);

	sites[1].values[0].offset = 1000;
	rig.site_count = 2;
	rig.settings.option[PROBE_OPTION_COOKIES] = 1;
	probe_rig_open(&rig);
	probe_rig_attach(&rig, "probe_hit", false, probed, 0);
	probe_rig_attach(&rig, "probe_hit", false, other, 1);
	probe_rig_start(&rig);
	other(5);
	probed(6, "", NULL, NULL, 0, 0, 0);
	probe_rig_stop(&rig);
	assert_int_equal(probe_rig_event_count(&rig), 2);
	assert_int_equal(probe_rig_event(&rig, 0)->values->site, 1);
	assert_int_equal(probe_rig_event(&rig, 0)->values->value[0], 1005);
	assert_int_equal(probe_rig_event(&rig, 0)->sample.value.sum, 5);
	assert_int_equal(probe_rig_event(&rig, 1)->values->site, 0);
	assert_int_equal(probe_rig_event(&rig, 1)->sample.value.sum, 6);
	probe_rig_close(&rig);
}

/* Stacks come as copies, for want of tables; values go with the event all the same. */
static void test_stacks(void **state)
{
	struct probe_site site = { .value_count = 1, .sum = 0, .values = { number_fetch } };
	struct probe_rig rig = rig_of(&site, true);

	rig.settings.walk_user = 1;
	rig_begin(&rig);
	for (int i = 0; i < 20; i++)
		probed(i, "", NULL, NULL, 0, 0, 0);
	probe_rig_stop(&rig);
	assert_int_equal(probe_rig_event_count(&rig), 20);
	for (int i = 0; i < 20; i++) {
		assert_int_equal(probe_rig_event(&rig, i)->values->value[0], i);
		assert_true(probe_rig_event(&rig, i)->sample.key.user_stack >= WICK_STACK_FIRST);
	}
	assert_int_equal(rig.copies, 20);
	probe_rig_close(&rig);
}

static void test_count_limit(void **state)
{
	struct probe_site site = { .value_count = 1, .sum = 0, .values = { number_fetch } };
	struct probe_rig rig = rig_of(&site, true);

	rig.settings.events_max = 10;
	rig_begin(&rig);
	for (int i = 0; i < 100; i++)
		probed(i, "", NULL, NULL, 0, 0, 0);
	probe_rig_stop(&rig);
	assert_int_equal(probe_rig_event_count(&rig), 10);
	assert_int_equal(probe_rig_counter(&rig, WICK_COUNTER_TAKEN), 10);
	assert_int_equal(probe_rig_counter(&rig, WICK_COUNTER_LIMITED), 90);
	probe_rig_close(&rig);
}

#define RATE 200

static void test_rate_limit(void **state)
{
	struct probe_site site = { .value_count = 1, .sum = 0, .values = { number_fetch } };
	struct probe_rig rig = rig_of(&site, true);
	uint64_t begin_ns, hits = 0, ns;

	rig.settings.events_per_second = RATE;
	rig_begin(&rig);
	begin_ns = clock_monotonic_ns();
	do {
		probed(hits++, "", NULL, NULL, 0, 0, 0);
		usleep(100);
		ns = clock_monotonic_ns() - begin_ns;
	} while (ns < 500000000);
	probe_rig_stop(&rig);
	print_message("# %zu of %lu hits in %.0f ms\n", probe_rig_event_count(&rig),
		      (unsigned long)hits, ns / 1e6);
	/* A tenth of a second's may come at once. */
	assert_true(probe_rig_event_count(&rig) <= ns * RATE / 1000000000 + RATE / 10 + 1);
	assert_true(probe_rig_event_count(&rig) >= RATE / 4);
	assert_int_equal(probe_rig_counter(&rig, WICK_COUNTER_LIMITED),
			 hits - probe_rig_event_count(&rig));
	probe_rig_close(&rig);
}

static void test_ring_full(void **state)
{
	struct probe_site site = { .value_count = 1, .sum = PROBE_NO_VALUE,
				   .values = { text_fetch } };
	struct probe_rig rig = rig_of(&site, true);
	char text[LONG_BYTES + 1] = "";

	memset(text, 't', LONG_BYTES);
	site.values[0].size = PROBE_TEXT_MAX;
	rig.limits.ring_bytes = 1 << 16;
	rig_begin(&rig);
	for (int i = 0; i < 1000; i++)
		probed(i, text, NULL, NULL, 0, 0, 0);
	probe_rig_stop(&rig);
	assert_int_equal(probe_rig_counter(&rig, WICK_COUNTER_TAKEN), 1000);
	assert_true(probe_rig_counter(&rig, WICK_COUNTER_LOST_EVENT) > 500);
	assert_true(probe_rig_event_count(&rig) > 20);
	probe_rig_close(&rig);
}

static void test_counts_full(void **state)
{
	struct probe_site site = { .value_count = 1, .sum = PROBE_NO_VALUE, .label_count = 1,
				   .values = { number_fetch } };
	struct probe_rig rig = rig_of(&site, false);

	rig.limits.counts = 64;
	rig_begin(&rig);
	for (int i = 0; i < 1000; i++)
		probed(i, "", NULL, NULL, 0, 0, 0);
	probe_rig_stop(&rig);
	assert_int_equal(probe_rig_counter(&rig, WICK_COUNTER_TAKEN), 1000);
	assert_true(probe_rig_counter(&rig, WICK_COUNTER_LOST_COUNTS) > 500);
	probe_rig_close(&rig);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("values are what the function was given", test_values),
		UNIT_TEST("what cannot be read is unreadable, and nothing else", test_unreadable),
		UNIT_TEST("more text than there is room for is cut", test_many_texts),
		UNIT_TEST("signed values are summed up exactly", test_sum),
		UNIT_TEST("labels are numbers and texts", test_labels),
		UNIT_TEST("each place has its own tables", test_sites),
		UNIT_TEST("events have their values whatever becomes of their stacks", test_stacks),
		UNIT_TEST("no more events than are asked for are taken", test_count_limit),
		UNIT_TEST("nor in a second", test_rate_limit),
		UNIT_TEST("what the ring has no room for is lost, and counted", test_ring_full),
		UNIT_TEST("and what the counts have none for", test_counts_full),
		UNIT_TEST("a filter is asked before anything is taken", test_filter),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
