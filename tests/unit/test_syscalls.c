/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <string.h>
#include <sys/syscall.h>

#include "profiler/sources/syscalls.h"
#include "tests/unit/unit.h"

static const struct syscall_case {
	const char *name, *pattern;
	uint64_t from, first;
} cases[] = {
	{ "the first", "read", 0, SYS_read },
	{ "one of two words", "epoll_wait", 0, SYS_epoll_wait },
	{ "one with a digit", "accept4", 0, SYS_accept4 },
	{ "a young one, in the numbers of all machines", "clone3", 0, SYS_clone3 },
	{ "there is one of a name", "read", SYS_read + 1, SYSCALLS_MAX },
	{ "part of a name is none", "rea", 0, SYSCALLS_MAX },
	{ "nothing is none", "", 0, SYSCALLS_MAX },
	{ "case matters", "Read", 0, SYSCALLS_MAX },
	{ "a glob matches the first of several", "open*", 0, SYS_open },
	{ "and then the next", "open*", SYS_open + 1, SYS_openat },
	{ "behind them others", "open*", SYS_openat + 1, SYS_open_by_handle_at },
	{ "a glob of nothing", "open*x", 0, SYSCALLS_MAX },
	{ "beyond all is nothing", "*", SYSCALLS_MAX, SYSCALLS_MAX },
};

static void test_next(void **state)
{
	const struct syscall_case *c = *state;

	assert_int_equal(syscall_next(c->pattern, c->from), c->first);
	if (c->first < SYSCALLS_MAX && !strchr(c->pattern, '*'))
		assert_string_equal(syscall_name(c->first), c->pattern);
}

static void test_all(void **state)
{
	int named = 0;

	for (uint64_t number = 0; number < SYSCALLS_MAX; number++) {
		if (!syscall_name(number))
			continue;
		assert_int_equal(syscall_next(syscall_name(number), 0), number);
		named++;
	}
	assert_true(named > 300);
}

static void test_refuse(void **state)
{
	struct error err = { 0 };

	assert_int_equal(syscall_refuse("openatt", &err), -EINVAL);
	assert_string_equal(err.text, "no such system call: openatt: did you mean openat?");
	err = (struct error){ 0 };
	assert_int_equal(syscall_refuse("opne*", &err), -EINVAL);
	assert_string_equal(err.text, "no system call matches: opne*; see: wick list 'syscall:*'");
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
		UNIT_TEST("what is none is refused, with what there is", test_refuse),
		UNIT_TEST("numbers beyond all have none", test_beyond),
	};

	return unit_run_rows("system calls", test_next, UNIT_ROWS(cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
