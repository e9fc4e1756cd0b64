/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <sys/syscall.h>

#include "profiler/sources/syscalls.h"
#include "tests/unit/unit.h"

static const struct syscall_case {
	const char *name, *call;
	int number;		/* or a negative errno */
} cases[] = {
	{ "the first", "read", SYS_read },
	{ "one of two words", "epoll_wait", SYS_epoll_wait },
	{ "one with a digit", "accept4", SYS_accept4 },
	{ "a young one, in the numbers of all machines", "clone3", SYS_clone3 },
	{ "part of a name is none", "rea", -ENOENT },
	{ "nothing is none", "", -ENOENT },
	{ "case matters", "Read", -ENOENT },
};

static void test_number(void **state)
{
	const struct syscall_case *c = *state;

	assert_int_equal(syscall_number(c->call), c->number);
	if (c->number >= 0)
		assert_string_equal(syscall_name(c->number), c->call);
}

static void test_all(void **state)
{
	int named = 0;

	for (int number = 0; number < 1024; number++) {
		if (!syscall_name(number))
			continue;
		assert_int_equal(syscall_number(syscall_name(number)), number);
		named++;
	}
	assert_true(named > 300);
}

static void test_beyond(void **state)
{
	assert_null(syscall_name(100000));
	assert_null(syscall_name(UINT64_MAX));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("every name has one number", test_all),
		UNIT_TEST("numbers beyond all have none", test_beyond),
	};

	return unit_run_rows("system calls", test_number, UNIT_ROWS(cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
