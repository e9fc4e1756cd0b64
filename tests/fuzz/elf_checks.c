/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/elf_checks.h"

#include "profiler/unwind/unwind_table.h"
#include "symbolizer/code/function_list.h"
#include "symbolizer/symbolizer.h"
#include "tests/fuzz/fuzz.h"

#define RULES_MAX 4096
/* Look-ups in each executable segment, and how many of those are asked. */
#define ADDRESSES 64
#define SEGMENTS_MAX 4
#define FRAMES_MAX 16

static void check_page(const struct unwind_table *table, uint32_t cell, uint32_t rules)
{
	uint64_t first = (uint64_t)table->page_count + 2 * (uint64_t)(cell >> 10), i;
	uint32_t count = cell & UNWIND_PAGE_ROWS_MAX, row, offset, previous = 0;

	if (!count)
		return;
	fuzz_check(first + count <= table->cell_count, "rows lie behind the table");
	fuzz_check(first / UNWIND_BLOCK_CELLS == (first + count - 1) / UNWIND_BLOCK_CELLS,
		   "rows cross a block");
	for (i = first; i < first + count; i++) {
		row = table->cells[i];
		offset = row & ((1u << UNWIND_PAGE_SHIFT) - 1);
		fuzz_check(i == first ? !offset : offset > previous, "rows are not in order");
		fuzz_check(row >> UNWIND_PAGE_SHIFT < rules, "a row has no rule");
		previous = offset;
	}
}

static void check_table(const struct unwind_table *table, const struct rule_pool *pool)
{
	uint64_t size = (uint64_t)table->page_count << UNWIND_PAGE_SHIFT, i;
	uint32_t rules = rule_pool_count(pool), number;

	fuzz_check(!(table->start & ((1u << UNWIND_PAGE_SHIFT) - 1)), "a table begins in a page");
	fuzz_check(table->page_count <= table->cell_count, "a directory lies behind the table");
	for (i = 0; i < table->page_count; i++)
		check_page(table, table->cells[i], rules);
	for (i = 0; i <= ADDRESSES; i++) {
		number = unwind_table_find(table, table->start + size / ADDRESSES * i);
		fuzz_check(number < rules, "an address has no rule");
		fuzz_check(unwind_rule_kind(rule_pool_rule(pool, number)) < UNWIND_KINDS,
			   "a rule is of no kind");
	}
	fuzz_check(!unwind_table_find(table, table->start - 1), "there is a rule before the start");
}

void elf_check_rows(struct elf_file *elf)
{
	_cleanup_(rule_pool_freep) struct rule_pool *pool = rule_pool_new(RULES_MAX);
	struct unwind_table table = { 0 };

	fuzz_check(pool != NULL, "no memory");
	if (unwind_table_build(elf, pool, &table) < 0)
		return;
	check_table(&table, pool);
	unwind_table_done(&table);
}

static void check_address(struct symbolizer *sym, struct module *mod, uint64_t address)
{
	struct frame frames[FRAMES_MAX];
	int count, i;

	count = symbolizer_lookup(sym, mod, address, frames, FRAMES_MAX);
	fuzz_check(count > 0 && count <= FRAMES_MAX, "an address has no frame");
	for (i = 0; i < count; i++) {
		fuzz_touch_text(frames[i].function);
		fuzz_touch_text(frames[i].system_name);
		if (frames[i].file)
			fuzz_touch_text(frames[i].file);
		fuzz_check(frames[i].inlined == (i < count - 1), "a call is inlined into nothing");
	}
}

/* The other way around: what functions it has. */
static void check_functions(struct module *mod)
{
	_cleanup_(function_list_freep) struct function_list *list = NULL;
	const struct function_entry *entry;
	uint64_t previous = 0;
	char *name = NULL;
	size_t i;

	function_list_suggest(mod, "functoin", &name);
	free(name);
	if (function_list_read(mod, "*", 0, &list) < 0)
		return;
	fuzz_check(function_list_count(list) > 0, "an empty list is no failure");
	for (i = 0; i < function_list_count(list); i++) {
		entry = function_list_at(list, i);
		fuzz_check(entry->address >= previous, "functions are not in order");
		previous = entry->address;
		fuzz_touch_text(entry->symbol);
		fuzz_touch_text(entry->name);
	}
}

void elf_check_names(struct module *mod)
{
	_cleanup_(symbolizer_freep) struct symbolizer *sym = symbolizer_new(NULL);
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	const struct elf_segment *segments;
	size_t count, i, asked = 0;
	uint64_t step, j;

	fuzz_check(sym != NULL, "no memory");
	if (module_open(mod, &elf) < 0)
		return;
	check_functions(mod);
	check_address(sym, mod, elf_file_entry(elf));
	segments = elf_file_segments(elf, &count);
	for (i = 0; i < count && asked < SEGMENTS_MAX; i++) {
		if (!segments[i].executable)
			continue;
		asked++;
		step = segments[i].memory_bytes / ADDRESSES + 1;
		for (j = 0; j < ADDRESSES; j++)
			check_address(sym, mod, segments[i].address + j * step);
	}
}

struct module *elf_check_module(const void *bytes, size_t size)
{
	struct module_info info = { .id = 1, .path = "fuzz" };
	struct module *mod = module_new(&info, fuzz_file(bytes, size));

	fuzz_check(mod != NULL, "no memory");
	return mod;
}
