/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_source_irq.c - as many interrupts and softirqs as the kernel counts in /proc, and how long they
 * take. What the kernel has counted is read before and after the run, and at the first and the last
 * moment within it: what was reported lies between the two differences.
 */
#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "profiler/base/cleanup.h"
#include "tests/e2e/harness.h"
#include "tests/e2e/sample_sum.h"
#include "tests/unit/unit.h"

#define ROWS_MAX 64

struct tally {
	char name[32];			/* "TIMER", "36" */
	uint64_t count;			/* on all CPUs */
};

struct tallies {
	struct tally rows[ROWS_MAX];
	size_t count;
};

struct bounds {
	const char *file;
	struct tallies before, begun, last, after;
	unsigned int round;
};

/* Rows "NAME: N N … text" of /proc/interrupts and /proc/softirqs. */
static void tallies_read(const char *file, struct tallies *ret)
{
	_cleanup_fclose_ FILE *f = fopen(file, "re");
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	assert_non_null(f);
	ret->count = 0;
	while (getline(&line, &size, f) > 0 && ret->count < ROWS_MAX) {
		struct tally *row = &ret->rows[ret->count];
		char *at = strchr(line, ':'), *end;

		if (!at || sscanf(line, " %31[^:]", row->name) != 1)
			continue;
		row->count = 0;
		for (at++;; at = end) {
			uint64_t number = strtoull(at, &end, 10);

			/* "0-edge" is no count. */
			if (end == at || (*end && !isspace((unsigned char)*end)))
				break;
			row->count += number;
		}
		ret->count++;
	}
}

static bool read_within(void *context, struct session *session)
{
	struct bounds *b = context;

	if (!b->round++)
		tallies_read(b->file, &b->begun);
	tallies_read(b->file, &b->last);
	return true;
}

static uint64_t count_of(const struct tallies *t, const char *name)
{
	for (size_t i = 0; i < t->count; i++)
		if (!strcmp(t->rows[i].name, name))
			return t->rows[i].count;
	return 0;
}

/* The label "36 virtio1-req.0" begins with the name of the row. */
static int64_t reported(const struct profile *profile, const char *label, const char *name)
{
	profile_string key = profile_find_string(profile, label);
	int64_t sum = 0;

	for (uint32_t i = 0; i < profile->sample_count; i++) {
		const struct profile_label *l = profile_find_label(&profile->samples[i], key);
		const char *text = l ? profile->strings[l->text] : "";
		size_t size = strlen(name);

		if (!strncmp(text, name, size) && (!text[size] || text[size] == ' '))
			sum += profile->samples[i].values[0];
	}
	return sum;
}

/*
 * A handler that runs while programs come or go is seen in half, on each CPU; and one that is raised
 * again while it runs may run again without being counted.
 */
static void check_row(const struct bounds *b, const struct profile *profile, const char *label,
		      const char *name)
{
	uint64_t inner = count_of(&b->last, name) - count_of(&b->begun, name),
		 outer = count_of(&b->after, name) - count_of(&b->before, name);
	int64_t count = reported(profile, label, name);
	int64_t slack = 2 * sysconf(_SC_NPROCESSORS_ONLN) + outer / 50;

	if (inner || count)
		print_message("# %s %s: %" PRIu64 " to %" PRIu64 ", reported %" PRId64 "\n", label,
			      name, inner, outer, count);
	assert_true(count + slack >= (int64_t)inner);
	assert_true(count <= (int64_t)outer + slack);
}

/* @must: a row that moves on every machine. */
static void check_source(const char *source, const char *file, const char *must, bool no_stacks)
{
	_cleanup_free_ char *path = harness_file("irq");
	/* Its pages are read from the disk one by one, where there is one. */
	const char *const command[] = { "@faults", "major", path, "1000", NULL };
	const struct session_event event = { source };
	struct bounds bounds = { .file = file };
	struct harness_run run = { .command = command, .seconds = 1.5, .whole_machine = true,
				   .no_stacks = no_stacks, .during = read_within,
				   .context = &bounds,
				   .session = { .events = &event, .event_count = 1 } };
	struct harness_result result;
	int64_t ns;

	harness_need_bpf();
	tallies_read(file, &bounds.before);
	harness_profile(&run, &result);
	unlink(path);
	tallies_read(file, &bounds.after);
	harness_print(source, &result);
	harness_check_invariant(&result.stats);
	for (size_t i = 0; i < bounds.after.count; i++)
		if (!isdigit((unsigned char)bounds.after.rows[i].name[0]) ==
		    !strcmp(source, "softirq"))
			check_row(&bounds, result.profile, source, bounds.after.rows[i].name);
	if (must)
		assert_true(reported(result.profile, source, must) > 0);
	ns = sample_sum(result.profile, source, &(struct sample_choice){ 0 });
	print_message("# %s: %" PRId64 " ns\n", source, ns);
	if (result.stats.reported)
		assert_true(ns > 0);
	assert_true(ns < (int64_t)result.stats.duration_ns * sysconf(_SC_NPROCESSORS_ONLN));
	harness_done(&result);
}

static void test_softirq(void **state)
{
	check_source("softirq", "/proc/softirqs", "TIMER", false);
}

static void test_softirq_without_stacks(void **state)
{
	check_source("softirq", "/proc/softirqs", "TIMER", true);
}

static void test_irq(void **state)
{
	check_source("irq", "/proc/interrupts", NULL, false);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("softirqs are as many as the kernel counts", test_softirq),
		UNIT_TEST("without stacks, too", test_softirq_without_stacks),
		UNIT_TEST("interrupts are as many as the kernel counts", test_irq),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
