/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "profiler/base/clock.h"
#include "profiler/base/strbuf.h"
#include "profiler/processes/process.h"
#include "tests/unit/fail_alloc.h"

/* ---- lists ---- */

/*
 * Mappings as text: "1000-2000x@500" is 0x1000 to 0x2000 of file x at offset 0x500;
 * file "." is none. @expected is the list after all of them were added.
 */
static const struct list_case {
	const char *name, *added, *expected;
	int last;		/* what the last addition returned */
} list_cases[] = {
	{ "in order", "1-2x 2-3y 5-6z", "1-2x@0 2-3y@0 5-6z@0", 1 },
	{ "in any order", "5-6z 1-2x 2-3y", "1-2x@0 2-3y@0 5-6z@0", 1 },
	{ "the same twice changes nothing", "1-3x@7 1-3x@7", "1-3x@7", 0 },
	{ "a part again changes nothing", "10-30x@5 18-20x@d", "10-30x@5", 0 },
	{ "a part with another offset is new", "10-30x@5 18-20x@c", "10-18x@5 18-20x@c 20-30x@15",
	  1 },
	{ "over all of an old one", "2-3x 1-4y", "1-4y@0", 1 },
	{ "over exactly an old one", "1-4x 1-4y", "1-4y@0", 1 },
	{ "over several", "1-2x 3-4y 5-6z 2-7w", "1-2x@0 2-7w@0", 1 },
	{ "over the end of one", "1-4x@8 3-6y", "1-3x@8 3-6y@0", 1 },
	{ "over the start of one", "3-6x@8 1-4y", "1-4y@0 4-6x@9", 1 },
	{ "into the middle of one", "1-9x@10 4-5y", "1-4x@10 4-5y@0 5-9x@14", 1 },
	{ "end and start at once", "1-4x 6-9y 3-7z", "1-3x@0 3-7z@0 7-9y@1", 1 },
	{ "anonymous neighbours become one", "1-2. 3-4. 2-3.", "1-4.@0", 1 },
	{ "offsets of anonymous memory mean nothing", "1-2.@9 2-3.@77", "1-3.@0", 1 },
	{ "anonymous over anonymous grows", "2-4. 1-3. 3-6.", "1-6.@0", 1 },
	{ "anonymous within anonymous changes nothing", "1-9. 3-4.", "1-9.@0", 0 },
	{ "anonymous does not swallow a file", "1-2. 2-3x 3-4.", "1-2.@0 2-3x@0 3-4.@0", 1 },
	{ "anonymous over a file joins behind it", "1-2. 2-3x 3-4. 2-3.", "1-4.@0", 1 },
	{ "anonymous over part of a file", "1-2. 2-8x 2-5.", "1-5.@0 5-8x@3", 1 },
	{ "a file into anonymous memory", "1-9. 4-5x", "1-4.@0 4-5x@0 5-9.@0", 1 },
	{ "pieces of a file stay apart", "1-2x@0 2-3x@1", "1-2x@0 2-3x@1", 1 },
	{ "nothing is not added", "1-2x 5-5y", "1-2x@0", 0 },
	{ "backwards is not added", "1-2x 5-4y", "1-2x@0", 0 },
};

static int add_text(struct process_table *table, struct process *process, const char *text)
{
	struct mapping mapping = { .build_id.size = 0 };
	char file, path[] = "/?";

	if (sscanf(text, "%" SCNx64 "-%" SCNx64 "%c@%" SCNx64, &mapping.start, &mapping.end, &file,
		   &mapping.offset) < 3)
		return -EINVAL;
	path[1] = file;
	mapping.path = path;
	mapping.inode = file == '.' ? 0 : (uint64_t)file;
	return process_add_mapping(table, process, &mapping);
}

static void assert_list(const struct process *process, const char *expected)
{
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	for (size_t i = 0; i < process->mapping_count; i++) {
		const struct mapping *m = &process->mappings[i];

		strbuf_printf(&text, "%s%" PRIx64 "-%" PRIx64 "%c@%" PRIx64, i ? " " : "", m->start,
			      m->end, *m->path ? m->path[1] : '.', m->offset);
	}
	assert_string_equal(text.data, expected);
}

static void list_row(void **state)
{
	const struct list_case *c = *state;
	_cleanup_(process_table_freep) struct process_table *table = process_table_new();
	char *text = strdup(c->added), *saved;
	struct process *process;
	int r = -1;

	assert_int_equal(process_table_add(table, 1, &process), 1);
	for (char *word = strtok_r(text, " ", &saved); word; word = strtok_r(NULL, " ", &saved)) {
		process->dirty = false;
		r = add_text(table, process, word);
		assert_in_range(r, 0, 1);
		assert_int_equal(process->dirty, r);
	}
	assert_int_equal(r, c->last);
	assert_list(process, c->expected);
	free(text);
}

static void test_find(void **state)
{
	_cleanup_(process_table_freep) struct process_table *table = process_table_new();
	struct process *process;

	assert_int_equal(process_table_add(table, 1, &process), 1);
	assert_null(process_find_mapping(process, 0));
	add_text(table, process, "10-20x");
	add_text(table, process, "20-30y");
	add_text(table, process, "40-50z");
	assert_null(process_find_mapping(process, 0xf));
	assert_ptr_equal(process_find_mapping(process, 0x10), &process->mappings[0]);
	assert_ptr_equal(process_find_mapping(process, 0x1f), &process->mappings[0]);
	assert_ptr_equal(process_find_mapping(process, 0x20), &process->mappings[1]);
	assert_null(process_find_mapping(process, 0x30));
	assert_null(process_find_mapping(process, 0x3f));
	assert_ptr_equal(process_find_mapping(process, 0x4f), &process->mappings[2]);
	assert_null(process_find_mapping(process, 0x50));
	assert_null(process_find_mapping(process, UINT64_MAX));
}

/* Random additions against an array with a byte for each page. */
static void test_random(void **state)
{
	_cleanup_(process_table_freep) struct process_table *table = process_table_new();
	struct process *process;
	char pages[256], text[64];
	unsigned int seed = 1;

	memset(pages, 0, sizeof(pages));
	assert_int_equal(process_table_add(table, 1, &process), 1);
	for (int round = 0; round < 5000; round++) {
		unsigned int start = rand_r(&seed) % 256, end = start + rand_r(&seed) % 40;
		char file = "xyz.."[rand_r(&seed) % 5];

		end = end > 256 ? 256 : end;
		snprintf(text, sizeof(text), "%x-%x%c", start, end, file);
		assert_in_range(add_text(table, process, text), 0, 1);
		memset(pages + start, file, end - start);
		for (unsigned int page = 0; page < 256; page++) {
			const struct mapping *m = process_find_mapping(process, page);

			assert_int_equal(m ? (*m->path ? m->path[1] : '.') : 0, pages[page]);
		}
		for (size_t i = 1; i < process->mapping_count; i++)
			assert_true(process->mappings[i - 1].end <= process->mappings[i].start);
	}
}

static void test_modules_are_counted(void **state)
{
	_cleanup_(process_table_freep) struct process_table *table = process_table_new();
	struct module_info info = { .id = 8, .path = "/x" };
	_cleanup_(module_putp) struct module *mod = module_new(&info, -1);
	struct process *process, *child;

	assert_non_null(mod);
	assert_int_equal(process_table_add(table, 1, &process), 1);
	assert_int_equal(process_table_add(table, 2, &child), 1);
	add_text(table, process, "10-90x");
	process->mappings[0].module = module_get(mod);
	process->mappings[0].resolved = true;
	add_text(table, process, "40-50y");
	assert_ptr_equal(process->mappings[2].module, mod);
	assert_null(process->mappings[1].module);
	assert_int_equal(process_copy_mappings(table, child, process), 0);
	assert_list(child, "10-40x@0 40-50y@0 50-90x@40");
	assert_ptr_equal(child->mappings[0].module, mod);
	add_text(table, process, "10-90z");
	assert_list(child, "10-40x@0 40-50y@0 50-90x@40");
	/* That all references are given back is what ASan checks. */
}

/* ---- notices ---- */

static void apply(struct process_table *table, int expected, struct notice notice)
{
	if (!notice.path)
		notice.path = "";
	assert_int_equal(process_table_apply(table, &notice), expected);
}

#define FORK(at, child, parent) \
	((struct notice){ .type = NOTICE_FORK, .time_ns = at, .pid = child, .tid = child, \
			  .parent_pid = parent })
#define EXEC(at, process) \
	((struct notice){ .type = NOTICE_EXEC, .time_ns = at, .pid = process, .tid = process })
#define EXIT(at, process) \
	((struct notice){ .type = NOTICE_EXIT, .time_ns = at, .pid = process, .tid = process })
#define MMAP(at, process, from, size, name) \
	((struct notice){ .type = NOTICE_MMAP, .time_ns = at, .pid = process, .tid = process, \
			  .address = from, .length = size, .inode = (name)[1], .path = name })

static void test_exec(void **state)
{
	_cleanup_(process_table_freep) struct process_table *table = process_table_new();
	struct process *p;

	apply(table, 0, MMAP(5, 1, 0x10, 0x10, "/w"));
	assert_null(process_table_find(table, 1));
	apply(table, 1, EXEC(10, 1));
	apply(table, 1, MMAP(11, 1, 0x10, 0x10, "/x"));
	apply(table, 1, MMAP(12, 1, 0x20, 0x10, "/y"));
	p = process_table_find(table, 1);
	assert_true(p->maps_known);
	assert_list(p, "10-20x@0 20-30y@0");
	p->published = true;
	p->exec_id = 7;
	apply(table, 0, MMAP(9, 1, 0x90, 0x10, "/w"));
	apply(table, 0, EXEC(9, 1));
	apply(table, 1, EXEC(20, 1));
	assert_list(p, "");
	assert_true(p->maps_known);
	assert_false(p->published);
	assert_int_equal(p->exec_id, 8);
	apply(table, 1, MMAP(21, 1, 0x10, 0x10, "/z"));
	assert_list(p, "10-20z@0");
}

static void test_fork(void **state)
{
	_cleanup_(process_table_freep) struct process_table *table = process_table_new();
	struct process *parent, *child;

	apply(table, 1, EXEC(10, 1));
	apply(table, 1, MMAP(11, 1, 0x10, 0x10, "/x"));
	parent = process_table_find(table, 1);
	parent->published = true;
	parent->dirty = false;
	parent->start_ns = 5;
	parent->exec_id = 3;
	apply(table, 1, FORK(20, 2, 1));
	child = process_table_find(table, 2);
	assert_list(child, "10-20x@0");
	assert_true(child->maps_known && child->published && !child->dirty);
	assert_int_equal(child->start_ns, 0);
	assert_int_equal(child->exec_id, 3);
	assert_int_equal(child->ancestors[0], 1);
	apply(table, 1, MMAP(21, 2, 0x30, 0x10, "/y"));
	assert_list(child, "10-20x@0 30-40y@0");
	assert_list(parent, "10-20x@0");
	assert_true(child->dirty && !parent->dirty);
	apply(table, 1, FORK(22, 3, 2));
	assert_int_equal(process_table_find(table, 3)->ancestors[0], 2);
	assert_int_equal(process_table_find(table, 3)->ancestors[1], 1);
}

static void test_fork_unknown(void **state)
{
	_cleanup_(process_table_freep) struct process_table *table = process_table_new();
	struct process *child;

	apply(table, 1, FORK(20, 2, 1));
	child = process_table_find(table, 2);
	assert_false(child->maps_known);
	apply(table, 0, MMAP(21, 2, 0x30, 0x10, "/y"));
	assert_list(child, "");
	apply(table, 1, EXEC(22, 2));
	assert_true(child->maps_known);
	assert_int_equal(child->exec_id, 0);
	assert_int_equal(child->ancestors[0], 1);
}

static void test_pid_reuse(void **state)
{
	_cleanup_(process_table_freep) struct process_table *table = process_table_new();
	struct process *p;

	apply(table, 1, EXEC(10, 2));
	apply(table, 1, MMAP(11, 2, 0x10, 0x10, "/x"));
	p = process_table_find(table, 2);
	p->start_ns = 9;
	p->exec_id = 1;
	apply(table, 1, EXIT(12, 2));
	assert_true(p->ended);
	apply(table, 1, FORK(13, 2, 1));
	assert_false(p->ended);
	assert_false(p->maps_known);
	assert_int_equal(p->start_ns, 0);
	assert_int_equal(p->exec_id, 0);
	assert_list(p, "");
	apply(table, 0, EXIT(12, 2));
	assert_false(p->ended);
}

static void test_first_thread_ends(void **state)
{
	_cleanup_(process_table_freep) struct process_table *table = process_table_new();
	struct process *p;

	apply(table, 1, EXEC(10, 2));
	apply(table, 1, EXIT(20, 2));
	apply(table, 1, MMAP(21, 2, 0x10, 0x10, "/x"));
	p = process_table_find(table, 2);
	assert_false(p->ended);
	apply(table, 1, EXIT(30, 2));
	apply(table, 1, EXEC(31, 2));
	assert_false(p->ended);
}

static const struct is_case {
	const char *name;
	uint64_t start_ns, since_ns;
	uint32_t exec_id;
	bool expected;		/* for start 100, exec id 5 */
} is_cases[] = {
	{ "nothing known but when the list began", 0, 150, 0, true },
	{ "the list began when it started", 0, 100, 0, true },
	{ "started after the list began", 0, 99, 0, false },
	{ "the same start", 100, 150, 0, true },
	{ "another start", 101, 150, 0, false },
	{ "the same exec", 100, 150, 5, true },
	{ "an earlier exec", 100, 150, 4, false },
	{ "a later exec, start not known", 0, 150, 6, false },
};

static void is_row(void **state)
{
	const struct is_case *c = *state;
	struct process process = {
		.start_ns = c->start_ns,
		.since_ns = c->since_ns,
		.exec_id = c->exec_id,
	};

	assert_int_equal(process_is(&process, 100, 5), c->expected);
}

static void test_reset(void **state)
{
	_cleanup_(process_table_freep) struct process_table *table = process_table_new();
	struct process *p;

	apply(table, 1, FORK(9, 2, 77));
	apply(table, 1, EXEC(10, 2));
	apply(table, 1, MMAP(11, 2, 0x10, 0x10, "/x"));
	p = process_table_find(table, 2);
	p->start_ns = 9;
	process_reset(table, p, 9, 4);
	assert_list(p, "");
	assert_false(p->maps_known);
	assert_int_equal(p->exec_id, 4);
	assert_int_equal(p->ancestors[0], 77);
	process_reset(table, p, 10, 4);
	assert_int_equal(p->start_ns, 10);
	assert_int_equal(p->ancestors[0], 0);
}

static void test_collect(void **state)
{
	_cleanup_(process_table_freep) struct process_table *table = process_table_new();
	size_t bytes = process_table_bytes(table), full;
	char path[64];

	for (uint32_t pid = 1; pid <= 3000; pid++) {
		snprintf(path, sizeof(path), "/a/rather/long/path/to/make/some/memory/%u", pid);
		apply(table, 1, EXEC(10, pid));
		apply(table, 1, MMAP(11, pid, 0x1000, 0x1000, path));
		if (pid > 1)
			apply(table, 1, EXIT(12 + pid % 2, pid));
	}
	full = process_table_bytes(table);
	assert_int_equal(process_table_collect(table, 12), 0);
	assert_int_equal(process_table_collect(table, 13), 1500);
	assert_int_equal(process_table_collect(table, 14), 1499);
	assert_int_equal(process_table_count(table), 1);
	assert_string_equal(process_table_find(table, 1)->mappings[0].path,
			    "/a/rather/long/path/to/make/some/memory/1");
	assert_true(process_table_bytes(table) - bytes < (full - bytes) / 2);
}

/* ---- /proc ---- */

static void test_read_own(void **state)
{
	_cleanup_(process_table_freep) struct process_table *table = process_table_new();
	uint64_t before_ns = clock_monotonic_ns();
	const struct mapping *m;
	struct process *p;
	bool vdso = false;

	assert_int_equal(process_table_add(table, (uint32_t)getpid(), &p), 1);
	assert_int_equal(process_read_maps(table, p), 0);
	assert_true(p->maps_known && p->dirty);
	assert_true(p->since_ns >= before_ns && p->since_ns <= clock_monotonic_ns());
	m = process_find_mapping(p, (uintptr_t)test_read_own);
	assert_non_null(m);
	assert_non_null(strstr(m->path, "test_process"));
	assert_int_not_equal(m->inode, 0);
	for (size_t i = 0; i < p->mapping_count; i++) {
		vdso |= !strcmp(p->mappings[i].path, "[vdso]");
		assert_string_not_equal(p->mappings[i].path, "[vsyscall]");
	}
	assert_true(vdso);
	/* The same again changes nothing, and what is known of its files stays known. */
	p->dirty = false;
	p->mappings[0].resolved = true;
	assert_int_equal(process_read_maps(table, p), 0);
	assert_false(p->dirty);
	assert_true(p->mappings[0].resolved);
	/* What happened before it was read is in the list. */
	apply(table, 0, EXEC(p->since_ns, p->pid));
	assert_true(p->mapping_count > 2);
}

static void test_read_gone(void **state)
{
	_cleanup_(process_table_freep) struct process_table *table = process_table_new();
	pid_t pid = fork();
	struct process *p;

	if (!pid)
		_exit(0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(process_table_add(table, (uint32_t)pid, &p), 1);
	add_text(table, p, "1-2x");
	assert_int_equal(process_read_maps(table, p), -ESRCH);
	assert_false(p->maps_known);
	assert_list(p, "1-2x@0");
}

static int apply_some(void *arg)
{
	_cleanup_(process_table_freep) struct process_table *table = process_table_new();
	const struct notice notices[] = {
		EXEC(10, 1), MMAP(11, 1, 0x10, 0x90, "/x"), MMAP(12, 1, 0x20, 0x10, "/y"),
		FORK(13, 2, 1), MMAP(14, 2, 0x30, 0x10, "/c"),
	};
	int r = table ? 0 : -ENOMEM;

	for (size_t i = 0; i < ARRAY_SIZE(notices) && r >= 0; i++) {
		struct notice notice = notices[i];

		if (!notice.path)
			notice.path = "";
		r = process_table_apply(table, &notice);
	}
	return r;
}

static void test_no_memory(void **state)
{
	assert_true(fail_alloc_each(apply_some, NULL) > 5);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("an address is found in its mapping and nowhere else", test_find),
		UNIT_TEST("random lists are what a page by page map says", test_random),
		UNIT_TEST("pieces and copies of mappings count their modules",
			  test_modules_are_counted),
		UNIT_TEST("an exec begins a list that is known whole", test_exec),
		UNIT_TEST("a child has a copy of its parent's list", test_fork),
		UNIT_TEST("a child of an unknown parent is known from its exec on",
			  test_fork_unknown),
		UNIT_TEST("a fork begins another process of the same PID", test_pid_reuse),
		UNIT_TEST("a process lives on when its first thread ends", test_first_thread_ends),
		UNIT_TEST("another instance keeps ancestors only after an exec", test_reset),
		UNIT_TEST("ended processes and their paths are forgotten", test_collect),
		UNIT_TEST("our own mappings are read from /proc", test_read_own),
		UNIT_TEST("the list survives when the process is gone", test_read_gone),
		UNIT_TEST("any allocation may fail", test_no_memory),
	};

	return unit_run_rows("list", list_row, UNIT_ROWS(list_cases)) +
	       unit_run_rows("identity", is_row, UNIT_ROWS(is_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
