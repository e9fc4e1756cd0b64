/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_source_fault.c - as many page faults as pages were touched; and CPU samples that are lost beside
 * programs that hold the kernel's guard are counted.
 */
#include <bpf/bpf.h>
#include <inttypes.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/sample_sum.h"
#include "tests/unit/unit.h"

#define HZ 999
/* From the exec to the first page that counts; and of a machine that moves pages around. */
#define START_UP_MAX 3000

struct truth {
	int64_t faults, cpu_ms;		/* as the program read them itself */
};

static int64_t sum(const struct harness_result *result, const char *function, const char *kind)
{
	return sample_sum(result->profile, "faults",
			  &(struct sample_choice){ .function = function, .comm = "faults",
						   .label = kind ? "kind" : NULL, .text = kind });
}

/* Of the file the program was given last. */
static char last_path[256];

static void profile_faults(const char *kind, const char *amount, struct harness_run *run,
			   struct harness_result *ret, struct truth *ret_truth)
{
	_cleanup_free_ char *path = harness_file("faults");
	const char *const command[] = { "@faults", kind, path, amount, NULL };
	FILE *f;

	harness_need_bpf();
	snprintf(last_path, sizeof(last_path), "%s", path);
	run->command = command;
	run->seconds = 120;
	run->during = harness_wait_for_end;
	harness_profile(run, ret);
	harness_print(kind, ret);
	harness_check_invariant(&ret->stats);
	f = fopen(path, "re");
	assert_non_null(f);
	assert_int_equal(fscanf(f, "%" SCNd64 " %" SCNd64, &ret_truth->faults,
				&ret_truth->cpu_ms), 2);
	fclose(f);
	unlink(path);
}

static bool is_complete(const struct harness_result *result)
{
	return harness_percent(result->stats.complete_user, result->stats.reported_user) >= 99;
}

static void test_minor(void **state)
{
	static const struct session_event event = { "fault" };
	struct harness_run run = { .session = { .events = &event, .event_count = 1 } };
	struct harness_result result;
	struct truth truth;
	int64_t touched;

	profile_faults("minor", "60000", &run, &result, &truth);
	/* A very busy machine may not have made the tables while it warmed up. */
	for (int tries = 0; tries < 3 && !is_complete(&result); tries++) {
		harness_done(&result);
		profile_faults("minor", "60000", &run, &result, &truth);
	}
	touched = sum(&result, "touch_pages", "minor");
	print_message("# 60000 pages: the kernel counts %" PRId64 ", reported %" PRId64
		      ", all %" PRId64 "\n",
		      truth.faults, touched, sum(&result, NULL, "minor"));
	assert_true(truth.faults >= 60000);
	assert_true(is_complete(&result));
	assert_true(touched >= 60000 * 99 / 100 && touched <= 60000 * 101 / 100);
	assert_true(sum(&result, NULL, "minor") >= truth.faults);
	assert_true(sum(&result, NULL, "minor") <= truth.faults + START_UP_MAX);
	harness_done(&result);
}

static void test_without_stacks(void **state)
{
	static const struct session_event event = { "fault,minor" };
	struct harness_run run = { .no_stacks = true,
				   .session = { .events = &event, .event_count = 1 } };
	struct harness_result result;
	struct truth truth;

	profile_faults("minor", "20000", &run, &result, &truth);
	assert_true(sum(&result, NULL, "minor") >= truth.faults);
	assert_true(sum(&result, NULL, "minor") <= truth.faults + START_UP_MAX);
	assert_int_equal(sum(&result, "touch_pages", NULL), 0);
	harness_done(&result);
}

static void test_only_major(void **state)
{
	static const struct session_event event = { "fault,major" };
	struct harness_run run = { .session = { .events = &event, .event_count = 1 } };
	struct harness_result result;
	struct truth truth;

	profile_faults("minor", "20000", &run, &result, &truth);
	assert_int_equal(sum(&result, NULL, "minor"), 0);
	assert_true(result.stats.taken < 1000);
	harness_done(&result);
}

/* Each page once: a sample for each address. */
static uint32_t pages_read(const struct profile *profile)
{
	profile_string key = profile_find_string(profile, "address");
	uint32_t count = 0;

	for (uint32_t i = 0; i < profile->sample_count; i++) {
		const struct profile_label *l = profile_find_label(&profile->samples[i], key);
		const char *text = l ? profile->strings[l->text] : "";
		size_t size = strlen(text);

		count += size > 3 && !strcmp(text + size - 3, "000");
	}
	return count;
}

static void test_major(void **state)
{
	static const struct session_event event = { "fault" };
	struct harness_run run = { .session = { .events = &event, .event_count = 1,
						.labels = session_label_bit("address") } };
	struct harness_result result;
	struct truth truth;
	int64_t read;

	profile_faults("major", "400", &run, &result, &truth);
	read = sum(&result, "read_pages", "major");
	print_message("# 400 pages: the kernel counts %" PRId64 ", reported %" PRId64
		      ", all %" PRId64 "\n",
		      truth.faults, read, sum(&result, NULL, "major"));
	if (!truth.faults) {
		harness_done(&result);
		print_message("skipped: this file system keeps its pages in memory\n");
		skip();
	}
	assert_true(sum(&result, NULL, "major") >= truth.faults);
	assert_true(sum(&result, NULL, "major") <= truth.faults + START_UP_MAX);
	/* So few that they may be copied, if the tables are late. */
	assert_true(read >= truth.faults * 9 / 10 && read <= truth.faults);
	assert_true(pages_read(result.profile) >= truth.faults);
	harness_done(&result);
}

/* ---- where ---- */

#define PLACES_PAGES 300
#define PLACES_ROUNDS 8

static int64_t file_sum(const struct harness_result *result, const char *function,
			const char *file)
{
	return sample_sum(
		result->profile, "faults",
		&(struct sample_choice){
			.function = function, .comm = "faults", .label = "file", .text = file });
}

/* Of the stack some pages were there already; of others a fault may be given up and tried again. */
#define PAGES_MORE_OR_LESS 16

static void check_place(const struct harness_result *result, const char *function,
			const char *file, int64_t pages)
{
	int64_t found = file_sum(result, function, file);

	print_message("# %s touches %" PRId64 " pages of %s: %" PRId64 " faults, of %" PRId64 "\n",
		      function, pages, file, found, sum(result, function, NULL));
	assert_true(found >= pages - PAGES_MORE_OR_LESS && found <= pages + PAGES_MORE_OR_LESS);
}

/* The files are mapped where another one was a moment before; each fault is of the one at its time. */
static void test_places(void **state)
{
	static const struct session_event event = { "fault" };
	struct harness_run run = { .session = { .events = &event, .event_count = 1,
						.labels = session_label_bit("file") } };
	struct harness_result result;
	struct truth truth;
	char *files[2];

	profile_faults("places", "300", &run, &result, &truth);
	for (int i = 1; i <= 2; i++) {
		assert_true(asprintf(&files[i - 1], "%s.%d", last_path, i) > 0);
		unlink(files[i - 1]);
	}
	check_place(&result, "touch_heap", "[heap]", PLACES_PAGES);
	check_place(&result, "touch_stack", "[stack]", PLACES_PAGES);
	check_place(&result, "touch_pages", "[anon]", PLACES_PAGES);
	for (int i = 0; i < 2; i++) {
		check_place(&result, "touch_files", files[i], PLACES_ROUNDS * PLACES_PAGES);
		free(files[i]);
	}
	assert_int_equal(file_sum(&result, NULL, "[unknown]"), 0);
	/* Pages of the files themselves are no labels: nobody asked for them. */
	assert_int_equal(pages_read(result.profile), 0);
	harness_done(&result);
}

/* A program on a tracepoint, which holds the guard for long: for each getppid(). */
static int hold_guard(void)
{
	const struct bpf_insn code[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_6, .imm = 1000 },
		{ .code = BPF_JMP | BPF_CALL, .imm = BPF_FUNC_ktime_get_ns },
		{ .code = BPF_ALU64 | BPF_SUB | BPF_K, .dst_reg = BPF_REG_6, .imm = 1 },
		{ .code = BPF_JMP | BPF_JNE | BPF_K, .dst_reg = BPF_REG_6, .off = -3 },
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	struct perf_event_attr attr = { .size = sizeof(attr), .type = PERF_TYPE_TRACEPOINT,
					.sample_period = 1 };
	FILE *f = fopen("/sys/kernel/tracing/events/syscalls/sys_enter_getppid/id", "re") ?:
			  fopen("/sys/kernel/debug/tracing/events/syscalls/sys_enter_getppid/id",
				"re");
	unsigned long long id;
	int program, event;

	if (!f)
		return -1;
	assert_int_equal(fscanf(f, "%llu", &id), 1);
	fclose(f);
	program = bpf_prog_load(BPF_PROG_TYPE_TRACEPOINT, "hold_guard", "GPL", code,
				sizeof(code) / sizeof(code[0]), NULL);
	assert_true(program >= 0);
	attr.config = id;
	event = syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	assert_true(event >= 0);
	assert_false(ioctl(event, PERF_EVENT_IOC_SET_BPF, program));
	close(program);
	return event;
}

/*
 * Beside the faults' own programs, which newer kernels run with interrupts off, so that a tick waits
 * for their end and is not lost. The ticks that were lost make up for what the samples lack.
 */
static void test_skipped(void **state)
{
	static const struct session_event events[] = { { "cpu" }, { "fault" } };
	struct harness_run run = { .session = { .events = events, .event_count = 2,
						.frequency_hz = HZ } };
	struct harness_result result;
	int64_t samples, skipped, expected;
	struct truth truth;
	int guard;

	harness_need_bpf();
	guard = hold_guard();
	profile_faults("storm", "3", &run, &result, &truth);
	if (guard >= 0)
		close(guard);
	samples =
		sample_sum(result.profile, "samples", &(struct sample_choice){ .comm = "faults" });
	skipped = harness_count(result.stats.losses, "kernel-skipped");
	expected = truth.cpu_ms * HZ / 1000;
	print_message("# %" PRId64 " faults; ticks: %" PRId64 " expected, %" PRId64
		      " sampled, %" PRId64 " skipped\n",
		      truth.faults, expected, samples, skipped);
	assert_true(sum(&result, NULL, "minor") >= truth.faults);
	assert_true(sum(&result, NULL, "minor") <= truth.faults + START_UP_MAX);
	if (guard >= 0)
		assert_true(skipped > expected / 10);
	assert_true(samples + skipped > expected * 9 / 10 &&
		    samples + skipped < expected * 11 / 10);
	harness_done(&result);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("a fault for each page that is touched", test_minor),
		UNIT_TEST("without stacks, too", test_without_stacks),
		UNIT_TEST("only major ones", test_only_major),
		UNIT_TEST("a major one for each page that is read from the disk", test_major),
		UNIT_TEST("each is of the file that was mapped there at that time", test_places),
		UNIT_TEST("ticks the kernel skipped are counted as lost", test_skipped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
