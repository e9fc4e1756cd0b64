/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/unwind/table_layout.h"

#include <errno.h>
#include <string.h>

#include "profiler/base/alloc.h"

#define PAGE_BYTES (1u << UNWIND_PAGE_SHIFT)
#define RULE_SHIFT 12
#define OFFSET_MASK (PAGE_BYTES - 1)
#define DIRECTORY_SHIFT 10
#define DIRECTORY_PAIRS_MAX ((1u << 22) - 1)
/* 4 GiB of text: the reach of a call, and a bound for files that lie. */
#define PAGES_MAX (1u << 20)

static uint32_t row(uint32_t offset, uint32_t rule)
{
	return rule << RULE_SHIFT | offset;
}

int table_layout_init(struct table_layout *layout, uint64_t start, uint64_t end)
{
	uint64_t pages;

	start &= ~(uint64_t)OFFSET_MASK;
	pages = end > start ? ((end - 1 - start) >> UNWIND_PAGE_SHIFT) + 1 : 0;
	if (pages > PAGES_MAX)
		return -EFBIG;
	*layout = (struct table_layout){
		.start = start,
		.page_count = (uint32_t)pages,
		.count = pages,
		.capacity = pages,
	};
	layout->cells = calloc(pages ? pages : 1, sizeof(*layout->cells));
	return layout->cells ? 0 : -ENOMEM;
}

void table_layout_done(struct table_layout *layout)
{
	free(layout->cells);
	layout->cells = NULL;
}

static size_t pair_up(const struct table_layout *layout, size_t at)
{
	return at + (at - layout->page_count) % 2;
}

/* Where @count rows may begin: at a pair of cells, without crossing a block. */
static size_t place_rows(const struct table_layout *layout, size_t count)
{
	size_t at = pair_up(layout, layout->count), inside = at % UNWIND_BLOCK_CELLS;

	if (inside + count <= UNWIND_BLOCK_CELLS)
		return at;
	return pair_up(layout, at + UNWIND_BLOCK_CELLS - inside);
}

static int write_rows(struct table_layout *layout, uint32_t *ret_directory)
{
	size_t at = place_rows(layout, layout->row_count);
	size_t pair = (at - layout->page_count) / 2;
	int r;

	if (pair > DIRECTORY_PAIRS_MAX)
		return -EFBIG;
	r = alloc_grow(&layout->cells, &layout->capacity, at + layout->row_count);
	if (r < 0)
		return r;
	memset(&layout->cells[layout->count], 0, (at - layout->count) * sizeof(*layout->cells));
	memcpy(&layout->cells[at], layout->rows, layout->row_count * sizeof(*layout->rows));
	layout->count = at + layout->row_count;
	layout->rows_written += layout->row_count;
	*ret_directory = (uint32_t)pair << DIRECTORY_SHIFT | layout->row_count;
	return 0;
}

/* The page is complete. Pages within one long function are all alike and share a row. */
static int write_page(struct table_layout *layout)
{
	uint32_t rule = layout->rows[0] >> RULE_SHIFT, directory;
	int r;

	if (layout->row_count == 1 && rule == 0)
		return 0;
	if (layout->row_count == 1 && rule == layout->single_rule) {
		layout->cells[layout->page] = layout->single_directory;
		return 0;
	}
	r = write_rows(layout, &directory);
	if (r < 0)
		return r;
	layout->cells[layout->page] = directory;
	if (layout->row_count == 1) {
		layout->single_rule = rule;
		layout->single_directory = directory;
	}
	return 0;
}

static void begin_page(struct table_layout *layout, uint32_t page)
{
	layout->page = page;
	layout->rows[0] = row(0, layout->rule);
	layout->row_count = 1;
	layout->page_overfull = false;
}

/* Write all pages before @page, and begin that one. */
static int go_to_page(struct table_layout *layout, uint32_t page)
{
	int r;

	if (layout->row_count == 0)
		begin_page(layout, page);	/* the first: no rule holds yet */
	while (layout->page < page) {
		r = write_page(layout);
		if (r < 0)
			return r;
		begin_page(layout, layout->rule ? layout->page + 1 : page);
	}
	return 0;
}

/* The rule before the last row of the page, or one that no row has when it is the only one. */
static uint32_t rule_before(const struct table_layout *layout)
{
	if (layout->row_count < 2)
		return UINT32_MAX;
	return layout->rows[layout->row_count - 2] >> RULE_SHIFT;
}

static void add_row(struct table_layout *layout, uint32_t offset, uint32_t rule)
{
	uint32_t *last = &layout->rows[layout->row_count - 1];

	if (layout->page_overfull)
		return;
	if ((*last & OFFSET_MASK) == offset) {
		if (rule_before(layout) == rule)
			layout->row_count--;
		else
			*last = row(offset, rule);
		return;
	}
	if (layout->row_count == UNWIND_PAGE_ROWS_MAX) {
		/* Better no rule than a wrong one. */
		*last = row(*last & OFFSET_MASK, 0);
		layout->page_overfull = true;
		layout->pages_overfull++;
		return;
	}
	layout->rows[layout->row_count++] = row(offset, rule);
}

int table_layout_add(struct table_layout *layout, uint64_t address, uint32_t rule)
{
	uint32_t page = (uint32_t)((address - layout->start) >> UNWIND_PAGE_SHIFT);
	int r;

	if (rule == layout->rule)
		return 0;
	if (page != layout->page || layout->row_count == 0) {
		r = go_to_page(layout, page);
		if (r < 0)
			return r;
	}
	add_row(layout, address & OFFSET_MASK, rule);
	layout->rule = rule;
	return 0;
}

int table_layout_finish(struct table_layout *layout, struct unwind_table *ret)
{
	uint32_t *shorter;
	int r;

	r = go_to_page(layout, layout->page_count);
	if (r < 0)
		return r;
	if (layout->rows_written == 0)
		return 0;	/* @ret stays empty */
	shorter = realloc(layout->cells, layout->count * sizeof(*shorter));
	ret->start = layout->start;
	ret->page_count = layout->page_count;
	ret->cells = shorter ? shorter : layout->cells;
	ret->cell_count = layout->count;
	ret->stats.rows = layout->rows_written;
	ret->stats.pages_overfull = layout->pages_overfull;
	layout->cells = NULL;
	return 0;
}
