/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_memory.c - --memory holds for what the kernel keeps for a session, and a run with little of it
 * still reports every sample it took.
 */
#include <stdlib.h>
#include <string.h>

#include "tests/e2e/harness.h"
#include "tests/unit/unit.h"

#define MEGABYTE (1u << 20)

struct memory_case {
	const char *name;
	uint64_t megabytes;
};

static const struct memory_case cases[] = {
	{ "the least that is accepted", 8 },
	{ "a quarter of the default", 16 },
	{ "the default", 64 },
	{ "a lot", 512 },
};

static void test_limit(void **state)
{
	static const char *const command[] = { "@storm", "30", "50", NULL };
	const struct memory_case *c = *state;
	struct harness_run run = { .command = command, .seconds = 2, .whole_machine = true,
				   .session = { .frequency_hz = 999,
						.memory_bytes = c->megabytes * MEGABYTE } };
	struct harness_result result;

	harness_need_bpf();
	harness_profile(&run, &result);
	print_message("# of %llu MiB: %.1f MiB in the kernel\n", (unsigned long long)c->megabytes,
		      (double)result.stats.memory_kernel_bytes / MEGABYTE);
	assert_true(result.stats.memory_kernel_bytes > 0);
	assert_true(result.stats.memory_kernel_bytes <= c->megabytes * MEGABYTE);
	assert_true(result.stats.taken > 100);
	harness_check_invariant(&result.stats);
	harness_done(&result);
}

static void test_too_little(void **state)
{
	struct session_options options = { .memory_bytes = MEGABYTE };
	struct session *session = NULL;
	struct error err = { 0 };

	harness_need_bpf();
	assert_true(session_open(&options, &session, &err) < 0);
	assert_null(session);
	assert_int_equal(err.kind, ERROR_USAGE);
	assert_non_null(strstr(err.text, "at least 8M"));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("less than the least is refused with what is needed", test_too_little),
	};

	return unit_run_rows("memory", test_limit, UNIT_ROWS(cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
