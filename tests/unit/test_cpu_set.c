/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>

#include "profiler/cpu_set.h"
#include "tests/unit/unit.h"

static const struct list_case {
	const char *name, *text;
	int result;
	uint64_t bits;		/* of the first 64 CPUs */
	unsigned int end;
} cases[] = {
	{ "one CPU", "3", 0, 1 << 3, 4 },
	{ "a range", "0-3", 0, 0xf, 4 },
	{ "ranges and single ones", "0-1,4,6-7", 0, 0xd3, 8 },
	{ "the newline of sysfs", "0-1\n", 0, 3, 2 },
	{ "the last CPU there can be", "1023", 0, 0, 1024 },
	{ "one CPU too many", "1024", -ERANGE, 0, 0 },
	{ "a range that goes backwards", "3-1", -EINVAL, 0, 0 },
	{ "an open range", "3-", -EINVAL, 0, 0 },
	{ "a comma at the end", "3,", -EINVAL, 0, 0 },
	{ "no number", "all", -EINVAL, 0, 0 },
	{ "nothing", "", -EINVAL, 0, 0 },
	{ "a negative number", "-1", -EINVAL, 0, 0 },
	{ "a number too large for a word", "99999999999999999999", -ERANGE, 0, 0 },
};

static void test_list(void **state)
{
	const struct list_case *c = *state;
	struct cpu_set set;

	assert_int_equal(cpu_set_parse(c->text, &set), c->result);
	if (c->result < 0)
		return;
	assert_int_equal(set.bits[0], c->bits);
	assert_int_equal(cpu_set_end(&set), c->end);
}

int main(void)
{
	return unit_run_rows("CPU lists", test_list, UNIT_ROWS(cases));
}
