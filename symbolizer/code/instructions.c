/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/code/instructions.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "symbolizer/code/code_sweep.h"
#include "symbolizer/code/cold_parts.h"

/* No function is that large; a file may say so. */
#define FUNCTION_BYTES_MAX ((uint64_t)16 << 20)
#define INSTRUCTION_BYTES_MAX 15
/* A function and its cold parts; GCC makes one, a hostile file may have more. */
#define PARTS_MAX 8

struct instructions {
	struct module *mod;
	struct elf_file *elf;
	/* The function asked for last: probes ask for one after another in the same. */
	struct code_sweep sweep;
	uint64_t offset;		/* of it in the file */
	uint64_t last;			/* how far it was asked for */
	bool has_sweep;
	struct cold_parts *cold;
};

struct instructions *instructions_close(struct instructions *code)
{
	if (!code)
		return NULL;
	if (code->has_sweep)
		code_sweep_done(&code->sweep);
	cold_parts_free(code->cold);
	elf_file_close(code->elf);
	module_put(code->mod);
	free(code);
	return NULL;
}

int instructions_open(struct module *mod, struct instructions **ret)
{
	_cleanup_(instructions_closep) struct instructions *code = calloc(1, sizeof(*code));
	int r;

	if (!code)
		return -ENOMEM;
	code->mod = module_get(mod);
	code->cold = cold_parts_new(mod);
	if (!code->cold)
		return -ENOMEM;
	r = module_open(mod, &code->elf);
	if (r < 0)
		return r;
	if (elf_file_machine(code->elf) != EM_X86_64 || elf_file_class(code->elf) != ELFCLASS64)
		return -EOPNOTSUPP;
	*ret = take_ptr(code);
	return 0;
}

/* ---- bytes ---- */

/* The @size bytes at @address, which the caller frees; all in one segment. */
static int read_bytes(struct instructions *code, uint64_t address, uint64_t size, uint8_t **ret,
		      uint64_t *ret_offset)
{
	_cleanup_free_ uint8_t *bytes = NULL;
	uint64_t offset, last;
	int r;

	if (size > FUNCTION_BYTES_MAX)
		return -EFBIG;
	if (!size || address + size < address ||
	    elf_file_address_to_offset(code->elf, address, &offset) < 0 ||
	    elf_file_address_to_offset(code->elf, address + size - 1, &last) < 0 ||
	    last - offset != size - 1)
		return -ENOENT;
	bytes = malloc(size);
	if (!bytes)
		return -ENOMEM;
	r = module_read(code->mod, offset, bytes, size);
	if (r < 0)
		return r == -EBADMSG ? -ENOENT : r;
	*ret = take_ptr(bytes);
	*ret_offset = offset;
	return 0;
}

static int sweep_range(struct instructions *code, uint64_t address, uint64_t size, uint64_t last,
		       struct code_sweep *ret, uint64_t *ret_offset)
{
	_cleanup_free_ uint8_t *bytes = NULL;
	int r = read_bytes(code, address, size, &bytes, ret_offset);

	return r ?: code_sweep_init(ret, bytes, size, address, last);
}

/* Have the function at @address in code->sweep. */
static int sweep_function(struct instructions *code, uint64_t address, uint64_t size, uint64_t last)
{
	struct code_sweep sweep;
	uint64_t offset = 0;
	int r;

	if (code->has_sweep && code->sweep.address == address && code->sweep.size == size &&
	    code->last == last)
		return 0;
	r = sweep_range(code, address, size, last, &sweep, &offset);
	if (r < 0)
		return r;
	if (code->has_sweep)
		code_sweep_done(&code->sweep);
	code->sweep = sweep;
	code->offset = offset;
	code->has_sweep = true;
	code->last = last;
	return 0;
}

/* How many of the @size bytes at @address are there before the end of their segment. */
static uint64_t bytes_left(const struct instructions *code, uint64_t address, uint64_t size)
{
	const struct elf_segment *segments;
	size_t count, i;
	uint64_t left;

	segments = elf_file_segments(code->elf, &count);
	for (i = 0; i < count; i++) {
		if (address < segments[i].address ||
		    address - segments[i].address >= segments[i].file_bytes)
			continue;
		left = segments[i].file_bytes - (address - segments[i].address);
		return left < size ? left : size;
	}
	return 0;
}

int instructions_begin_at(struct instructions *code, uint64_t address, uint64_t size,
			  uint64_t offset, bool *ret)
{
	uint64_t last = size ? UINT64_MAX : offset;
	int r;

	if (offset >= FUNCTION_BYTES_MAX)
		return -EFBIG;
	if (!size)
		size = bytes_left(code, address, offset + INSTRUCTION_BYTES_MAX);
	r = sweep_function(code, address, size, last);
	if (r < 0)
		return r;
	*ret = code_sweep_starts(&code->sweep, offset);
	return 0;
}

/* ---- returns ---- */

/* A function as it is gone through. */
struct walk {
	struct instructions *code;
	struct code_range parts[PARTS_MAX];	/* the function itself first */
	size_t part_count;
	struct function_returns found;
	size_t capacity;
	bool calls;
};

static bool walk_has(const struct walk *walk, uint64_t address)
{
	size_t i;

	for (i = 0; i < walk->part_count; i++) {
		if (address - walk->parts[i].start < walk->parts[i].size)
			return true;
	}
	return false;
}

/* Whether @target is in the function itself, but is not where a call enters it. */
static bool walk_is_inside(const struct walk *walk, uint64_t target)
{
	uint64_t offset = target - walk->parts[0].start;

	return offset && offset < walk->parts[0].size;
}

/*
 * Whether the code of @sweep, to which the function jumps, is part of it: no other jumps back into its
 * middle. What neither returns nor goes anywhere else may count as a part, too.
 */
static bool is_part(const struct walk *walk, const struct code_sweep *sweep)
{
	bool returns = sweep->falls_through;
	const struct code_flow *flow;
	size_t i;

	for (i = 0; i < sweep->flow_count; i++) {
		flow = &sweep->flows[i];
		if (flow->kind == CODE_CALL || flow->kind == CODE_SWITCH)
			continue;
		if (flow->kind != CODE_JUMP && flow->kind != CODE_BRANCH)
			returns = true;
		else if (walk_is_inside(walk, flow->target))
			return true;
		else if (flow->target - sweep->address >= sweep->size)
			returns = true;
	}
	return !returns;
}

/* Returns 1, 0 or -ENOMEM: what cannot be decoded is no part. */
static int range_is_part(const struct walk *walk, const struct code_range *range)
{
	struct code_sweep sweep;
	uint64_t offset;
	bool part;
	int r;

	if (range->by_symbol)
		return 1;
	r = sweep_range(walk->code, range->start, range->size, UINT64_MAX, &sweep, &offset);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	part = is_part(walk, &sweep);
	code_sweep_done(&sweep);
	return part;
}

/* A jump to @target. Returns 0 or an error. */
static int walk_jump(struct walk *walk, uint64_t target)
{
	struct code_range range;
	int r;

	if (walk_has(walk, target))
		return 0;
	r = cold_parts_find(walk->code->cold, target, &range);
	if (r == 0 && walk->part_count < PARTS_MAX)
		r = range_is_part(walk, &range);
	if (r == -ENOMEM)
		return r;
	if (r > 0)
		walk->parts[walk->part_count++] = range;
	else
		walk->found.leaves_by_jump = true;
	return 0;
}

/*
 * A jump by a table of addresses: of a switch when its first entry leads into the function. A table of
 * functions is made of the same instructions, and what relocations fill in is not in the file.
 */
static int walk_table(struct walk *walk, uint64_t table)
{
	uint64_t offset, target;

	if (!table || elf_file_address_to_offset(walk->code->elf, table, &offset) < 0 ||
	    module_read(walk->code->mod, offset, &target, sizeof(target)) < 0 ||
	    target == walk->parts[0].start || !walk_has(walk, target))
		walk->found.leaves_by_jump = true;
	return 0;
}

static int walk_return(struct walk *walk, uint64_t offset)
{
	struct function_returns *found = &walk->found;
	int r = alloc_grow(&found->offsets, &walk->capacity, found->count + 1);

	if (r < 0)
		return r;
	found->offsets[found->count++] = offset;
	return 0;
}

static int walk_flow(struct walk *walk, const struct code_flow *flow, uint64_t part_offset)
{
	switch (flow->kind) {
	case CODE_RETURN:
		return walk_return(walk, part_offset + flow->offset);
	case CODE_CALL:
		walk->calls = true;
		return 0;
	case CODE_JUMP:
	case CODE_BRANCH:
		return walk_jump(walk, flow->target);
	case CODE_JUMP_INDEXED:
		return walk_table(walk, flow->target);
	case CODE_JUMP_UNKNOWN:
		walk->found.leaves_by_jump = true;
		return 0;
	case CODE_SWITCH:
		return 0;
	}
	return 0;
}

static int walk_part(struct walk *walk, const struct code_sweep *sweep, uint64_t offset)
{
	size_t i;
	int r = 0;

	for (i = 0; i < sweep->flow_count && !r; i++)
		r = walk_flow(walk, &sweep->flows[i], offset);
	if (sweep->falls_through)
		walk->found.leaves_by_jump = true;
	return r;
}

/* The parts that were found by jumps; they may lead to more. */
static int walk_cold(struct walk *walk)
{
	struct code_sweep sweep;
	uint64_t offset = 0;
	size_t i;
	int r;

	for (i = 1; i < walk->part_count; i++) {
		r = sweep_range(walk->code, walk->parts[i].start, walk->parts[i].size, UINT64_MAX,
				&sweep, &offset);
		if (r < 0)
			return r;
		r = walk_part(walk, &sweep, offset);
		code_sweep_done(&sweep);
		if (r < 0)
			return r;
	}
	return 0;
}

static int offset_compare(const void *a_, const void *b_)
{
	uint64_t a = *(const uint64_t *)a_, b = *(const uint64_t *)b_;

	return (a > b) - (a < b);
}

static void walk_done(struct walk *walk)
{
	free(walk->found.offsets);
}

int instructions_returns(struct instructions *code, uint64_t address, uint64_t size,
			 struct function_returns *ret)
{
	_cleanup_(walk_done) struct walk walk = { .code = code, .part_count = 1 };
	int r;

	r = sweep_function(code, address, size, UINT64_MAX);
	if (r < 0)
		return r;
	walk.parts[0] = (struct code_range){ .start = address, .size = size };
	r = walk_part(&walk, &code->sweep, code->offset);
	r = r ?: walk_cold(&walk);
	if (r < 0)
		return r;
	walk.found.is_leaf = !walk.calls && !walk.found.leaves_by_jump;
	if (walk.found.count)
		qsort(walk.found.offsets, walk.found.count, sizeof(uint64_t), offset_compare);
	*ret = walk.found;
	walk.found.offsets = NULL;
	return 0;
}
