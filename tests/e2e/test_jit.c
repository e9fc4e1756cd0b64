/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_jit.c - code that node compiles while it runs is unwound, and named by node's perf map.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/unit/unit.h"

static const char script[] =
	"function hotLoop(n) { let s = 0; for (let i = 0; i < n; i++) s += Math.sqrt(i) * i % 7;"
	" return s }\n"
	"function hotCaller(n) { return hotLoop(n) + 1 }\n"
	"for (;;) { hotCaller(1e5); JSON.parse(JSON.stringify({ a: [1, 2, 3] })) }";

static void test_node(void **state)
{
	static const char *const command[] = { "node", "--perf-basic-prof",
					       "--logfile=/dev/null",
					       "--no-logfile-per-isolate", "-e", script,
					       NULL };
	struct harness_run run = { .command = command, .seconds = 3,
				   .session = { .frequency_hz = 499 } };
	struct harness_result result;
	uint64_t named;

	harness_need_bpf();
	if (system("command -v node >/dev/null")) {
		print_message("skipped: node is not installed\n");
		skip();
	}
	harness_profile(&run, &result);
	harness_print("node", &result);
	named = harness_folded_sum(result.folded, "hotLoop");
	assert_true(result.stats.reported_user > 200);
	assert_true(harness_percent(result.stats.complete_user, result.stats.reported_user) >= 99);
	assert_true(named > result.stats.reported_user / 2);
	harness_check_invariant(&result.stats);
	harness_done(&result);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("functions compiled by node have their names", test_node),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
