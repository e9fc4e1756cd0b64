/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include "formats/quantity.h"

static const struct quantity_case {
	const char *name;
	int64_t value;
	const char *type, *unit;
	const char *text;
} quantity_cases[] = {
	{ "a count has its name", 7, "samples", "count", "7 samples" },
	{ "a count without a name is a number", 7, "", "count", "7" },
	{ "thousands are set apart", 1234567, "faults", "count", "1,234,567 faults" },
	{ "three digits need no comma", 999, "faults", "count", "999 faults" },
	{ "a negative count keeps its sign in front", -123456, "calls", "count", "-123,456 calls" },
	{ "the largest count is written out", INT64_MAX, "", "count", "9,223,372,036,854,775,807" },
	{ "no time is zero nanoseconds", 0, "cpu", "nanoseconds", "0 ns" },
	{ "nanoseconds are whole", 999, "cpu", "nanoseconds", "999 ns" },
	{ "microseconds", 1500, "cpu", "nanoseconds", "1.50 \u00b5s" },
	{ "milliseconds", 12340000, "cpu", "nanoseconds", "12.3 ms" },
	{ "a second begins at a thousand milliseconds", 1000000000, "cpu", "nanoseconds",
	  "1.00 s" },
	{ "hours stay seconds", 7200000000000, "cpu", "nanoseconds", "7200 s" },
	{ "rounding gives no more digits", 9996000, "cpu", "nanoseconds", "10.0 ms" },
	{ "negative times are scaled, too", -1500000, "cpu", "nanoseconds", "-1.50 ms" },
	{ "the smallest number is a time", INT64_MIN, "cpu", "nanoseconds", "-9223372037 s" },
	{ "bytes are whole", 1023, "heap", "bytes", "1023 B" },
	{ "kibibytes", 1536, "heap", "bytes", "1.50 KiB" },
	{ "gibibytes", 3LL << 30, "heap", "bytes", "3.00 GiB" },
};

static void quantity_row(void **state)
{
	const struct quantity_case *c = *state;
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	quantity_print(&text, c->value, c->type, c->unit);
	assert_string_equal(text.data, c->text);
}

int main(void)
{
	return unit_run_rows("quantity", quantity_row, UNIT_ROWS(quantity_cases));
}
