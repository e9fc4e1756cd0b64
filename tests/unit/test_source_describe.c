/* SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "profiler/session.h"
#include "profiler/sources/source.h"
#include "tests/unit/unit.h"

static size_t event_number(const char *name)
{
	const char *help;
	size_t i = 0;

	while (strcmp(session_source_name(i, &help), name))
		i++;
	return i;
}

static void test_options(void **state)
{
	size_t event = event_number("offcpu");
	const char *help;

	assert_string_equal(session_event_option(event, 0, &help), "min=TIME");
	assert_string_equal(session_event_option(event, 3, &help), "waker");
	assert_true(help[0]);
	assert_null(session_event_option(event, 4, &help));
	assert_null(session_event_option(event_number("cpu"), 0, &help));
}

/* What is shown of an option with a value begins with what is written. */
static void test_shown(void **state)
{
	for (const struct source *s = source_table; s->name; s++)
		for (const struct source_option *o = s->options; o && o->name; o++) {
			assert_int_equal(!o->parse, !o->shown);
			if (!o->parse)
				continue;
			assert_memory_equal(o->shown, o->name, strlen(o->name));
			assert_int_equal(o->shown[strlen(o->name)], '=');
		}
}

static const struct label_case {
	const char *name, *event;
	const char *labels[6];
} label_cases[] = {
	{ "none", "cpu", { NULL } },
	{ "its own first, then those of the kernel's side", "lock",
	  { "kind", "owner", "errno", "lock" } },
	{ "a composite has those of its parts", "wall", { "syscall", "reason" } },
	{ "what must be asked for is not among them", "fault", { "kind" } },
};

static void test_labels(void **state)
{
	const struct label_case *c = *state;
	size_t event = event_number(c->event), i;

	for (i = 0; c->labels[i]; i++)
		assert_string_equal(session_event_label(event, i), c->labels[i]);
	assert_null(session_event_label(event, i));
}

/* Each once, and each says what it is. */
static void test_own_labels(void **state)
{
	const char *name, *other, *help;
	size_t count;

	for (count = 0; (name = session_own_label(count, &help)); count++) {
		assert_true(help && help[0]);
		for (size_t i = 0; i < count; i++) {
			other = session_own_label(i, &help);
			assert_string_not_equal(name, other);
		}
	}
	assert_true(count >= 8);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("options of an event, as they are written", test_options),
		UNIT_TEST("values are shown behind what is written", test_shown),
		UNIT_TEST("own labels of all events, each once", test_own_labels),
	};

	return unit_run_rows("labels", test_labels, UNIT_ROWS(label_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
