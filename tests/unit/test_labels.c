/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>

#include "profiler/labels/labels.h"
#include "profiler/session.h"
#include "tests/unit/fail_alloc.h"
#include "tests/unit/unit.h"

static const struct wick_task task = { .pid = 10, .tid = 11, .comm = "worker",
				       .process_comm = "0123456789abcde" };
/* A row without labels of its own, and one with all that a row may have. */
static const struct source plain = { .name = "plain" };
static const char *key_word(uint64_t key)
{
	return key == 7 ? "seven" : NULL;
}

static const struct source full = {
	.name = "full",
	.labels = WICK_DETAIL_BIT(REASON) | WICK_DETAIL_BIT(KEY),
	.reason = "on-cpu",
	.key_label = "device",
	.key_text = key_word,
	.peer_label = "waker",
};

struct label_case {
	const char *name;
	const char *wanted;		/* of --label; NULL: none */
	const struct source *source;
	uint64_t present;
	unsigned int field;		/* which of them has @value */
	uint64_t value;
	const char *key;		/* of the label that follows pid, tid, comm and thread */
	const char *text;		/* NULL: @number, in units of @key */
	int64_t number;
};

#define FACT(field) WICK_DETAIL_BIT(field), WICK_DETAIL_##field
#define NO_LABEL NULL

static const struct label_case cases[] = {
	{ "a number", "cpu", &plain, FACT(CPU), 3, "cpu", NULL, 3 },
	{ "what nobody asked for is left out", NULL, &plain, FACT(CPU), 3, NO_LABEL },
	{ "what was not filled in is left out", "cpu", &plain, 0, WICK_DETAIL_CPU, 3, NO_LABEL },
	{ "a system call by its name", "syscall", &plain, FACT(SYSCALL), 0, "syscall", "read" },
	{ "one without a name by its number", "syscall", &plain, FACT(SYSCALL), 4000, "syscall",
	  NULL, 4000 },
	{ "an error by its name", "errno", &plain, FACT(ERRNO), EAGAIN, "errno", "EAGAIN" },
	{ "the address of a lock", "lock", &plain, FACT(LOCK), 0xdeadbeef, "lock", "0xdeadbeef" },
	{ "an address", "address", &plain, FACT(ADDRESS), 0x1000, "address", "0x1000" },
	{ "a source's own label needs no asking", NULL, &full, FACT(REASON), WICK_REASON_DISK,
	  "reason", "disk" },
	{ "another source's does", NULL, &plain, FACT(REASON), WICK_REASON_DISK, NO_LABEL },
	{ "a reason with its system call", NULL, &full,
	  WICK_DETAIL_BIT(REASON) | WICK_DETAIL_BIT(SYSCALL), WICK_DETAIL_REASON,
	  WICK_REASON_SYSCALL, "reason", "read" },
	{ "the key has the name its row gives it", NULL, &full, FACT(KEY), 7, "device", "seven" },
	{ "a key without a word is a number", NULL, &full, FACT(KEY), 8, "device", NULL, 8 },
	{ "a key without a name is no label", NULL, &plain, FACT(KEY), 7, NO_LABEL },
	{ "the one at the other end", NULL, &full, FACT(PEER_TASK), 99, "waker", "waking" },
	{ "of nobody's concern without a name", NULL, &plain, FACT(PEER_TASK), 99, NO_LABEL },
	{ "a bucket is there when it is filled in", NULL, &plain, FACT(BUCKET), 12, "bucket", NULL,
	  12 },
};

static struct profile_builder *builder;

static void check_text(profile_string string, const char *text)
{
	assert_string_equal(profile_builder_text(builder, string), text);
}

static void check_first(const struct profile_label *list)
{
	check_text(list[0].key, "pid");
	assert_int_equal(list[0].number, 10);
	check_text(list[0].unit, "pid");
	check_text(list[1].key, "tid");
	assert_int_equal(list[1].number, 11);
	check_text(list[2].key, "comm");
	check_text(list[2].text, "0123456789abcde");
	check_text(list[3].key, "thread");
	check_text(list[3].text, "worker");
}

static int fill(const struct label_case *c, struct profile_label *list)
{
	_cleanup_(labels_freep) struct labels *labels = NULL;
	struct wick_detail detail = { .present = c->present };
	struct label_input input = { .source = c->source, .shown = c->source, .task = &task,
				     .detail = &detail, .peer = "waking" };
	int r = labels_new(c->wanted ? session_label_bit(c->wanted) : 0, builder, &labels);

	detail.value[c->field] = c->value;
	return r < 0 ? r : labels_fill(labels, &input, list);
}

static void test_label(void **state)
{
	const struct label_case *c = *state;
	struct profile_label list[LABELS_MAX];
	int count;

	builder = profile_builder_new();
	count = fill(c, list);
	assert_int_equal(count, c->key ? 5 : 4);
	check_first(list);
	if (c->key) {
		check_text(list[4].key, c->key);
		check_text(list[4].text, c->text ?: "");
		assert_int_equal(list[4].number, c->number);
		check_text(list[4].unit, c->text ? "" : c->key);
	}
	profile_builder_free(builder);
}

/* "reason" is "on-cpu" for the part of a composite that does not wait. */
static void test_composite(void **state)
{
	static const struct source shown = { .name = "both" };
	struct label_input input = { .source = &full, .shown = &shown, .task = &task };
	struct profile_label list[LABELS_MAX];
	struct labels *labels;

	builder = profile_builder_new();
	assert_int_equal(labels_new(0, builder, &labels), 0);
	assert_int_equal(labels_fill(labels, &input, list), 5);
	check_text(list[4].key, "reason");
	check_text(list[4].text, "on-cpu");
	labels_free(labels);
	profile_builder_free(builder);
}

/* Every label of --label has a bit of its own, and facts to ask for or none. */
static void test_table(void **state)
{
	const char *name, *help;
	uint64_t bits = 0;

	for (size_t i = 0; (name = session_label_name(i, &help)); i++) {
		uint64_t bit = session_label_bit(name);

		assert_int_equal(__builtin_popcountll(bit), 1);
		assert_int_equal(bits & bit, 0);
		assert_true(help[0]);
		assert_int_equal(labels_details(bit) >> WICK_DETAIL_COUNT, 0);
		bits |= bit;
	}
	assert_int_equal(session_label_bit("nothing"), 0);
	assert_int_equal(labels_details(session_label_bit("reason")),
			 WICK_DETAIL_BIT(REASON) | WICK_DETAIL_BIT(SYSCALL));
	assert_int_equal(labels_details(0), 0);
	assert_int_equal(labels_details_of(&full, session_label_bit("lock"), false),
			 full.labels | WICK_DETAIL_BIT(LOCK));
	assert_int_equal(labels_details_of(&full, session_label_bit("lock"), true),
			 WICK_DETAIL_BIT(KEY) | WICK_DETAIL_BIT(LOCK));
	assert_int_equal(labels_details_of(&plain, 0, true), 0);
}

static int run_fill(void *arg)
{
	struct profile_label list[LABELS_MAX];
	int r;

	builder = profile_builder_new();
	r = builder ? fill(arg, list) : -ENOMEM;
	profile_builder_free(builder);
	return r;
}

static void test_no_memory(void **state)
{
	assert_true(fail_alloc_each(run_fill, (void *)&cases[3]) > 4);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("a part of a composite says that it does not wait", test_composite),
		UNIT_TEST("labels of --label have bits and facts", test_table),
		UNIT_TEST("without memory it is said", test_no_memory),
	};

	return unit_run_rows("labels", test_label, UNIT_ROWS(cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
