/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>

#include "profiler/base/number.h"

#define UNTOUCHED 424242

struct number_case {
	const char *name;
	const char *text;
	int result;
	uint64_t value;
};

static const struct number_case u64_cases[] = {
	{ "zero is a number", "0", 0, 0 },
	{ "decimal digits are decimal", "1234", 0, 1234 },
	{ "a leading zero does not mean octal", "010", 0, 10 },
	{ "0x means hexadecimal", "0xfF", 0, 255 },
	{ "the largest number is accepted", "18446744073709551615", 0, UINT64_MAX },
	{ "the largest number is accepted in hexadecimal", "0xffffffffffffffff", 0, UINT64_MAX },
	{ "one more is too much", "18446744073709551616", -ERANGE, 0 },
	{ "ten times too much is too much", "184467440737095516150", -ERANGE, 0 },
	{ "one digit more is too much in hexadecimal", "0x10000000000000000", -ERANGE, 0 },
	{ "nothing is no number", "", -EINVAL, 0 },
	{ "0x alone is no number", "0x", -EINVAL, 0 },
	{ "a sign is refused", "-1", -EINVAL, 0 },
	{ "a plus is refused", "+1", -EINVAL, 0 },
	{ "a leading blank is refused", " 1", -EINVAL, 0 },
	{ "a trailing blank is refused", "1 ", -EINVAL, 0 },
	{ "a trailing letter is refused", "12a", -EINVAL, 0 },
	{ "a letter beyond f is refused", "0xg", -EINVAL, 0 },
	{ "a point is refused", "1.5", -EINVAL, 0 },
};

static const struct number_case duration_cases[] = {
	{ "a bare number is seconds", "10", 0, 10000000000 },
	{ "a fraction is part of a second", "0.5", 0, 500000000 },
	{ "nanoseconds are the unit", "7ns", 0, 7 },
	{ "microseconds are 1000 ns", "20us", 0, 20000 },
	{ "milliseconds are 1000 us", "500ms", 0, 500000000 },
	{ "seconds may be named", "3s", 0, 3000000000 },
	{ "minutes are 60 s", "2m", 0, 120000000000 },
	{ "hours are 60 minutes", "1h", 0, 3600000000000 },
	{ "a fraction may be of any unit", "1.5ms", 0, 1500000 },
	{ "what is finer than a nanosecond is dropped", "0.12345678987654321", 0, 123456789 },
	{ "half a nanosecond is none", "0.5ns", 0, 0 },
	{ "zero is a duration", "0", 0, 0 },
	{ "more than 584 years is too long", "18446744074s", -ERANGE, 0 },
	{ "a huge number of hours is too long", "18446744073709551615h", -ERANGE, 0 },
	{ "nothing is no duration", "", -EINVAL, 0 },
	{ "a unit alone is no duration", "ms", -EINVAL, 0 },
	{ "a point needs digits behind it", "1.", -EINVAL, 0 },
	{ "a point needs digits before it", ".5", -EINVAL, 0 },
	{ "a sign is refused", "-1s", -EINVAL, 0 },
	{ "an unknown unit is refused", "1d", -EINVAL, 0 },
	{ "units are in small letters", "1S", -EINVAL, 0 },
	{ "a blank before the unit is refused", "1 s", -EINVAL, 0 },
	{ "two units are refused", "1m30s", -EINVAL, 0 },
};

static const struct number_case size_cases[] = {
	{ "a bare number is bytes", "4096", 0, 4096 },
	{ "B is bytes", "12B", 0, 12 },
	{ "K is 1024", "16K", 0, 16384 },
	{ "M is 1024 K", "64M", 0, 64 << 20 },
	{ "G is 1024 M", "1G", 0, 1 << 30 },
	{ "T is 1024 G", "2T", 0, 2ULL << 40 },
	{ "KB is K", "1KB", 0, 1024 },
	{ "MiB is M", "1MiB", 0, 1 << 20 },
	{ "the largest size is accepted", "18446744073709551615", 0, UINT64_MAX },
	{ "more than 64 bits are too many", "18446744073709551615K", -ERANGE, 0 },
	{ "nothing is no size", "", -EINVAL, 0 },
	{ "a unit alone is no size", "M", -EINVAL, 0 },
	{ "iB alone is no unit", "1iB", -EINVAL, 0 },
	{ "B comes once", "1BB", -EINVAL, 0 },
	{ "an unknown unit is refused", "1X", -EINVAL, 0 },
	{ "a fraction is refused", "1.5G", -EINVAL, 0 },
	{ "a sign is refused", "-1K", -EINVAL, 0 },
};

static void check(const struct number_case *c, int result, uint64_t value)
{
	assert_int_equal(result, c->result);
	assert_int_equal(value, result < 0 ? UNTOUCHED : c->value);
}

static void u64_row(void **state)
{
	const struct number_case *c = *state;
	uint64_t value = UNTOUCHED;
	int r = number_parse_u64(c->text, UINT64_MAX, &value);

	check(c, r, value);
}

static void duration_row(void **state)
{
	const struct number_case *c = *state;
	uint64_t value = UNTOUCHED;
	int r = number_parse_duration_ns(c->text, &value);

	check(c, r, value);
}

static void size_row(void **state)
{
	const struct number_case *c = *state;
	uint64_t value = UNTOUCHED;
	int r = number_parse_size_bytes(c->text, &value);

	check(c, r, value);
}

static void test_max(void **state)
{
	uint64_t value = UNTOUCHED;

	assert_int_equal(number_parse_u64("65536", 65535, &value), -ERANGE);
	assert_int_equal(value, UNTOUCHED);
	assert_int_equal(number_parse_u64("65535", 65535, &value), 0);
	assert_int_equal(value, 65535);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("a number may reach its limit and not pass it", test_max),
	};

	return unit_run_rows("numbers", u64_row, UNIT_ROWS(u64_cases)) +
	       unit_run_rows("durations", duration_row, UNIT_ROWS(duration_cases)) +
	       unit_run_rows("sizes", size_row, UNIT_ROWS(size_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
