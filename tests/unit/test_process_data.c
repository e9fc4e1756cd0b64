/* SPDX-License-Identifier: BSD-2-Clause */
/* test_process_data.c - mappings that are not executable. */
#include "profiler/processes/process.h"

#include "tests/unit/unit.h"

/* On request anonymous memory has a name, and only the same ones are one. */
static void test_keep_all(void **state)
{
	_cleanup_(process_table_freep) struct process_table *table = process_table_new();
	static const struct {
		uint64_t start, end;
		const char *path;
	} added[] = { { 0x1000, 0x3000, "[heap]" }, { 0x3000, 0x5000, "//anon" },
		      { 0x5000, 0x6000, "" }, { 0x2000, 0x3000, "[heap]" } };
	struct notice notice = { .type = NOTICE_EXEC, .pid = 1, .time_ns = 1, .path = "x" };
	struct process *process;

	process_table_keep_all(table);
	assert_int_equal(process_table_apply(table, &notice), 1);
	for (size_t i = 0; i < ARRAY_SIZE(added); i++) {
		notice = (struct notice){ .type = NOTICE_MMAP, .pid = 1, .time_ns = 2 + i,
					  .is_data = true, .address = added[i].start,
					  .length = added[i].end - added[i].start,
					  .path = added[i].path };
		assert_true(process_table_apply(table, &notice) >= 0);
	}
	process = process_table_find(table, 1);
	assert_int_equal(process->mapping_count, 2);
	assert_string_equal(process_find_mapping(process, 0x2fff)->path, "[heap]");
	assert_string_equal(process_find_mapping(process, 0x3000)->path, "");
	assert_int_equal(process->mappings[1].end, 0x6000);
}

/* Else data is nobody's concern. */
static void test_ignore_data(void **state)
{
	_cleanup_(process_table_freep) struct process_table *table = process_table_new();
	struct notice notice = { .type = NOTICE_EXEC, .pid = 1, .time_ns = 1, .path = "x" };

	process_table_apply(table, &notice);
	notice = (struct notice){ .type = NOTICE_MMAP, .pid = 1, .time_ns = 2, .is_data = true,
				  .address = 0x1000, .length = 0x1000, .path = "/x" };
	assert_int_equal(process_table_apply(table, &notice), 0);
	assert_int_equal(process_table_find(table, 1)->mapping_count, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("all mappings are kept with their names on request", test_keep_all),
		UNIT_TEST("those of data are ignored without", test_ignore_data),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
