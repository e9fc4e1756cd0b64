/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/dwarf/dwarf_functions.h"

#include <dwarf.h>
#include <errno.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "symbolizer/range_index.h"

/* Nothing that a compiler makes nests like this; each level is a call of ours. */
#define DEPTH_MAX 256
/*
 * The ranges of a unit, empty ones among them. LLVM's largest has 60,000;
 * hostile DIEs may all name one long list.
 */
#define SPANS_MAX ((size_t)1 << 20)
#define NONE UINT32_MAX

/* Part of the code of a scope; most have one. */
struct span {
	uint64_t start, end;
};

/* In the order of the file: a scope is followed by those inside of it. */
struct scope {
	uint32_t die;		/* from the unit's offset */
	uint32_t size;		/* how many scopes: this one and those inside of it */
	uint32_t first_span, span_count;
	uint32_t call_file, call_line;
	bool inlined;
};

/* A namespace or type, which qualifies the names inside of it. In the order of the file. */
struct container {
	uint32_t die;		/* from the unit's offset */
	uint32_t last;		/* the last DIE that the walk saw inside of it */
	uint32_t parent;	/* index, or NONE */
};

struct dwarf_functions {
	uint64_t offset;	/* of the unit */
	struct scope *scopes;
	size_t scope_count, scope_capacity;
	struct span *spans;
	size_t span_count, span_capacity;
	struct container *containers;
	size_t container_count, container_capacity;
	struct range_index roots;	/* functions that are not inlined, to places in scopes */
};

struct walk {
	struct dwarf_functions *f;
	uint64_t last;		/* the DIE visited last: a walk that returns never ends */
	size_t spans_read;
	uint32_t container;	/* around the current DIE, or NONE */
	unsigned int depth;
};

struct dwarf_functions *dwarf_functions_free(struct dwarf_functions *f)
{
	if (!f)
		return NULL;
	free(f->scopes);
	free(f->spans);
	free(f->containers);
	range_index_done(&f->roots);
	free(f);
	return NULL;
}

/* ---- reading ---- */

static int walk_children(struct walk *walk, Dwarf_Die *parent);

static int walk_spans(struct walk *walk, Dwarf_Die *die)
{
	struct dwarf_functions *f = walk->f;
	Dwarf_Addr base, start, end;
	ptrdiff_t offset = 0;
	int r;

	while ((offset = dwarf_ranges(die, offset, &base, &start, &end)) > 0) {
		if (++walk->spans_read > SPANS_MAX)
			return -EFBIG;
		if (!start || start >= end)
			continue;
		r = alloc_grow(&f->spans, &f->span_capacity, f->span_count + 1);
		if (r < 0)
			return r;
		f->spans[f->span_count++] = (struct span){ start, end };
	}
	return 0;
}

static uint32_t die_number(Dwarf_Die *die, unsigned int name)
{
	Dwarf_Attribute attribute;
	Dwarf_Word value;

	if (!dwarf_attr(die, name, &attribute) || dwarf_formudata(&attribute, &value) ||
	    value > UINT32_MAX)
		return 0;
	return (uint32_t)value;
}

static int functions_add_scope(struct dwarf_functions *f, Dwarf_Die *die, size_t first_span)
{
	struct scope *scope;
	int r;

	r = alloc_grow(&f->scopes, &f->scope_capacity, f->scope_count + 1);
	if (r < 0)
		return r;
	scope = &f->scopes[f->scope_count++];
	*scope = (struct scope){
		.die = (uint32_t)(dwarf_dieoffset(die) - f->offset),
		.first_span = (uint32_t)first_span,
		.span_count = (uint32_t)(f->span_count - first_span),
		.inlined = dwarf_tag(die) == DW_TAG_inlined_subroutine,
	};
	if (scope->inlined) {
		scope->call_file = die_number(die, DW_AT_call_file);
		scope->call_line = die_number(die, DW_AT_call_line);
	}
	return 0;
}

static int functions_add_root(struct dwarf_functions *f, uint32_t index)
{
	const struct scope *scope = &f->scopes[index];
	uint32_t i;
	int r;

	for (i = 0; i < scope->span_count; i++) {
		r = range_index_add(&f->roots, f->spans[scope->first_span + i].start,
				    f->spans[scope->first_span + i].end, index);
		if (r < 0)
			return r;
	}
	return 0;
}

static int walk_function(struct walk *walk, Dwarf_Die *die)
{
	struct dwarf_functions *f = walk->f;
	size_t first_span = f->span_count, index = f->scope_count;
	int r;

	r = walk_spans(walk, die);
	if (r < 0)
		return r;
	/* Declarations, of which C++ has many, and abstract ones: functions may be inside these. */
	if (f->span_count == first_span)
		return dwarf_hasattr(die, DW_AT_declaration) ? 0 : walk_children(walk, die);
	r = functions_add_scope(f, die, first_span);
	if (r < 0)
		return r;
	r = walk_children(walk, die);
	if (r < 0)
		return r;
	f->scopes[index].size = (uint32_t)(f->scope_count - index);
	return f->scopes[index].inlined ? 0 : functions_add_root(f, (uint32_t)index);
}

static int walk_container(struct walk *walk, Dwarf_Die *die)
{
	struct dwarf_functions *f = walk->f;
	uint32_t outer = walk->container, index = (uint32_t)f->container_count;
	int r;

	if (dwarf_haschildren(die) <= 0)
		return 0;
	r = alloc_grow(&f->containers, &f->container_capacity, f->container_count + 1);
	if (r < 0)
		return r;
	walk->container = index;
	f->containers[f->container_count++] = (struct container){
		.die = (uint32_t)(dwarf_dieoffset(die) - f->offset),
		.parent = outer,
	};
	r = walk_children(walk, die);
	f->containers[index].last = (uint32_t)(walk->last - f->offset);
	walk->container = outer;
	return r;
}

static int walk_die(struct walk *walk, Dwarf_Die *die)
{
	switch (dwarf_tag(die)) {
	case DW_TAG_subprogram:
	case DW_TAG_inlined_subroutine:
		return walk_function(walk, die);
	case DW_TAG_lexical_block:
	case DW_TAG_try_block:
	case DW_TAG_catch_block:
		return walk_children(walk, die);
	case DW_TAG_namespace:
	case DW_TAG_module:
	case DW_TAG_class_type:
	case DW_TAG_structure_type:
	case DW_TAG_union_type:
	case DW_TAG_enumeration_type:
		return walk_container(walk, die);
	}
	return 0;
}

static int walk_children(struct walk *walk, Dwarf_Die *parent)
{
	Dwarf_Die die;
	int next, r;

	if (walk->depth >= DEPTH_MAX)
		return -EBADMSG;
	walk->depth++;
	for (next = dwarf_child(parent, &die); next == 0; next = dwarf_siblingof(&die, &die)) {
		if (dwarf_dieoffset(&die) <= walk->last)
			return -EBADMSG;
		walk->last = dwarf_dieoffset(&die);
		r = walk_die(walk, &die);
		if (r < 0)
			return r;
	}
	walk->depth--;
	return next < 0 ? -EBADMSG : 0;
}

int dwarf_functions_read(Dwarf_Die *unit, struct dwarf_functions **ret)
{
	_cleanup_(dwarf_functions_freep) struct dwarf_functions *f = calloc(1, sizeof(*f));
	struct walk walk = { .f = f, .container = NONE };
	int r;

	if (!f)
		return -ENOMEM;
	f->offset = dwarf_dieoffset(unit) - dwarf_cuoffset(unit);
	r = walk_children(&walk, unit);
	if (r < 0)
		return r;
	range_index_build(&f->roots);
	*ret = take_ptr(f);
	return 0;
}

/* ---- looking up ---- */

static bool scope_covers(const struct dwarf_functions *f, const struct scope *scope,
			 uint64_t address)
{
	const struct span *span = &f->spans[scope->first_span];
	const struct span *end = span + scope->span_count;

	for (; span < end; span++) {
		if (address >= span->start && address < span->end)
			return true;
	}
	return false;
}

static struct dwarf_scope scope_show(const struct dwarf_functions *f, const struct scope *scope)
{
	return (struct dwarf_scope){
		.die = f->offset + scope->die,
		.start = f->spans[scope->first_span].start,
		.call_file = scope->call_file,
		.call_line = scope->call_line,
		.inlined = scope->inlined,
	};
}

size_t dwarf_functions_find(const struct dwarf_functions *f, uint64_t address,
			    struct dwarf_scope *ret, size_t max)
{
	uint32_t position = RANGE_NONE, chain[DEPTH_MAX], i, end;
	const struct range *root = range_index_next(&f->roots, address, &position);
	size_t depth = 0, count;

	if (!root)
		return 0;
	chain[depth++] = root->value;
	end = root->value + f->scopes[root->value].size;
	for (i = root->value + 1; i < end;) {
		/* A function inside of another has code of its own, and was not asked for. */
		if (!f->scopes[i].inlined || !scope_covers(f, &f->scopes[i], address)) {
			i += f->scopes[i].size;
			continue;
		}
		chain[depth++] = i;
		end = i + f->scopes[i].size;
		i++;
	}
	for (count = 0; count < depth && count < max; count++)
		ret[count] = scope_show(f, &f->scopes[chain[depth - 1 - count]]);
	return count;
}

uint64_t dwarf_functions_parent(const struct dwarf_functions *f, uint64_t offset)
{
	size_t low = 0, high = f->container_count, middle;
	uint32_t die = (uint32_t)(offset - f->offset), i;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (f->containers[middle].die < die)
			low = middle + 1;
		else
			high = middle;
	}
	for (i = low ? (uint32_t)(low - 1) : NONE; i != NONE; i = f->containers[i].parent) {
		if (die <= f->containers[i].last)
			return f->offset + f->containers[i].die;
	}
	return 0;
}

size_t dwarf_functions_bytes(const struct dwarf_functions *f)
{
	return sizeof(*f) + f->scope_capacity * sizeof(*f->scopes) +
	       f->span_capacity * sizeof(*f->spans) +
	       f->container_capacity * sizeof(*f->containers) +
	       f->roots.capacity * sizeof(*f->roots.ranges);
}
