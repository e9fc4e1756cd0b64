/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/needs.h"

#include <string.h>
#include <unistd.h>

#include "profiler/session.h"
#include "tests/unit/unit.h"

static void test_rows(void **state)
{
	for (const struct source *s = source_table; s->name; s++) {
		if (!s->needs && !s->parts[0])
			fail_msg("%s does not say what it needs", s->name);
		for (const struct source_need *need = s->needs; need && need->reason; need++) {
			assert_non_null(need->probe);
			assert_true(need->name && need->name[0]);
			assert_true(need->substitute && need->substitute[0]);
		}
	}
}

/* The probes of tracepoints tell one that is everywhere from one that is nowhere. */
static void test_tracepoint(void **state)
{
	const struct source_need *need = &needs_switch[0];
	_cleanup_(session_needs_freep) struct session_needs *needs = session_needs_new();

	if (access("/sys/kernel/btf/vmlinux", R_OK))
		skip();
	assert_string_equal(need->name, "sched_switch");
	assert_true(need->probe(needs, need->name));
	assert_false(need->probe(needs, "no_such_tracepoint"));
}

/* Whatever this machine lacks, each lack says what and what instead, and they end. */
static void test_lacks(void **state)
{
	_cleanup_(session_needs_freep) struct session_needs *needs = session_needs_new();
	const char *help;

	for (size_t i = 0; session_source_name(i, &help); i++) {
		struct session_lack lack;
		size_t count = 0;

		while (session_source_lack(needs, i, count, &lack)) {
			assert_true(strlen(lack.reason) > 0 && strlen(lack.substitute) > 0);
			assert_true(++count < 10);
		}
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("each event says what it needs, and what is instead", test_rows),
		UNIT_TEST("a tracepoint that is not there is not found", test_tracepoint),
		UNIT_TEST("what is lacking is said once", test_lacks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
