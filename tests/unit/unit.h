/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unit.h - cmocka, with what it wants included first, and cases in tables.
 *
 *	static const struct sum_case { const char *name; int a, b, sum; } sum_cases[] = {
 *		{ "nothing and nothing is nothing", 0, 0, 0 },
 *	};
 *
 *	static void sum_row(void **state)
 *	{
 *		const struct sum_case *c = *state;
 *
 *		assert_int_equal(sum(c->a, c->b), c->sum);
 *	}
 *
 *	int main(void)
 *	{
 *		static const struct CMUnitTest tests[] = {
 *			UNIT_TEST("sums do not wrap", test_wrap),
 *		};
 *
 *		return unit_run_rows("sum", sum_row, UNIT_ROWS(sum_cases)) +
 *		       cmocka_run_group_tests(tests, NULL, NULL);
 *	}
 */
#ifndef WICK_UNIT_H
#define WICK_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define UNIT_TEST(sentence, function) { (sentence), (function), NULL, NULL, NULL }

/* The rows of an array, whose type begins with "const char *name". */
#define UNIT_ROWS(rows) (rows), sizeof((rows)[0]), sizeof(rows) / sizeof((rows)[0])

/* Each row is a case: @run gets it in *state. Returns how many failed. */
int unit_run_rows(const char *group, void (*run)(void **state), const void *rows, size_t row_size,
		  size_t count);

#endif
