/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/unwind/unwind_table.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>

#include "profiler/unwind/cfi_program.h"
#include "profiler/unwind/cfi_reader.h"
#include "profiler/unwind/cfi_rules.h"
#include "profiler/unwind/cie_cache.h"
#include "profiler/unwind/code_rows.h"
#include "profiler/unwind/fde_list.h"
#include "profiler/unwind/go_rows.h"
#include "profiler/unwind/special_code.h"
#include "profiler/unwind/table_layout.h"

/* Functions are aligned to this; shorter gaps before one are padding, which nobody executes. */
#define FUNCTION_ALIGNMENT 16
/* Nobody writes that much into the function at a program's entry. */
#define ENTRY_BYTES_MAX 256

enum { EH_FRAME, DEBUG_FRAME, SECTIONS };

static const char *const section_names[SECTIONS] = { ".eh_frame", ".debug_frame" };

struct table_builder {
	struct elf_file *elf;
	struct rule_pool *pool;
	struct cfi_section sections[SECTIONS];
	struct cie_cache cies;
	struct fde_list fdes;
	struct special_code code;
	struct go_rows go;
	struct code_rows *instructions;	/* NULL: it is Go's, or what nothing describes is little */
	struct table_layout layout;
	struct cfi_run run;
	uint64_t start, end;	/* of all text */
	uint64_t covered;	/* bytes that FDEs describe */
	uint64_t position;	/* below it all is laid out */
	size_t next_eh_frame;	/* index in fdes; see limit_debug_frame() */
	struct unwind_table_stats stats;
};

static struct table_builder *table_builder_free(struct table_builder *b)
{
	fde_list_done(&b->fdes);
	code_rows_free(b->instructions);
	table_layout_done(&b->layout);
	free(b);
	return NULL;
}
DEFINE_CLEANUP(struct table_builder *, table_builder_free)

static int read_section(struct table_builder *b, int which)
{
	struct elf_section found;
	int r = elf_file_section(b->elf, section_names[which], &found);

	if (r == -ENOMEM)
		return r;
	if (r < 0) {
		/* Whatever else a file has may still be good. */
		b->stats.fdes_damaged += r != -ENOENT;
		return 0;
	}
	b->sections[which] = (struct cfi_section){
		.bytes = found.bytes,
		.size = found.size,
		.address = found.address,
		.debug_frame = which == DEBUG_FRAME,
	};
	b->stats.cfi_bytes += found.size;
	return 0;
}

static void find_text(struct table_builder *b)
{
	size_t i;

	special_code_init(&b->code, b->elf);
	b->start = UINT64_MAX;
	for (i = 0; i < b->code.segment_count; i++) {
		const struct text_segment *segment = &b->code.segments[i];

		if (segment->start < b->start)
			b->start = segment->start;
		if (segment->end > b->end)
			b->end = segment->end;
	}
	if (b->start > b->end)
		b->start = b->end;
	b->position = b->start;
}

/*
 * Read the FDE @entry. What lies behind the end of its segment is cut off.
 * Returns 1, 0 when its code is not in this file (the linker dropped it), -EBADMSG.
 */
static int read_fde(struct table_builder *b, const struct cfi_section *section,
		    const struct cfi_entry *entry, const struct cfi_common **ret_common,
		    struct cfi_fde *ret)
{
	const struct cfi_common *common = cie_cache_find(&b->cies, section, entry->cie_offset);
	const struct text_segment *segment;
	struct cfi_fde fde;
	int r;

	if (!common)
		return -EBADMSG;
	r = cfi_fde_read(section, entry, &common->cie, &fde);
	if (r < 0)
		return r;
	segment = special_code_segment(&b->code, fde.start);
	if (!segment || fde.end == fde.start)
		return 0;
	if (fde.end > segment->end)
		fde.end = segment->end;
	*ret_common = common;
	*ret = fde;
	return 1;
}

static int collect_fde(struct table_builder *b, const struct cfi_section *section,
		       const struct cfi_entry *entry)
{
	struct fde_place place = { .debug_frame = section->debug_frame };
	const struct cfi_common *common;
	struct cfi_fde fde;
	int r;

	r = read_fde(b, section, entry, &common, &fde);
	if (r < 0)
		b->stats.fdes_damaged++;
	if (r <= 0)
		return 0;
	/* Go's says neither where rbp is nor where stacks end. */
	if (place.debug_frame && go_rows_has(&b->go, fde.start))
		return 0;
	b->stats.fdes++;
	b->covered += fde.end - fde.start;
	place.start = fde.start;
	place.offset = (uint32_t)entry->offset;
	return fde_list_add(&b->fdes, &place);
}

static int collect_section(struct table_builder *b, const struct cfi_section *section)
{
	struct cfi_entry entry;
	size_t offset = 0;
	int r;

	while ((r = cfi_entry_next(section, &offset, &entry)) > 0) {
		if (entry.is_cie)
			continue;
		r = entry.offset > FDE_OFFSET_MAX ? -EFBIG : collect_fde(b, section, &entry);
		if (r < 0)
			return r;
	}
	b->stats.fdes_damaged += r < 0;
	return 0;
}

static int rule_number(struct table_builder *b, struct unwind_rule rule, uint32_t *ret)
{
	int r = rule_pool_add(b->pool, rule, ret);

	if (r != -ENOSPC)
		return r;
	b->stats.rules_dropped++;
	*ret = UNWIND_NONE;
	return 0;
}

static int add_rule(struct table_builder *b, uint64_t address, struct unwind_rule rule)
{
	uint32_t number;
	int r = rule_number(b, rule, &number);

	return r < 0 ? r : table_layout_add(&b->layout, address, number);
}

/* Code that nothing describes, from @at to @to. */
static int add_instructions(struct table_builder *b, uint64_t at, uint64_t to)
{
	const struct code_row *rows;
	size_t count = 0;
	int r = 0;

	if (b->instructions)
		r = code_rows_read(b->instructions, at, to, &rows, &count);
	if (!r && !count)
		r = table_layout_add(&b->layout, at, UNWIND_NONE);
	for (size_t i = 0; i < count && !r; i++)
		r = add_rule(b, rows[i].start, rows[i].rule);
	return r;
}

static int add_go(struct table_builder *b, uint64_t at, uint64_t to)
{
	struct go_row row;
	int r = 0;

	go_rows_start(&b->go, at, to);
	while (r == 0 && go_rows_next(&b->go, &row))
		r = add_rule(b, row.start, row.rule);
	return r;
}

/* Code that neither an FDE describes nor its bytes, from @at to @to. */
static int add_undescribed(struct table_builder *b, uint64_t at, uint64_t to)
{
	return b->go.table.count ? add_go(b, at, to) : add_instructions(b, at, to);
}

/* Only a guess tells where the code at the entry ends, but Go's linker knows, and instructions do. */
static uint64_t special_end(const struct table_builder *b, const struct special_range *special,
			    uint64_t to)
{
	uint64_t start = special->start, end = special->end, last = start + ENTRY_BYTES_MAX;

	if (start != elf_file_entry(b->elf))
		return end;
	end = b->instructions ? code_rows_function_end(b->instructions, start) :
				go_rows_function_end(&b->go, start);
	return end > start && end <= to && end < last ? end : special->end;
}

/* Code that no FDE describes, from b->position to @to. */
static int add_gap(struct table_builder *b, uint64_t to)
{
	uint64_t at = b->position;
	struct special_range special;
	bool found = special_code_next(&b->code, at, to, &special);
	int r;

	if (!found && to - at < FUNCTION_ALIGNMENT && to % FUNCTION_ALIGNMENT == 0 && to != b->end)
		return 0;
	for (; found; found = special_code_next(&b->code, at, to, &special)) {
		r = special.start > at ? add_undescribed(b, at, special.start) : 0;
		if (r == 0)
			r = add_rule(b, special.start, special.rule);
		if (r < 0)
			return r;
		at = special_end(b, &special, to);
	}
	return at < to ? add_undescribed(b, at, to) : 0;
}

/* The rows of one FDE; code from where it is damaged on has no rule. */
static int add_rows(struct table_builder *b, const struct cfi_section *section,
		    const struct cfi_common *common, const struct cfi_fde *fde)
{
	struct cfi_run *run = &b->run;
	struct unwind_rule rule;
	uint64_t start;
	int r, step;

	cfi_run_start(run, section, common, fde);
	while ((step = cfi_run_next(run, &start)) > 0) {
		rule = cfi_rule(&run->state, &common->cie);
		b->stats.rows_unsupported += rule.kind == UNWIND_UNSUPPORTED;
		r = add_rule(b, start, rule);
		if (r < 0)
			return r;
	}
	if (step == 0)
		return 0;
	b->stats.fdes_damaged++;
	return table_layout_add(&b->layout, run->address, UNWIND_NONE);
}

/* An FDE of .debug_frame, the @index'th, ends where the next one of .eh_frame begins. */
static void limit_debug_frame(struct table_builder *b, size_t index, struct cfi_fde *fde)
{
	struct fde_place place;

	for (; b->next_eh_frame < b->fdes.count; b->next_eh_frame++) {
		if (b->next_eh_frame <= index)
			continue;
		place = fde_list_place(&b->fdes, b->next_eh_frame);
		if (place.debug_frame)
			continue;
		if (place.start < fde->end)
			fde->end = place.start;
		return;
	}
}

static int add_fde(struct table_builder *b, size_t index)
{
	struct fde_place place = fde_list_place(&b->fdes, index);
	const struct cfi_section *section = &b->sections[place.debug_frame];
	const struct cfi_common *common;
	size_t offset = place.offset;
	struct cfi_entry entry;
	struct cfi_fde fde;
	int r;

	if (place.start < b->position) {
		/* .debug_frame commonly repeats what .eh_frame says. */
		b->stats.fdes_overlapping += !place.debug_frame;
		return 0;
	}
	/* Read before, so it can be read again. */
	if (cfi_entry_next(section, &offset, &entry) != 1 ||
	    read_fde(b, section, &entry, &common, &fde) != 1)
		return -EBADMSG;
	if (place.debug_frame)
		limit_debug_frame(b, index, &fde);
	r = place.start > b->position ? add_gap(b, place.start) : 0;
	if (r == 0 && fde.end > fde.start)
		r = add_rows(b, section, common, &fde);
	b->position = fde.end;
	return r;
}

static int add_all(struct table_builder *b)
{
	size_t i;
	int r;

	r = table_layout_init(&b->layout, b->start, b->end);
	for (i = 0; i < b->fdes.count && r == 0; i++)
		r = add_fde(b, i);
	if (r == 0 && b->position < b->end)
		r = add_gap(b, b->end);
	return r;
}

static int build(struct table_builder *b, struct unwind_table *ret)
{
	int i, r;

	find_text(b);
	b->fdes.base = b->start;
	if (b->end - b->start > UINT32_MAX)
		return -EFBIG;
	r = go_rows_init(&b->go, b->elf, &b->code);
	if (r < 0)
		return r;
	for (i = 0; i < SECTIONS; i++) {
		r = read_section(b, i);
		if (r == 0)
			r = collect_section(b, &b->sections[i]);
		if (r < 0)
			return r;
	}
	r = fde_list_sort(&b->fdes);
	if (r == 0)
		r = special_code_load(&b->code, b->elf, b->covered);
	if (r == 0 && b->code.segments[0].bytes && !b->go.table.count)
		r = code_rows_new(b->elf, &b->code, &b->instructions);
	if (r == 0)
		r = add_all(b);
	if (r < 0)
		return r;
	ret->stats = b->stats;
	return table_layout_finish(&b->layout, ret);
}

int unwind_table_build(struct elf_file *elf, struct rule_pool *pool, struct unwind_table *ret)
{
	_cleanup_(table_builder_freep) struct table_builder *b = NULL;
	struct unwind_table table = { 0 };
	int r;

	/* Other machines' code has no rules here. */
	if (elf_file_class(elf) == ELFCLASS64 && elf_file_machine(elf) == EM_X86_64) {
		b = calloc(1, sizeof(*b));
		if (!b)
			return -ENOMEM;
		b->elf = elf;
		b->pool = pool;
		r = build(b, &table);
		if (r < 0)
			return r;
	}
	*ret = table;
	return 0;
}

void unwind_table_done(struct unwind_table *table)
{
	free(table->cells);
	*table = (struct unwind_table){ 0 };
}

uint32_t unwind_table_find(const struct unwind_table *table, uint64_t address)
{
	uint64_t page = (address - table->start) >> UNWIND_PAGE_SHIFT;
	uint32_t offset = address & ((1u << UNWIND_PAGE_SHIFT) - 1), low = 0, high, middle;
	const uint32_t *rows;

	if (address < table->start || page >= table->page_count)
		return UNWIND_NONE;
	high = table->cells[page] & UNWIND_PAGE_ROWS_MAX;
	if (high == 0)
		return UNWIND_NONE;
	rows = table->cells + table->page_count + 2 * (size_t)(table->cells[page] >> 10);
	/* The last row at or below the address; the first one is at offset 0. */
	while (high - low > 1) {
		middle = (low + high) / 2;
		if ((rows[middle] & ((1u << UNWIND_PAGE_SHIFT) - 1)) <= offset)
			low = middle;
		else
			high = middle;
	}
	return rows[low] >> UNWIND_PAGE_SHIFT;
}
