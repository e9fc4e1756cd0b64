/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "profiler/processes/sideband_parse.h"

#define TIME_NS 123456789012345ull

/* A record as the kernel lays it out. */
struct bytes {
	uint8_t data[4096] __attribute__((aligned(8)));
	size_t size;
};

static void put(struct bytes *b, const void *data, size_t size)
{
	memcpy(b->data + b->size, data, size);
	b->size += size;
}

static void put_u32(struct bytes *b, uint32_t value)
{
	put(b, &value, sizeof(value));
}

static void put_u64(struct bytes *b, uint64_t value)
{
	put(b, &value, sizeof(value));
}

/* Texts are filled up with zeros to a multiple of 8. */
static void put_text(struct bytes *b, const char *text)
{
	put(b, text, strlen(text) + 1);
	while (b->size % 8)
		put(b, "", 1);
}

static void record_begin(struct bytes *b, uint32_t type, uint16_t misc)
{
	struct perf_event_header header = { .type = type, .misc = misc };

	b->size = 0;
	put(b, &header, sizeof(header));
}

static void record_end(struct bytes *b)
{
	struct perf_event_header *header = (void *)b->data;

	put_u32(b, 77);
	put_u32(b, 78);
	put_u64(b, TIME_NS);
	header->size = b->size;
}

static void put_mmap2(struct bytes *b, uint16_t misc, const uint8_t *build_id, uint8_t size,
		      const char *path)
{
	uint8_t id[20] = { 0 }, head[4] = { size };

	record_begin(b, PERF_RECORD_MMAP2, misc);
	put_u32(b, 10);
	put_u32(b, 11);
	put_u64(b, 0x7f0000001000);
	put_u64(b, 0x2000);
	put_u64(b, 0x3000);
	if (misc & PERF_RECORD_MISC_MMAP_BUILD_ID) {
		memcpy(id, build_id, size < 20 ? size : 20);
		put(b, head, sizeof(head));
		put(b, id, sizeof(id));
	} else {
		put_u32(b, 8);
		put_u32(b, 3);
		put_u64(b, 4711);
		put_u64(b, 1);
	}
	put_u32(b, 5);
	put_u32(b, 2);
	put_text(b, path);
	record_end(b);
}

static void put_comm(struct bytes *b, uint16_t misc, const char *comm)
{
	record_begin(b, PERF_RECORD_COMM, misc);
	put_u32(b, 20);
	put_u32(b, 20);
	put_text(b, comm);
	record_end(b);
}

static void put_task(struct bytes *b, uint32_t type, uint32_t pid, uint32_t parent, uint32_t tid)
{
	record_begin(b, type, 0);
	put_u32(b, pid);
	put_u32(b, parent);
	put_u32(b, tid);
	put_u32(b, parent);
	put_u64(b, TIME_NS);
	record_end(b);
}

static void test_mmap_build_id(void **state)
{
	static const uint8_t id[20] = { 1, 2, 3, [19] = 20 };
	struct sideband_record record;
	struct bytes b;

	put_mmap2(&b, PERF_RECORD_MISC_MMAP_BUILD_ID, id, 20, "/usr/lib/x.so");
	assert_int_equal(sideband_parse(b.data, b.size, &record), 0);
	assert_int_equal(record.kind, SIDEBAND_NOTICE);
	assert_int_equal(record.notice.type, NOTICE_MMAP);
	assert_int_equal(record.notice.time_ns, TIME_NS);
	assert_int_equal(record.notice.pid, 10);
	assert_int_equal(record.notice.tid, 11);
	assert_int_equal(record.notice.address, 0x7f0000001000);
	assert_int_equal(record.notice.length, 0x2000);
	assert_int_equal(record.notice.offset, 0x3000);
	assert_int_equal(record.notice.build_id.size, 20);
	assert_memory_equal(record.notice.build_id.bytes, id, 20);
	assert_int_equal(record.notice.device, 0);
	assert_int_equal(record.notice.inode, 0);
	assert_string_equal(record.notice.path, "/usr/lib/x.so");
}

static void test_mmap_short_build_id(void **state)
{
	static const uint8_t id[20] = { 9, 8, 7, 6, 5, 4, 3, 2 };
	struct elf_build_id expected = { .size = 8 };
	struct sideband_record record;
	struct bytes b;

	memcpy(expected.bytes, id, 8);
	put_mmap2(&b, PERF_RECORD_MISC_MMAP_BUILD_ID, id, 8, "x");
	assert_int_equal(sideband_parse(b.data, b.size, &record), 0);
	assert_memory_equal(&record.notice.build_id, &expected, sizeof(expected));
}

static void test_mmap_inode(void **state)
{
	struct sideband_record record;
	struct bytes b;

	put_mmap2(&b, 0, NULL, 0, "//anon");
	assert_int_equal(sideband_parse(b.data, b.size, &record), 0);
	assert_int_equal(record.notice.build_id.size, 0);
	assert_int_equal(record.notice.device, makedev(8, 3));
	assert_int_equal(record.notice.inode, 4711);
	assert_string_equal(record.notice.path, "//anon");
}

static void test_exec(void **state)
{
	struct sideband_record record;
	struct bytes b;

	put_comm(&b, PERF_RECORD_MISC_COMM_EXEC, "python3");
	assert_int_equal(sideband_parse(b.data, b.size, &record), 0);
	assert_int_equal(record.kind, SIDEBAND_NOTICE);
	assert_int_equal(record.notice.type, NOTICE_EXEC);
	assert_int_equal(record.notice.pid, 20);
	assert_int_equal(record.notice.time_ns, TIME_NS);
	assert_string_equal(record.notice.path, "python3");
}

static const struct task_case {
	const char *name;
	uint32_t type, pid, parent, tid;
	enum sideband_kind kind;
	enum notice_type notice;
} task_cases[] = {
	{ "a fork is a notice", PERF_RECORD_FORK, 5, 4, 5, SIDEBAND_NOTICE, NOTICE_FORK },
	{ "a new thread is none", PERF_RECORD_FORK, 4, 4, 6, SIDEBAND_OTHER, NOTICE_FORK },
	{ "the end of a first thread is a notice", PERF_RECORD_EXIT, 5, 5, 5, SIDEBAND_NOTICE,
	  NOTICE_EXIT },
	{ "the end of another thread is none", PERF_RECORD_EXIT, 5, 5, 6, SIDEBAND_OTHER,
	  NOTICE_EXIT },
};

static void task_row(void **state)
{
	const struct task_case *c = *state;
	struct sideband_record record;
	struct bytes b;

	put_task(&b, c->type, c->pid, c->parent, c->tid);
	assert_int_equal(sideband_parse(b.data, b.size, &record), 0);
	assert_int_equal(record.kind, c->kind);
	assert_int_equal(record.notice.type, c->notice);
	assert_int_equal(record.notice.pid, c->pid);
	assert_int_equal(record.notice.tid, c->tid);
	assert_int_equal(record.notice.parent_pid, c->parent);
	assert_int_equal(record.notice.time_ns, TIME_NS);
	assert_string_equal(record.notice.path, "");
}

static void test_lost(void **state)
{
	struct sideband_record record;
	struct bytes b;

	record_begin(&b, PERF_RECORD_LOST, 0);
	put_u64(&b, 1);
	put_u64(&b, 4242);
	record_end(&b);
	assert_int_equal(sideband_parse(b.data, b.size, &record), 0);
	assert_int_equal(record.kind, SIDEBAND_LOST);
	assert_int_equal(record.lost, 4242);
	assert_int_equal(record.notice.time_ns, TIME_NS);
}

static void test_other(void **state)
{
	struct sideband_record record;
	struct bytes b;

	put_comm(&b, 0, "renamed");
	assert_int_equal(sideband_parse(b.data, b.size, &record), 0);
	assert_int_equal(record.kind, SIDEBAND_OTHER);
	assert_int_equal(record.notice.time_ns, TIME_NS);
	record_begin(&b, PERF_RECORD_THROTTLE, 0);
	record_end(&b);
	assert_int_equal(sideband_parse(b.data, b.size, &record), 0);
	assert_int_equal(record.kind, SIDEBAND_OTHER);
}

/* Cut @b to @size bytes and let its header say so. In memory of just that size, for ASan. */
static int parse_cut(const struct bytes *b, size_t size, struct sideband_record *ret)
{
	uint8_t *cut = malloc(size ? size : 1);
	int r;

	assert_non_null(cut);
	memcpy(cut, b->data, size);
	if (size >= sizeof(struct perf_event_header))
		((struct perf_event_header *)cut)->size = size;
	r = sideband_parse(cut, size, ret);
	free(cut);
	return r;
}

static void test_cut(void **state)
{
	static const uint8_t id[20] = { 1 };
	struct sideband_record record = { .lost = 99 };
	struct bytes records[4];

	/* What is cut off first is the trailer; from then on the body's end is taken for it. */
	put_mmap2(&records[0], PERF_RECORD_MISC_MMAP_BUILD_ID, id, 20, "");
	put_comm(&records[1], PERF_RECORD_MISC_COMM_EXEC, "");
	put_task(&records[2], PERF_RECORD_FORK, 5, 4, 5);
	record_begin(&records[3], PERF_RECORD_LOST, 0);
	put_u64(&records[3], 1);
	put_u64(&records[3], 2);
	record_end(&records[3]);
	for (size_t i = 0; i < 4; i++) {
		for (size_t size = 0; size < records[i].size - 7; size++)
			assert_int_equal(parse_cut(&records[i], size, &record), -EBADMSG);
		assert_int_equal(record.lost, 99);
	}
}

static void test_damaged(void **state)
{
	static const uint8_t id[20] = { 1 };
	struct sideband_record record;
	struct bytes b;

	put_mmap2(&b, PERF_RECORD_MISC_MMAP_BUILD_ID, id, 21, "x");
	assert_int_equal(sideband_parse(b.data, b.size, &record), -EBADMSG);
	put_mmap2(&b, 0, NULL, 0, "path");
	memset(b.data + b.size - 16 - 8, 'x', 8);
	assert_int_equal(sideband_parse(b.data, b.size, &record), -EBADMSG);
	put_comm(&b, PERF_RECORD_MISC_COMM_EXEC, "comm");
	assert_int_equal(sideband_parse(b.data, b.size - 8, &record), -EBADMSG);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("a mapping with a build ID has all its fields", test_mmap_build_id),
		UNIT_TEST("a short build ID is followed by zeros", test_mmap_short_build_id),
		UNIT_TEST("a mapping without a build ID has device and inode", test_mmap_inode),
		UNIT_TEST("a name that comes with an exec is an exec", test_exec),
		UNIT_TEST("lost records are counted", test_lost),
		UNIT_TEST("what nobody needs has at least its time", test_other),
		UNIT_TEST("a record cut anywhere is refused", test_cut),
		UNIT_TEST("a record that contradicts itself is refused", test_damaged),
	};

	return unit_run_rows("task", task_row, UNIT_ROWS(task_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
