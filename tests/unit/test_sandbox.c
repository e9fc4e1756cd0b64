/* SPDX-License-Identifier: BSD-2-Clause */
/* test_sandbox.c - each case is a process of its own, which enters and then tries something. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "symbolizer/worker/sandbox.h"

#define MORE_BYTES (64u << 20)

/* What the process finds: a file and memory it had before, to share with us. */
struct before {
	int fd;
	volatile int *shared;
};

/* Each returns whether it is as it should be. */
static bool opens_no_file(const struct before *before)
{
	return open("/etc/passwd", O_RDONLY) < 0 && errno == EACCES &&
	       openat(AT_FDCWD, ".", O_RDONLY | O_DIRECTORY) < 0 && errno == EACCES;
}

static bool sees_no_file(const struct before *before)
{
	struct stat st;

	return stat("/etc/passwd", &st) < 0 && errno == EACCES && access("/", F_OK) < 0 &&
	       errno == EACCES;
}

static bool reads_open_file(const struct before *before)
{
	char magic[4];
	struct stat st;

	return pread(before->fd, magic, sizeof(magic), 0) == sizeof(magic) &&
	       !memcmp(magic, "\177ELF", 4) && !fstat(before->fd, &st) && st.st_size > 0;
}

static bool makes_no_socket(const struct before *before)
{
	return socket(AF_INET, SOCK_STREAM, 0) < 0 && errno == EACCES;
}

static bool starts_no_process(const struct before *before)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	return pid < 0 && errno == EACCES && execl("/bin/true", "true", NULL) < 0 &&
	       errno == EACCES;
}

static bool is_nobody(const struct before *before)
{
	return geteuid() != 0 && syscall(SYS_setresuid, 0, 0, 0) < 0;
}

static bool makes_no_code(const struct before *before)
{
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return page != MAP_FAILED && mprotect(page, 4096, PROT_READ | PROT_EXEC) < 0 &&
	       errno == EACCES &&
	       mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
		       MAP_FAILED;
}

static bool has_memory(const struct before *before)
{
	void *some = malloc(MORE_BYTES / 2);
	void *more = mmap(NULL, 2 * MORE_BYTES, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	bool fine = some && more == MAP_FAILED && errno == ENOMEM;

	free(some);
	return fine;
}

/* What was ours, too, is gone: it dies of it. */
static bool shares_no_memory(const struct before *before)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	*before->shared = 2;
	return false;
}

static bool kills_nobody(const struct before *before)
{
	return kill(getppid(), 0) < 0 && errno == EACCES;
}

static const struct sandbox_case {
	const char *name;
	bool (*try)(const struct before *before);
	int dies_of;
} cases[] = {
	{ "opens no file", opens_no_file },
	{ "does not see what files there are", sees_no_file },
	{ "reads a file that is open", reads_open_file },
	{ "makes no socket", makes_no_socket },
	{ "starts no process and no program", starts_no_process },
	{ "is nobody, and stays it", is_nobody },
	{ "makes no executable memory", makes_no_code },
	{ "has the memory it was given and no more", has_memory },
	{ "shares no memory with us", shares_no_memory, SIGSEGV },
	{ "signals nobody", kills_nobody },
};

static void test_case(void **state)
{
	const struct sandbox_case *c = *state;
	struct before before = { .fd = open("/proc/self/exe", O_RDONLY) };
	void *page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t pid;

	assert_true(page != MAP_FAILED);
	before.shared = page;
	*before.shared = 1;
	pid = fork();
	if (!pid) {
		/* By the default action, as sanitizers would not have it. */
		signal(SIGSEGV, SIG_DFL);
		_exit(sandbox_enter(MORE_BYTES) ? 2 : !c->try(&before));
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (c->dies_of) {
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), c->dies_of);
	} else {
		assert_true(WIFEXITED(status));
		assert_int_equal(WEXITSTATUS(status), 0);
	}
	assert_int_equal(*before.shared, 1);
	munmap(page, 4096);
	close(before.fd);
}

/* Whoever forked it is gone: so is it, even in the middle of nothing. */
static void test_dies_with_parent(void **state)
{
	int ends[2], status;
	char byte;
	pid_t parent;

	assert_int_equal(pipe(ends), 0);
	parent = fork();
	if (!parent) {
		pid_t child = fork();

		if (!child) {
			if (sandbox_enter(MORE_BYTES) || write(ends[1], "x", 1) != 1)
				_exit(1);
			for (;;)
				syscall(SYS_nanosleep, &(struct timespec){ .tv_sec = 1000 }, NULL);
		}
		/* Until it is in there. */
		_exit(child > 0 && read(ends[0], &byte, 1) == 1 ? 0 : 1);
	}
	close(ends[1]);
	assert_int_equal(waitpid(parent, &status, 0), parent);
	assert_int_equal(status, 0);
	/* Its end of the pipe was the last one. */
	assert_int_equal(read(ends[0], &byte, 1), 0);
	close(ends[0]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("it dies with its parent", test_dies_with_parent),
	};

	return unit_run_rows("who is in it", test_case, UNIT_ROWS(cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
