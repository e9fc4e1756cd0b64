/* SPDX-License-Identifier: BSD-2-Clause */
/* test_descendants.c - processes below others, and what /proc/PID/stat says of them. */
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "profiler/base/cleanup.h"
#include "profiler/processes/descendants.h"
#include "profiler/processes/proc_stat.h"
#include "tests/unit/unit.h"

/*
 * A child and a grandchild, until they are killed. Their names look like the fields behind a name, in
 * two lines.
 */
struct family {
	pid_t child, grandchild;
};

static void family_begin(struct family *family)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	family->child = fork();
	if (!family->child) {
		pid_t pid;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, "a) Z 1\n(b");
		pid = fork();
		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			pause();
			_exit(0);
		}
		if (write(ends[1], &pid, sizeof(pid)) != sizeof(pid))
			_exit(1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(ends[0], &family->grandchild, sizeof(pid_t)), sizeof(pid_t));
	close(ends[0]);
	close(ends[1]);
}

static void family_end(struct family *family)
{
	kill(family->grandchild, SIGKILL);
	kill(family->child, SIGKILL);
	waitpid(family->child, NULL, 0);
}

static size_t times_in(const pid_t *pids, ssize_t count, pid_t pid)
{
	size_t times = 0;

	for (ssize_t i = 0; i < count; i++)
		times += pids[i] == pid;
	return times;
}

static void test_below(void **state)
{
	_cleanup_free_ pid_t *below = NULL, *of_child = NULL, *of_both = NULL;
	struct family family;
	pid_t self = getpid(), both[2];
	ssize_t count;

	family_begin(&family);
	count = descendants_read(&self, 1, &below);
	assert_int_equal(count, 2);
	assert_int_equal(times_in(below, count, family.child), 1);
	assert_int_equal(times_in(below, count, family.grandchild), 1);
	count = descendants_read(&family.child, 1, &of_child);
	assert_int_equal(count, 1);
	assert_int_equal(of_child[0], family.grandchild);
	both[0] = self;
	both[1] = family.child;
	count = descendants_read(both, 2, &of_both);
	assert_int_equal(count, 1);
	assert_int_equal(of_both[0], family.grandchild);
	family_end(&family);
}

static void test_none(void **state)
{
	_cleanup_free_ pid_t *below = NULL;
	pid_t self = getpid();

	assert_int_equal(descendants_read(&self, 1, &below), 0);
}

static void test_stat(void **state)
{
	unsigned long long parent = 0;
	struct family family;
	siginfo_t info;

	family_begin(&family);
	assert_int_equal(proc_stat_read(family.child, PROC_STAT_PARENT, &parent), 0);
	assert_int_equal(parent, getpid());
	assert_true(proc_stat_lives(family.child));
	kill(family.child, SIGKILL);
	assert_int_equal(waitid(P_PID, family.child, &info, WEXITED | WNOWAIT), 0);
	/* It is a zombie. */
	assert_int_equal(proc_stat_read(family.child, PROC_STAT_PARENT, &parent), 0);
	assert_false(proc_stat_lives(family.child));
	family_end(&family);
	assert_false(proc_stat_lives(family.child));
	assert_true(proc_stat_read(family.child, PROC_STAT_PARENT, &parent) < 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("children and theirs are found, once each, and not who was asked about",
			  test_below),
		UNIT_TEST("who has no children has none", test_none),
		UNIT_TEST("a name may look like the fields behind it; a zombie has ended",
			  test_stat),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
