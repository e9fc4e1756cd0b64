/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source_fault.c - attaches the fault source: software events of each single fault, minor and major
 * ones apart, on each CPU.
 */
#include <bpf/libbpf.h>
#include <ctype.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "profiler/base/number.h"
#include "profiler/sources/source_rows.h"

enum { KIND_MINOR, KIND_MAJOR };

/* One of "7f0000000000" and "0x7f0000000000": as in /proc/PID/maps, or as it is written elsewhere. */
static int parse_address(const char *text, size_t size, uint64_t *ret)
{
	char hexadecimal[32];

	if (size > 2 && !memcmp(text, "0x", 2))
		text += 2, size -= 2;
	if (!size || !isxdigit((unsigned char)*text) ||
	    snprintf(hexadecimal, sizeof(hexadecimal), "0x%.*s", (int)size, text) >=
		    (int)sizeof(hexadecimal))
		return -EINVAL;
	return number_parse_u64(hexadecimal, UINT64_MAX, ret);
}

/* Into value_min and value_max, which is next to it. */
int source_fault_parse_range(const char *text, void *field)
{
	const char *end = strchr(text, '-');
	uint64_t *limits = field, from, to;

	_Static_assert(offsetof(struct wick_settings, value_max) ==
			       offsetof(struct wick_settings, value_min) + sizeof(uint64_t),
		       "both are written");
	if (!end || parse_address(text, end - text, &from) < 0 ||
	    parse_address(end + 1, strlen(end + 1), &to) < 0 || from >= to || to == 1)
		return -EINVAL;
	limits[0] = from;
	limits[1] = to - 1;
	return 0;
}

static int fault_open(unsigned int cpu, uint64_t config)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = config,
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_ADDR,
		.disabled = 1,
	};
	int fd = syscall(SYS_perf_event_open, &attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int minor_open(struct source_run *run, unsigned int cpu)
{
	return fault_open(cpu, PERF_COUNT_SW_PAGE_FAULTS_MIN);
}

static int major_open(struct source_run *run, unsigned int cpu)
{
	return fault_open(cpu, PERF_COUNT_SW_PAGE_FAULTS_MAJ);
}

static const struct source_event kinds[] = {
	[KIND_MINOR] = { "fault_minor", minor_open },
	[KIND_MAJOR] = { "fault_major", major_open },
};

/* One of them alone when it is asked for alone. */
static bool kind_is_wanted(const struct wick_settings *settings, unsigned int kind)
{
	return settings->option[kind] || !settings->option[!kind];
}

void source_fault_prepare(const struct source_options *options, struct bpf_object *object)
{
	for (unsigned int kind = 0; kind < ARRAY_SIZE(kinds); kind++)
		bpf_program__set_autoload(bpf_object__find_program_by_name(object,
									   kinds[kind].program),
					  kind_is_wanted(&options->settings, kind));
}

int source_fault_update(struct source_run *run)
{
	int first_error = 0;

	for (unsigned int kind = 0; kind < ARRAY_SIZE(kinds); kind++) {
		int r = 0;

		if (kind_is_wanted(&source_run_options(run)->settings, kind))
			r = source_events_follow(run, kind, &kinds[kind]);
		first_error = first_error ?: r;
	}
	return first_error;
}

int source_fault_attach(struct source_run *run, struct error *err)
{
	int r = source_fault_update(run);

	return r < 0 ? source_events_explain(r, "page-faults", err) : 0;
}

const char *source_fault_kind(uint64_t key)
{
	return key == KIND_MAJOR ? "major" : "minor";
}
