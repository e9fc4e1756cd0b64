/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/code/cold_parts.h"

#include <errno.h>

#include "profiler/base/alloc.h"
#include "profiler/base/sorted.h"
#include "symbolizer/code/function_scan.h"
#include "symbolizer/providers/fde_starts.h"

struct cold_parts {
	struct module *mod;
	struct code_range *ranges;	/* those with symbols, by start */
	size_t count, capacity;
	struct fde_starts *fdes;	/* NULL: there are none */
	bool has_symbols, has_fdes;	/* they were read */
};

struct cold_parts *cold_parts_new(struct module *mod)
{
	struct cold_parts *parts = calloc(1, sizeof(*parts));

	if (parts)
		parts->mod = mod;
	return parts;
}

struct cold_parts *cold_parts_free(struct cold_parts *parts)
{
	if (!parts)
		return NULL;
	fde_starts_close(parts->fdes);
	free(parts->ranges);
	free(parts);
	return NULL;
}

static int range_compare(const void *a_, const void *b_)
{
	const struct code_range *a = a_, *b = b_;

	return (a->start > b->start) - (a->start < b->start);
}

static int cold_parts_add(struct cold_parts *parts, const struct function_symbol *symbol)
{
	int r = alloc_grow(&parts->ranges, &parts->capacity, parts->count + 1);

	if (r < 0)
		return r;
	parts->ranges[parts->count++] = (struct code_range){
		.start = symbol->address,
		.size = symbol->size,
		.by_symbol = true,
	};
	return 0;
}

static int read_symbols(struct cold_parts *parts)
{
	_cleanup_(function_scan_done) struct function_scan scan;
	struct function_symbol symbol;
	int r;

	parts->count = 0;
	r = function_scan_init(&scan, parts->mod);
	if (r < 0)
		return r;
	while ((r = function_scan_next(&scan, &symbol)) > 0) {
		if (!symbol.size || symbol.is_go || !function_symbol_is_cold(&symbol))
			continue;
		r = cold_parts_add(parts, &symbol);
		if (r < 0)
			return r;
	}
	if (r == 0 && parts->count)
		qsort(parts->ranges, parts->count, sizeof(*parts->ranges), range_compare);
	return r;
}

/* The one with a symbol, or NULL. */
static const struct code_range *find_symbol(const struct cold_parts *parts, uint64_t address)
{
	size_t i = sorted_count(parts->ranges, parts->count, start, address);

	if (!i || address - parts->ranges[i - 1].start >= parts->ranges[i - 1].size)
		return NULL;
	return &parts->ranges[i - 1];
}

static int cold_parts_load(struct cold_parts *parts)
{
	int r;

	if (!parts->has_symbols) {
		r = read_symbols(parts);
		if (r == -ENOMEM)
			return r;
		parts->has_symbols = true;
	}
	if (!parts->has_fdes) {
		r = fde_starts_open(parts->mod, &parts->fdes);
		if (r == -ENOMEM)
			return r;
		parts->has_fdes = true;
	}
	return 0;
}

int cold_parts_find(struct cold_parts *parts, uint64_t address, struct code_range *ret)
{
	struct code_range range = { 0 };
	const struct code_range *found;
	int r;

	r = cold_parts_load(parts);
	if (r < 0)
		return r;
	found = find_symbol(parts, address);
	if (found) {
		*ret = *found;
		return 0;
	}
	if (!parts->fdes)
		return -ENOENT;
	r = fde_starts_range(parts->fdes, address, &range.start, &range.size);
	if (r < 0)
		return r == -ENOMEM ? r : -ENOENT;
	*ret = range;
	return 0;
}
