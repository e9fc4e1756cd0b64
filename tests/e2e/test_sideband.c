/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "profiler/base/clock.h"
#include "profiler/processes/process.h"
#include "profiler/processes/sideband.h"

#define EXIT_SKIPPED 77
#define RING_BYTES (1u << 20)

extern char **environ;

/* ---- what the child does: this program again, with an argument ---- */

static bool map_code(size_t size, int flags, int fd, off_t offset)
{
	return mmap(NULL, size, PROT_READ | PROT_EXEC, flags, fd, offset) == MAP_FAILED;
}

static int child_maps(void)
{
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	pid_t pid;

	if (map_code(8192, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ||
	    map_code(4096, MAP_PRIVATE, fd, 4096) ||
	    !dlopen("libanl.so.1", RTLD_NOW | RTLD_LOCAL))
		return 1;
	raise(SIGSTOP);
	pid = fork();
	if (!pid)
		_exit(0);
	waitpid(pid, NULL, 0);
	return 0;
}

static void *exec_from_thread(void *path)
{
	execl(path, "true", NULL);
	return NULL;
}

static int child_thread_exec(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, exec_from_thread, "/bin/true"))
		return 1;
	pthread_join(thread, NULL);
	return 1;
}

static pid_t spawn(const char *const *argv)
{
	pid_t pid;

	assert_int_equal(posix_spawnp(&pid, argv[0], NULL, NULL, (char **)argv, environ), 0);
	return pid;
}

static pid_t spawn_self(const char *what)
{
	return spawn((const char *const[]){ "/proc/self/exe", what, NULL });
}

/* ---- helpers ---- */

static struct sideband *open_sideband(size_t ring_bytes)
{
	struct error err = { .text = "" };
	struct sideband *sb = NULL;
	int r = sideband_open(ring_bytes, false, &sb, &err);

	if (r == -EPERM || r == -EACCES) {
		printf("%s\n", err.text);
		exit(EXIT_SKIPPED);
	}
	assert_int_equal(r, 0);
	return sb;
}

/* All notices there are now, checked to be in order. */
static struct notice_batch *read_batch(struct sideband *sb, uint64_t *last_ns)
{
	struct notice_batch *batch = notice_batch_new();

	assert_non_null(batch);
	assert_int_equal(sideband_read(sb, batch), 0);
	for (size_t i = 0; i < batch->notice_count; i++) {
		assert_true(batch->notices[i].time_ns >= *last_ns);
		*last_ns = batch->notices[i].time_ns;
	}
	return batch;
}

/* The first notice of @type and @pid from index *@at on; *@at goes behind it. */
static const struct notice *expect(const struct notice_batch *batch, size_t *at,
				   enum notice_type type, pid_t pid, const char *path)
{
	for (; *at < batch->notice_count; (*at)++) {
		const struct notice *n = &batch->notices[*at];

		if (n->type != type || n->pid != (uint32_t)pid || (path && !strstr(n->path, path)))
			continue;
		(*at)++;
		return n;
	}
	fail_msg("no notice of type %d for %s", type, path ? path : "the process");
	return NULL;
}

/* ---- tests ---- */

static void test_order(void **state)
{
	_cleanup_(sideband_closep) struct sideband *sb = open_sideband(RING_BYTES);
	_cleanup_(notice_batch_freep) struct notice_batch *batch = NULL;
	pid_t pid = spawn_self("maps"), grandchild;
	const struct notice *n;
	uint64_t last_ns = 0;
	size_t at = 0;
	int status;

	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	assert_true(WIFSTOPPED(status));
	kill(pid, SIGCONT);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	batch = read_batch(sb, &last_ns);
	assert_false(batch->notices_lost);
	n = expect(batch, &at, NOTICE_FORK, pid, NULL);
	assert_int_equal(n->parent_pid, getpid());
	assert_int_equal(n->tid, pid);
	for (size_t next = at;; next++) {
		assert_true(next < batch->notice_count);
		if (batch->notices[next].pid != (uint32_t)pid)
			continue;
		/* Nothing of the new program is mapped before its exec is told. */
		assert_int_equal(batch->notices[next].type, NOTICE_EXEC);
		break;
	}
	n = expect(batch, &at, NOTICE_EXEC, pid, NULL);
	n = expect(batch, &at, NOTICE_MMAP, pid, "test_sideband");
	assert_true(sideband_has_build_ids(sb) ? n->build_id.size > 0 : n->inode > 0);
	expect(batch, &at, NOTICE_MMAP, pid, "[vdso]");
	expect(batch, &at, NOTICE_MMAP, pid, "libc.so.6");
	n = expect(batch, &at, NOTICE_MMAP, pid, "//anon");
	assert_int_equal(n->length, 8192);
	assert_int_equal(n->build_id.size, 0);
	assert_int_equal(n->inode, 0);
	n = expect(batch, &at, NOTICE_MMAP, pid, "test_sideband");
	assert_int_equal(n->length, 4096);
	assert_int_equal(n->offset, 4096);
	expect(batch, &at, NOTICE_MMAP, pid, "libanl.so.1");
	for (n = NULL; !n; at++) {
		assert_true(at < batch->notice_count);
		if (batch->notices[at].type == NOTICE_FORK &&
		    batch->notices[at].parent_pid == (uint32_t)pid)
			n = &batch->notices[at];
	}
	grandchild = (pid_t)n->pid;
	expect(batch, &at, NOTICE_EXIT, grandchild, NULL);
	expect(batch, &at, NOTICE_EXIT, pid, NULL);
}

static void test_thread_exec(void **state)
{
	_cleanup_(sideband_closep) struct sideband *sb = open_sideband(RING_BYTES);
	_cleanup_(notice_batch_freep) struct notice_batch *batch = NULL;
	_cleanup_(process_table_freep) struct process_table *table = process_table_new();
	pid_t pid = spawn_self("thread-exec");
	uint64_t last_ns = 0;
	size_t at = 0;
	int status;

	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	batch = read_batch(sb, &last_ns);
	expect(batch, &at, NOTICE_FORK, pid, NULL);
	expect(batch, &at, NOTICE_EXEC, pid, "exe");
	/* The first thread makes place for the one that executes, and is the end of nothing. */
	expect(batch, &at, NOTICE_EXIT, pid, NULL);
	expect(batch, &at, NOTICE_EXEC, pid, "true");
	expect(batch, &at, NOTICE_MMAP, pid, "/true");
	for (size_t i = 0; i < at; i++)
		assert_in_range(process_table_apply(table, &batch->notices[i]), 0, 1);
	assert_false(process_table_find(table, (uint32_t)pid)->ended);
	assert_true(process_table_find(table, (uint32_t)pid)->maps_known);
}

static void compare_lists(const struct process *seen, const struct process *read)
{
	assert_int_equal(seen->mapping_count, read->mapping_count);
	for (size_t i = 0; i < seen->mapping_count; i++) {
		const struct mapping *a = &seen->mappings[i], *b = &read->mappings[i];

		assert_int_equal(a->start, b->start);
		assert_int_equal(a->end, b->end);
		assert_int_equal(a->offset, b->offset);
		assert_string_equal(a->path, b->path);
	}
}

static const struct list_case {
	const char *name;
	const char *argv[4];
} list_cases[] = {
	{ "a program that maps this and that", { "/proc/self/exe", "maps" } },
	{ "python", { "python3", "-c", "import os, ctypes, json; os.kill(os.getpid(), 19)" } },
	{ "perl", { "perl", "-MPOSIX", "-e", "kill 19, $$" } },
	{ "a shell", { "sh", "-c", "kill -STOP $$" } },
};

/* The list seen from the exec on is what /proc says. */
static void list_row(void **state)
{
	const struct list_case *c = *state;
	_cleanup_(process_table_freep) struct process_table *table = process_table_new();
	_cleanup_(process_table_freep) struct process_table *other = process_table_new();
	_cleanup_(sideband_closep) struct sideband *sb = open_sideband(RING_BYTES);
	_cleanup_(notice_batch_freep) struct notice_batch *batch = NULL;
	struct process *seen, *read;
	uint64_t last_ns = 0;
	pid_t pid = spawn(c->argv);
	int status;

	assert_int_equal(waitpid(pid, &status, WUNTRACED), pid);
	if (WIFEXITED(status))
		skip();		/* not installed */
	batch = read_batch(sb, &last_ns);
	for (size_t i = 0; i < batch->notice_count; i++)
		assert_in_range(process_table_apply(table, &batch->notices[i]), 0, 1);
	assert_int_equal(process_table_add(other, (uint32_t)pid, &read), 1);
	assert_int_equal(process_read_maps(other, read), 0);
	seen = process_table_find(table, (uint32_t)pid);
	assert_non_null(seen);
	assert_true(seen->maps_known);
	compare_lists(seen, read);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void test_lost(void **state)
{
	_cleanup_(sideband_closep) struct sideband *sb = open_sideband(4096);
	uint64_t last_ns = 0, lost;
	cpu_set_t all, one;

	for (int i = 0; i < 100; i++)
		waitpid(spawn((const char *const[]){ "/bin/true", NULL }), NULL, 0);
	notice_batch_free(read_batch(sb, &last_ns));
	/* What was lost is told with the next record there is room for, on that CPU: each has a turn. */
	sched_getaffinity(0, sizeof(all), &all);
	for (int i = 0; i < 100 && sideband_lost(sb) <= 100; i++) {
		CPU_ZERO(&one);
		CPU_SET(i % sysconf(_SC_NPROCESSORS_ONLN), &one);
		sched_setaffinity(0, sizeof(one), &one);
		waitpid(spawn((const char *const[]){ "/bin/true", NULL }), NULL, 0);
		notice_batch_free(read_batch(sb, &last_ns));
	}
	sched_setaffinity(0, sizeof(all), &all);
	lost = sideband_lost(sb);
	assert_true(lost > 100);
	print_message("# %lu records read, %lu lost in rings of 4 KiB\n",
		      (unsigned long)sideband_count(sb), (unsigned long)lost);
}

static void test_poll(void **state)
{
	_cleanup_(sideband_closep) struct sideband *sb = open_sideband(RING_BYTES);
	_cleanup_close_ int epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = { 0 };

	assert_int_equal(sideband_poll(sb, epoll_fd, 4711), 0);
	assert_int_equal(sideband_poll(sb, epoll_fd, 4711), 0);
	assert_int_equal(sideband_update_cpus(sb), 0);
	for (int i = 0; i < 400; i++)
		waitpid(spawn((const char *const[]){ "/bin/true", NULL }), NULL, 0);
	assert_int_equal(epoll_wait(epoll_fd, &event, 1, 2000), 1);
	assert_int_equal(event.data.u64, 4711);
	assert_true(sideband_bytes(sb) > RING_BYTES);
}

#define COST_EXECS 500

static void test_cost(void **state)
{
	_cleanup_(sideband_closep) struct sideband *sb = open_sideband(RING_BYTES);
	_cleanup_(process_table_freep) struct process_table *table = process_table_new();
	uint64_t last_ns = 0, read_ns = 0, apply_ns = 0, begin_ns, count = 0;

	for (int i = 0; i < COST_EXECS; i++) {
		waitpid(spawn((const char *const[]){ "/bin/true", NULL }), NULL, 0);
		if (i % 20 != 19)
			continue;
		begin_ns = clock_thread_cpu_ns();
		struct notice_batch *batch = read_batch(sb, &last_ns);

		read_ns += clock_thread_cpu_ns() - begin_ns;
		begin_ns = clock_thread_cpu_ns();
		for (size_t j = 0; j < batch->notice_count; j++)
			process_table_apply(table, &batch->notices[j]);
		process_table_collect(table, last_ns);
		apply_ns += clock_thread_cpu_ns() - begin_ns;
		count += batch->notice_count;
		assert_false(batch->notices_lost);
		notice_batch_free(batch);
	}
	print_message("# %lu records, %lu notices: %lu ns to read a record, %lu ns to apply a "
		      "notice\n", (unsigned long)sideband_count(sb), (unsigned long)count,
		      (unsigned long)(read_ns / sideband_count(sb)),
		      (unsigned long)(apply_ns / count));
	assert_true(count >= COST_EXECS * 5);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("fork, exec, mappings and exit come in order", test_order),
		UNIT_TEST("a thread that executes goes on as the process", test_thread_exec),
		UNIT_TEST("lost records are told", test_lost),
		UNIT_TEST("many records wake the reader", test_poll),
		UNIT_TEST("reading and applying costs little", test_cost),
	};

	if (argc > 1 && !strcmp(argv[1], "maps"))
		return child_maps();
	if (argc > 1 && !strcmp(argv[1], "thread-exec"))
		return child_thread_exec();
	return unit_run_rows("list", list_row, UNIT_ROWS(list_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
