/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_uprobes.c - stacks stay complete while return probes, anyone's, are pending on them.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "symbolizer/elf/elf_file.h"
#include "tests/e2e/harness.h"
#include "tests/unit/unit.h"

#define DEPTH "40"
#define RETURN_PROBE 1

static char program[512];

/* The offset in the file of function @name of @program. */
static uint64_t function_offset(const char *name)
{
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	_cleanup_free_ struct elf_symbol *symbols = NULL;
	_cleanup_close_ int fd = open(program, O_RDONLY | O_CLOEXEC);
	const struct elf_segment *segments;
	size_t segment_count;
	long count;

	assert_int_equal(elf_file_open_fd(fd, &elf), 0);
	count = elf_file_symbols(elf, ".symtab", &symbols);
	segments = elf_file_segments(elf, &segment_count);
	for (long i = 0; i < count; i++) {
		if (strcmp(symbols[i].name, name))
			continue;
		for (size_t j = 0; j < segment_count; j++)
			if (segments[j].executable)
				return symbols[i].address - segments[j].address +
				       segments[j].offset;
	}
	fail_msg("no function %s", name);
	return 0;
}

/* A return probe that only counts, as any other tool might hold one. */
static int probe_open(const char *function)
{
	FILE *f = fopen("/sys/bus/event_source/devices/uprobe/type", "re");
	struct perf_event_attr attr = { .size = sizeof(attr) };
	unsigned int type = 0;

	if (!f || fscanf(f, "%u", &type) != 1) {
		if (f)
			fclose(f);
		return -ENOENT;
	}
	fclose(f);
	attr.type = type;
	attr.config = RETURN_PROBE;
	attr.config1 = (uintptr_t)program;
	attr.config2 = function_offset(function);
	return syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
}

static void test_pending(void **state)
{
	static const char *const command[] = { "@recurse", "30", DEPTH, NULL };
	struct harness_patience patience = { .seconds = 2, .samples = 600 };
	struct harness_run run = { .command = command, .seconds = 15,
				   .during = harness_wait_for_samples, .context = &patience,
				   .session = { .frequency_hz = 499 } };
	struct harness_result result;
	char expected[64 * 16] = "";
	int fd;

	harness_need_bpf();
	snprintf(program, sizeof(program), "%s/recurse",
		 getenv("WICK_WORKLOADS") ?: "build/tests/workloads");
	fd = probe_open("recurse_down");
	if (fd < 0) {
		print_message("skipped: no uprobes in this kernel\n");
		skip();
	}
	for (int i = 0; i < atoi(DEPTH); i++)
		strcat(expected, ";recurse_down");
	harness_profile(&run, &result);
	close(fd);
	harness_print("pending return probes", &result);
	assert_true(result.stats.reported_user > 200);
	assert_true(harness_percent(result.stats.complete_user, result.stats.reported_user) >= 99);
	/* The whole chain, every frame of which has the trampoline for its return address. */
	assert_true(harness_folded_sum(result.folded, expected) > result.stats.reported_user / 2);
	harness_check_invariant(&result.stats);
	harness_done(&result);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("return addresses of [uprobes] are replaced", test_pending),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
