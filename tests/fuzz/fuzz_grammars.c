/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_grammars.c - any text where one argument is expected: events, globs, CPUs, numbers. */
#include <string.h>

#include "profiler/base/number.h"
#include "profiler/comm_pattern.h"
#include "profiler/cpu_set.h"
#include "tests/fuzz/fuzz.h"
#include "tools/options/event_list.h"

static void parse_events(const char *text)
{
	_cleanup_(text_list_done) struct text_list list = { 0 };
	const char *reason = "";
	size_t i;

	if (event_list_add(&list, text, &reason) < 0) {
		fuzz_touch_text(reason);
		return;
	}
	for (i = 0; i < list.count; i++)
		fuzz_check(event_name_size(list.texts[i]) <= strlen(list.texts[i]),
			   "a name is longer than its event");
	/* What is a list is one, however often it is split. */
	for (i = 0; i < list.count; i++) {
		_cleanup_(text_list_done) struct text_list again = { 0 };

		fuzz_check(event_list_add(&again, list.texts[i], &reason) == 0 &&
				   again.count == 1 && !strcmp(again.texts[0], list.texts[i]),
			   "an event is none when it stands alone");
	}
}

static void parse_cpus(const char *text)
{
	struct cpu_set set;

	if (cpu_set_parse(text, &set) == 0)
		fuzz_check(cpu_set_end(&set) <= WICK_CPUS_MAX, "a CPU is beyond the last");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	_cleanup_free_ char *text = fuzz_text(bytes, size);
	struct wick_settings settings = { 0 };
	uint64_t number;

	parse_events(text);
	parse_cpus(text);
	comm_pattern_compile(text, &settings);
	if (number_parse_u64(text, 1000, &number) == 0)
		fuzz_check(number <= 1000, "a number is above its limit");
	number_parse_duration_ns(text, &number);
	number_parse_size_bytes(text, &number);
	return 0;
}
