/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_shares.c - a workload of 60, 30 and 10 percent by construction shows these shares, in
 * folded stacks and to `go tool pprof`, by counts in maps and by single events.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "formats/writer.h"
#include "tests/e2e/harness.h"
#include "tests/unit/unit.h"

#define POINTS_APART 2.0

static const struct share {
	const char *function;
	double percent;
} shares[] = { { "share_60", 60 }, { "share_30", 30 }, { "share_10", 10 } };

static void profile_shares(struct harness_run *run, struct harness_result *ret)
{
	static const char *const command[] = { "@shares", "30", NULL };

	run->command = command;
	run->seconds = 3;
	run->session.frequency_hz = 3989;
	harness_need_bpf();
	harness_profile(run, ret);
	harness_check_invariant(&ret->stats);
}

static void check_folded(const struct harness_result *result)
{
	uint64_t all = harness_folded_sum(result->folded, "share_");

	assert_true(all > 1000);
	for (size_t i = 0; i < ARRAY_SIZE(shares); i++) {
		uint64_t count = harness_folded_sum(result->folded, shares[i].function);
		double percent = harness_percent(count, all);

		print_message("# folded %s %.1f %%\n", shares[i].function, percent);
		assert_true(percent > shares[i].percent - POINTS_APART);
		assert_true(percent < shares[i].percent + POINTS_APART);
	}
}

static void test_folded(void **state)
{
	struct harness_run run = { 0 };
	struct harness_result result;

	profile_shares(&run, &result);
	check_folded(&result);
	harness_done(&result);
}

static void test_events(void **state)
{
	struct harness_run run = { .session = { .delivery = SESSION_EVENTS } };
	struct harness_result result;

	profile_shares(&run, &result);
	check_folded(&result);
	harness_done(&result);
}

static void write_pprof(const struct profile *profile, const char *path)
{
	const struct writer *writer = writer_find_suffix(path);
	struct writer_options options = { 0 };
	struct sink *sink;

	assert_int_equal(sink_open_file(path, &sink), 0);
	assert_int_equal(writer->write(profile, &options, sink), 0);
	assert_int_equal(sink_close(sink), 0);
}

/* A line of -top: "flat flat% sum% cum cum% name". */
static double top_percent(const char *path, const char *function)
{
	char command[600], line[512];
	double percent = -1;
	FILE *f;

	snprintf(command, sizeof(command),
		 "go tool pprof -top -focus=share_ -relative_percentages %s 2>/dev/null", path);
	f = popen(command, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		if (strstr(line, function))
			sscanf(line, "%*s %lf%%", &percent);
	pclose(f);
	return percent;
}

static void test_pprof(void **state)
{
	struct harness_run run = { 0 };
	struct harness_result result;
	char path[256];

	if (system("command -v go >/dev/null")) {
		print_message("skipped: go is not installed\n");
		skip();
	}
	profile_shares(&run, &result);
	snprintf(path, sizeof(path), "%s/shares.pb.gz", getenv("WICK_TMP") ?: "/tmp");
	write_pprof(result.profile, path);
	for (size_t i = 0; i < ARRAY_SIZE(shares); i++) {
		double percent = top_percent(path, shares[i].function);

		print_message("# pprof %s %.1f %%\n", shares[i].function, percent);
		assert_true(percent > shares[i].percent - POINTS_APART);
		assert_true(percent < shares[i].percent + POINTS_APART);
	}
	unlink(path);
	harness_done(&result);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("folded stacks show the shares", test_folded),
		UNIT_TEST("single events show the same shares", test_events),
		UNIT_TEST("go tool pprof shows the shares", test_pprof),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
