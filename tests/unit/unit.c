/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

int unit_run_rows(const char *group, void (*run)(void **state), const void *rows, size_t row_size,
		  size_t count)
{
	struct CMUnitTest *tests = calloc(count, sizeof(*tests));
	const char *row = rows;
	int failed;
	size_t i;

	if (!tests)
		return 1;
	for (i = 0; i < count; i++, row += row_size) {
		memcpy(&tests[i].name, row, sizeof(tests[i].name));
		tests[i].test_func = run;
		tests[i].initial_state = (void *)row;
	}
	failed = _cmocka_run_group_tests(group, tests, count, NULL, NULL);
	free(tests);
	return failed;
}
