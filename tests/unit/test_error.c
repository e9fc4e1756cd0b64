/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "profiler/base/error.h"

static void test_set(void **state)
{
	struct error err = { 0 };

	assert_int_equal(error_set(&err, ERROR_USAGE, -EINVAL, "-F: %s: no number", "x"), -EINVAL);
	assert_int_equal(err.kind, ERROR_USAGE);
	assert_int_equal(err.code, -EINVAL);
	assert_string_equal(err.text, "-F: x: no number");
}

static void test_null(void **state)
{
	assert_int_equal(error_set(NULL, ERROR_FAILED, -EIO, "nobody reads this"), -EIO);
}

static void test_long(void **state)
{
	struct error err;
	char name[3000];

	memset(name, 'x', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(error_set(&err, ERROR_FAILED, -ENOENT, "open: %s", name), -ENOENT);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("an error has its kind, code and sentence", test_set),
		UNIT_TEST("an error nobody asked for is only a code", test_null),
		UNIT_TEST("a sentence that is too long is cut", test_long),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
