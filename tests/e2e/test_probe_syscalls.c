/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_probe_syscalls.c - system calls with their arguments, texts and results, of what the test itself
 * calls: also across execve(), fork() and threads that end in a call.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/e2e/harness.h"
#include "tests/e2e/probe_rig.h"
#include "tests/unit/unit.h"

#define CALLS 300
#define CHILDREN 20
#define PAGE 4096
#define NO_SUCH_FILE "/no/such/file"

static const char *const programs[] = { "syscall_values_enter", "syscall_values_return",
					"syscall_values_exit", "syscall_values_exec", NULL };

#define ARGUMENT(name) .base = PROBE_BASE_REGISTER, .index = PROBE_##name, .bytes = 8
#define KEPT(name) { ARGUMENT(name), .flags = PROBE_FETCH_AT_ENTRY }
#define RESULT { ARGUMENT(RAX) }
#define LATENCY { .base = PROBE_BASE_LATENCY, .bytes = 8 }

/* Of one system call, by this process or, else, by its children. */
static void rig_begin(struct probe_rig *rig, const struct probe_site *site, int number)
{
	uint32_t key = number, first = 1;

	*rig = (struct probe_rig){ .object = "syscall_values", .programs = programs,
				   .sites = site, .site_count = 1,
				   .settings.deliver_events = 1 };
	probe_rig_open(rig);
	assert_int_equal(
		bpf_map_update_elem(probe_rig_map(rig, "call_sites"), &key, &first, BPF_ANY), 0);
	for (const char *const *name = programs; *name; name++)
		probe_rig_attach_program(rig, *name);
	probe_rig_start(rig);
}

static void only_this(struct probe_site *site, unsigned int value)
{
	site->values[value] = (struct probe_fetch){ .base = PROBE_BASE_PID, .bytes = 4 };
	site->term_count = 1;
	site->terms[0] = (struct probe_term){ .left = value, .right = PROBE_RIGHT_CONSTANT,
					      .constant = getpid(), .if_true = PROBE_ACCEPT,
					      .if_false = PROBE_REJECT };
}

enum { OPEN_PATH, OPEN_FLAGS, OPEN_RESULT, OPEN_LATENCY, OPEN_PID, OPEN_VALUES };

static struct probe_site open_site(void)
{
	struct probe_site site = {
		.value_count = OPEN_VALUES,
		.sum = OPEN_LATENCY,
		.values = { { ARGUMENT(RSI), .form = PROBE_TEXT, .size = 64,
			      .flags = PROBE_FETCH_USER | PROBE_FETCH_AGAIN },
			    KEPT(RDX), RESULT, LATENCY },
	};

	only_this(&site, OPEN_PID);
	return site;
}

static void test_open(void **state)
{
	struct probe_site site = open_site();
	struct probe_rig rig;

	rig_begin(&rig, &site, SYS_openat);
	for (int i = 0; i < CALLS; i++) {
		int fd = open(i % 2 ? "/dev/null" : NO_SUCH_FILE,
			      i % 2 ? O_RDWR | O_CLOEXEC : O_RDONLY);

		assert_int_equal(fd >= 0, i % 2);
		if (fd >= 0)
			close(fd);
	}
	probe_rig_stop(&rig);
	assert_int_equal(probe_rig_event_count(&rig), CALLS);
	for (size_t i = 0; i < CALLS; i++) {
		const struct window_event *event = probe_rig_event(&rig, i);
		const uint64_t *values = event->values->value;
		const char *path = i % 2 ? "/dev/null" : NO_SUCH_FILE;

		probe_rig_check_text(event, OPEN_PATH, path, strlen(path));
		assert_int_equal((uint32_t)values[OPEN_FLAGS],
				 i % 2 ? O_RDWR | O_CLOEXEC : O_RDONLY);
		if (i % 2)
			assert_true((int64_t)values[OPEN_RESULT] > 0);
		else
			assert_int_equal(values[OPEN_RESULT], -ENOENT);
		assert_in_range(values[OPEN_LATENCY], 1, 1000000000);
		assert_int_equal(event->sample.value.sum, values[OPEN_LATENCY]);
	}
	assert_int_equal(probe_rig_entries(&rig, "call_texts"), 0);
	probe_rig_close(&rig);
}

/* Its page is in no memory that the kernel may look at without waiting. */
static void test_absent_path(void **state)
{
	char *file = harness_file("path"), *memory;
	struct probe_site site = open_site();
	_cleanup_close_ int fd = open(file, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct probe_rig rig;
	const struct window_event *event;

	assert_true(fd >= 0);
	unlink(file);
	free(file);
	assert_int_equal(write(fd, NO_SUCH_FILE, sizeof(NO_SUCH_FILE)), sizeof(NO_SUCH_FILE));
	memory = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	rig_begin(&rig, &site, SYS_openat);
	assert_int_equal(syscall(SYS_openat, AT_FDCWD, memory, O_RDONLY), -1);
	assert_int_equal(syscall(SYS_openat, AT_FDCWD, (char *)16, O_RDONLY), -1);
	probe_rig_stop(&rig);
	munmap(memory, PAGE);
	event = probe_rig_event(&rig, 0);
	assert_int_equal(event->values->unreadable, 0);
	probe_rig_check_text(event, OPEN_PATH, NO_SUCH_FILE, strlen(NO_SUCH_FILE));
	event = probe_rig_event(&rig, 1);
	assert_int_equal(event->values->unreadable, 1 << OPEN_PATH);
	assert_int_equal(event->values->value[OPEN_PATH], 16);
	assert_int_equal(event->values->value[OPEN_RESULT], -EFAULT);
	probe_rig_close(&rig);
}

/* What read() has read is there at its end, and as much as it says. */
static void test_read(void **state)
{
	enum { BUFFER, SIZE, READ, CONTENT, PID, VALUES };
	struct probe_site site = {
		.value_count = VALUES,
		.sum = READ,
		.values = { KEPT(RSI), KEPT(RDX), RESULT,
			    { .base = PROBE_BASE_VALUE, .from = BUFFER, .form = PROBE_BYTES,
			      .flags = PROBE_FETCH_USER, .size = 32, .size_value = 1 + READ } },
	};
	char buffer[64] = "before";
	struct probe_rig rig;
	int pipes[2];

	only_this(&site, PID);
	assert_int_equal(pipe(pipes), 0);
	rig_begin(&rig, &site, SYS_read);
	assert_int_equal(write(pipes[1], "after\0all", 9), 9);
	assert_int_equal(syscall(SYS_read, pipes[0], buffer, sizeof(buffer)), 9);
	assert_int_equal(write(pipes[1], buffer, 50), 50);
	assert_int_equal(syscall(SYS_read, pipes[0], buffer, sizeof(buffer)), 50);
	assert_int_equal(syscall(SYS_read, -1, buffer, sizeof(buffer)), -1);
	probe_rig_stop(&rig);
	assert_int_equal(probe_rig_event_count(&rig), 3);
	probe_rig_check_text(probe_rig_event(&rig, 0), CONTENT, "after\0all", 9);
	assert_int_equal(probe_rig_event(&rig, 0)->values->value[SIZE], sizeof(buffer));
	assert_int_equal(probe_rig_event(&rig, 0)->sample.value.sum, 9);
	probe_rig_check_text(probe_rig_event(&rig, 1), CONTENT, buffer, 32);
	assert_int_equal(probe_rig_event(&rig, 1)->values->cut, 1 << CONTENT);
	probe_rig_check_text(probe_rig_event(&rig, 2), CONTENT, "", 0);
	assert_int_equal(probe_rig_event(&rig, 2)->values->value[READ], -EBADF);
	close(pipes[0]);
	close(pipes[1]);
	probe_rig_close(&rig);
}

enum { EXEC_PATH, EXEC_RESULT, EXEC_COMM, EXEC_TID, EXEC_VALUES };

static const struct probe_site exec_site = {
	.value_count = EXEC_VALUES,
	.sum = PROBE_NO_VALUE,
	.values = { { ARGUMENT(RDI), .form = PROBE_TEXT, .size = 64,
		      .flags = PROBE_FETCH_USER | PROBE_FETCH_AGAIN },
		    RESULT,
		    { .base = PROBE_BASE_COMM, .form = PROBE_TEXT, .size = 16 },
		    { .base = PROBE_BASE_TID, .bytes = 4 } },
};

static void *thread_executes(void *unused)
{
	execl("/bin/true", "true", NULL);
	return NULL;
}

static pid_t child_executes(bool by_thread)
{
	pid_t child = fork();
	pthread_t thread;

	if (child)
		return child;
	if (!by_thread)
		execl("/bin/true", "true", NULL);
	else if (!pthread_create(&thread, NULL, thread_executes, NULL))
		pthread_join(thread, NULL);
	_exit(127);
}

static void check_exec(const struct probe_rig *rig, pid_t child)
{
	size_t found = 0;

	for (size_t i = 0; i < probe_rig_event_count(rig); i++) {
		const struct window_event *event = probe_rig_event(rig, i);

		if (event->values->value[EXEC_TID] != (uint64_t)child)
			continue;
		probe_rig_check_text(event, EXEC_PATH, "/bin/true", 9);
		assert_int_equal(event->values->value[EXEC_RESULT], 0);
		probe_rig_check_text(event, EXEC_COMM, "true", 4);
		found++;
	}
	assert_int_equal(found, 1);
}

/* A call that returns in another program, and, of a thread, with another tid. */
static void test_exec(void **state)
{
	pid_t children[CHILDREN];
	struct probe_rig rig;
	int status;

	rig_begin(&rig, &exec_site, SYS_execve);
	for (size_t i = 0; i < CHILDREN; i++) {
		children[i] = child_executes(i % 2);
		assert_int_equal(waitpid(children[i], &status, 0), children[i]);
		assert_int_equal(status, 0);
	}
	probe_rig_stop(&rig);
	for (size_t i = 0; i < CHILDREN; i++)
		check_exec(&rig, children[i]);
	probe_rig_close(&rig);
}

/* A child returns from a call that it did not make. */
static void test_fork(void **state)
{
	struct probe_site site = { .value_count = 3, .sum = 0, .values = { RESULT, KEPT(RDI) } };
	struct probe_rig rig;

	only_this(&site, 2);
	rig_begin(&rig, &site, SYS_clone);
	for (int i = 0; i < CHILDREN; i++) {
		pid_t child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

		if (!child)
			_exit(0);
		assert_int_equal(waitpid(child, NULL, 0), child);
	}
	probe_rig_stop(&rig);
	assert_int_equal(probe_rig_event_count(&rig), CHILDREN);
	for (size_t i = 0; i < CHILDREN; i++) {
		assert_true(probe_rig_event(&rig, i)->values->value[0] > 0);
		assert_int_equal(probe_rig_event(&rig, i)->values->value[1], SIGCHLD);
	}
	assert_int_equal(probe_rig_counter(&rig, WICK_COUNTER_RETURNS_UNKNOWN), 0);
	probe_rig_close(&rig);
}

/* A call that never returns leaves nothing behind. */
static void test_exit_in_call(void **state)
{
	struct probe_site site = { .value_count = 1, .sum = PROBE_NO_VALUE,
				   .values = { KEPT(RDI) } };
	struct probe_rig rig;
	int status;

	rig_begin(&rig, &site, SYS_exit_group);
	for (int i = 0; i < CHILDREN; i++) {
		pid_t child = fork();

		if (!child)
			_exit(7);
		assert_int_equal(waitpid(child, &status, 0), child);
	}
	probe_rig_stop(&rig);
	assert_int_equal(probe_rig_event_count(&rig), 0);
	assert_int_equal(probe_rig_entries(&rig, "calls"), 0);
	probe_rig_close(&rig);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("paths, flags and results of openat() are what they were", test_open),
		UNIT_TEST("a path that is not in memory at first is no loss", test_absent_path),
		UNIT_TEST("what read() has read can be seen", test_read),
		UNIT_TEST("execve() returns in the new program, with the old path", test_exec),
		UNIT_TEST("a child's return from clone() is no call of its own", test_fork),
		UNIT_TEST("exit_group() leaves no call behind", test_exit_in_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
