/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_table_layout.c - rows as cells: what is found is what was put in, and the form is kept.
 */
#include "profiler/unwind/table_layout.h"

#include <errno.h>
#include <string.h>

#include "tests/unit/fail_alloc.h"
#include "tests/unit/unit.h"

#define START 0x400000

/* The same rows as a plain list, to be searched from its beginning. */
struct reference {
	struct {
		uint64_t address;
		uint32_t rule;
	} rows[20000];
	size_t count;
};

static struct reference reference;

static uint32_t reference_find(uint64_t address)
{
	uint32_t rule = 0;
	size_t i;

	for (i = 0; i < reference.count && reference.rows[i].address <= address; i++)
		rule = reference.rows[i].rule;
	return rule;
}

static void add(struct table_layout *layout, uint64_t address, uint32_t rule)
{
	assert_int_equal(table_layout_add(layout, address, rule), 0);
	reference.rows[reference.count].address = address;
	reference.rows[reference.count++].rule = rule;
}

/* What unwind_table.h and the search in the kernel rely on. */
static void check_form(const struct unwind_table *t)
{
	uint32_t page, i;

	for (page = 0; page < t->page_count; page++) {
		uint32_t count = t->cells[page] & 1023;
		size_t first = t->page_count + 2 * (size_t)(t->cells[page] >> 10);

		if (!count)
			continue;
		assert_true(first + count <= t->cell_count);
		assert_int_equal(first / UNWIND_BLOCK_CELLS,
				 (first + count - 1) / UNWIND_BLOCK_CELLS);
		assert_int_equal(t->cells[first] & 4095, 0);
		for (i = 1; i < count; i++) {
			assert_true((t->cells[first + i] & 4095) >
				    (t->cells[first + i - 1] & 4095));
			assert_int_not_equal(t->cells[first + i] >> 12,
					     t->cells[first + i - 1] >> 12);
		}
	}
}

static void check_all(const struct unwind_table *t, uint64_t pages)
{
	uint64_t address;
	size_t i = 0;
	uint32_t rule = 0;

	check_form(t);
	for (address = START; address < START + pages * 4096; address++) {
		for (; i < reference.count && reference.rows[i].address <= address; i++)
			rule = reference.rows[i].rule;
		assert_int_equal(unwind_table_find(t, address), rule);
	}
	assert_int_equal(unwind_table_find(t, START - 1), 0);
	assert_int_equal(unwind_table_find(t, START + pages * 4096), 0);
	assert_int_equal(unwind_table_find(t, 0), 0);
	assert_int_equal(unwind_table_find(t, UINT64_MAX), 0);
}

/* Like a generator of textbooks: the same numbers on every machine. */
static uint32_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005ull + 1442695040888963407ull;
	return (uint32_t)(*seed >> 33);
}

static void fill_random(struct table_layout *layout, uint64_t pages, uint32_t spread, uint64_t seed)
{
	uint64_t address = START + next_random(&seed) % spread;

	while (address < START + pages * 4096 && reference.count < ARRAY_SIZE(reference.rows)) {
		add(layout, address, next_random(&seed) % 5 * (next_random(&seed) % 70000));
		address += next_random(&seed) % spread;
	}
}

static const struct random_case {
	const char *name;
	uint64_t pages;
	uint32_t spread;
} random_cases[] = {
	{ "dense rows, an odd directory", 9, 10 }, { "dense rows, an even directory", 8, 12 },
	{ "rows as compilers make them", 64, 60 }, { "sparse rows", 200, 9000 },
	{ "very sparse rows", 1500, 300000 },	   { "one row", 3, 4000 },
};

static void random_row(void **state)
{
	const struct random_case *c = *state;
	uint64_t seed;

	for (seed = 1; seed <= 20; seed++) {
		struct unwind_table table = { 0 };
		struct table_layout layout;

		reference.count = 0;
		assert_int_equal(table_layout_init(&layout, START, START + c->pages * 4096), 0);
		fill_random(&layout, c->pages, c->spread, seed);
		assert_int_equal(table_layout_finish(&layout, &table), 0);
		check_all(&table, c->pages);
		unwind_table_done(&table);
		table_layout_done(&layout);
	}
}

static void test_equal_rows_are_merged(void **state)
{
	struct unwind_table table = { 0 };
	struct table_layout layout;

	reference.count = 0;
	assert_int_equal(table_layout_init(&layout, START, START + 4096), 0);
	add(&layout, START + 10, 5);
	add(&layout, START + 20, 5);
	add(&layout, START + 30, 6);
	add(&layout, START + 30, 5);	/* said anew, and now as before */
	add(&layout, START + 40, 0);
	assert_int_equal(table_layout_finish(&layout, &table), 0);
	assert_int_equal(table.stats.rows, 3);
	assert_int_equal(unwind_table_find(&table, START + 9), 0);
	assert_int_equal(unwind_table_find(&table, START + 35), 5);
	assert_int_equal(unwind_table_find(&table, START + 40), 0);
	unwind_table_done(&table);
}

static void test_long_functions_share_a_row(void **state)
{
	struct unwind_table table = { 0 };
	struct table_layout layout;

	reference.count = 0;
	assert_int_equal(table_layout_init(&layout, START, START + 1000 * 4096), 0);
	add(&layout, START + 100, 5);
	add(&layout, START + 990 * 4096, 0);
	assert_int_equal(table_layout_finish(&layout, &table), 0);
	check_all(&table, 1000);
	assert_true(table.cell_count < 1000 + 8);
	unwind_table_done(&table);
}

static void test_no_rows(void **state)
{
	struct unwind_table table = { 0 };
	struct table_layout layout;

	assert_int_equal(table_layout_init(&layout, START, START + 10 * 4096), 0);
	assert_int_equal(table_layout_add(&layout, START + 5000, 0), 0);
	assert_int_equal(table_layout_finish(&layout, &table), 0);
	assert_int_equal(table.page_count, 0);
	assert_null(table.cells);
	assert_int_equal(unwind_table_find(&table, START), 0);
	table_layout_done(&layout);
}

static void test_overfull_page(void **state)
{
	struct unwind_table table = { 0 };
	struct table_layout layout;
	uint32_t i;

	reference.count = 0;
	assert_int_equal(table_layout_init(&layout, START, START + 2 * 4096), 0);
	for (i = 0; i < 2048; i++)
		add(&layout, START + 2 * i, 1 + i % 7);
	add(&layout, START + 4096 + 8, 100);
	assert_int_equal(table_layout_finish(&layout, &table), 0);
	assert_int_equal(table.stats.pages_overfull, 1);
	check_form(&table);
	/* What fits is right, what does not has no rule, and the next page is right again. */
	for (i = 0; i < 2048; i++)
		assert_int_equal(unwind_table_find(&table, START + 2 * i),
				 i < UNWIND_PAGE_ROWS_MAX - 1 ? reference_find(START + 2 * i) : 0);
	assert_int_equal(unwind_table_find(&table, START + 4096), 1 + 2047 % 7);
	assert_int_equal(unwind_table_find(&table, START + 4096 + 8), 100);
	unwind_table_done(&table);
}

static void test_too_much_text(void **state)
{
	struct table_layout layout;

	assert_int_equal(table_layout_init(&layout, START, START + (1ull << 32) + 4096), -EFBIG);
	assert_int_equal(table_layout_init(&layout, 0, UINT64_MAX), -EFBIG);
}

static int lay_out(void *arg)
{
	struct unwind_table table = { 0 };
	struct table_layout layout;
	uint64_t i;
	int r;

	r = table_layout_init(&layout, START, START + 40 * 4096);
	for (i = 0; i < 40 * 64 && r == 0; i++)
		r = table_layout_add(&layout, START + i * 64, (uint32_t)i);
	if (r == 0)
		r = table_layout_finish(&layout, &table);
	table_layout_done(&layout);
	unwind_table_done(&table);
	return r;
}

static void test_no_memory(void **state)
{
	/* Giving memory back may fail too, and is then not missed. */
	fail_alloc_after(0);
	assert_int_equal(lay_out(NULL), -ENOMEM);
	fail_alloc_stop();
	fail_alloc_after(1);
	assert_int_equal(lay_out(NULL), -ENOMEM);
	fail_alloc_stop();
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("equal rows are merged", test_equal_rows_are_merged),
		UNIT_TEST("long functions share a row", test_long_functions_share_a_row),
		UNIT_TEST("no rows make an empty table", test_no_rows),
		UNIT_TEST("an overfull page has no rule at its end", test_overfull_page),
		UNIT_TEST("too much text is refused", test_too_much_text),
		UNIT_TEST("without memory it says so", test_no_memory),
	};

	return unit_run_rows("random", random_row, UNIT_ROWS(random_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
