/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/unwind/code_rows.h"

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "profiler/base/hashmap.h"
#include "profiler/unwind/code_frame.h"

/* Others wait meanwhile: for some 0.2 s for each MiB. */
#define CODE_BYTES_MAX (2u << 20)
#define FUNCTION_ALIGNMENT 16

struct code_rows {
	const struct special_code *code;
	struct stack_decoder *decoder;
	struct hashmap *starts;		/* a set of addresses: functions begin there */
	struct hashmap *targets;	/* of jumps, to the frame they are made with */
	uint64_t bytes;			/* looked at so far */
	struct code_row *rows;
	size_t count, capacity;
};

/* What is known of the target of a jump: nothing, until a walk has come to the jump. */
struct jump {
	struct code_frame frame;
	bool is_seen;
};

/* The walk of one range. */
struct code_walk {
	struct code_rows *rows;
	const uint8_t *bytes;
	uint64_t from, to, at;
	struct code_frame frame;
	struct code_frame body;		/* as it was at the last call or jump of the function */
	bool is_alive;			/* the instruction before goes on to the one at hand */
	bool is_lost;			/* bytes that are no instruction, or behind some */
	bool after_padding, after_call;	/* of what does not return, when padding is behind it */
	bool has_switch;		/* the function jumps to where only a table knows */
};

/* ---- instructions ---- */

/*
 * That at hand, or one byte that is none (-EILSEQ). Zeros behind a function's end are padding, as
 * Free Pascal's: decoded, they would take the first bytes of the next function with them.
 */
static int effect_read(const struct code_walk *w, struct stack_effect *ret)
{
	const uint8_t *bytes = w->bytes + (w->at - w->from);

	*ret = (struct stack_effect){ .length = 1, .is_padding = !w->is_alive && !*bytes };
	if (ret->is_padding)
		return 0;
	return stack_effect_read(w->rows->decoder, bytes, w->to - w->at, w->at, ret);
}

static bool goes_on(const struct stack_effect *effect)
{
	return effect->flow != FLOW_JUMP && effect->flow != FLOW_END;
}

/* ---- first pass: what is called, and what is jumped to ---- */

static int target_add(struct code_walk *w, const struct stack_effect *effect)
{
	void *jump;
	int r;

	/* A call to the next instruction: old code finds out by it where it is. */
	if (!effect->target || effect->target == w->at + effect->length)
		return 0;
	r = hashmap_add(effect->flow == FLOW_CALL ? w->rows->starts : w->rows->targets,
			&effect->target, &jump);
	return r < 0 ? r : 0;
}

static int targets_read(struct code_rows *rows, const struct text_segment *segment, uint64_t from,
			uint64_t to)
{
	struct code_walk w = { .rows = rows, .bytes = segment->bytes + (from - segment->start),
			       .from = from, .to = to };
	struct stack_effect effect;
	int r = 0;

	for (w.at = from; w.at < to && !r; w.at += effect.length) {
		if (effect_read(&w, &effect) < 0)
			continue;
		if (!effect.is_padding)
			w.is_alive = goes_on(&effect);
		r = target_add(&w, &effect);
	}
	return r;
}

/* ---- where functions begin ---- */

static int starts_read(struct code_rows *rows, struct elf_file *elf, const char *section)
{
	struct elf_symbol_walk walk;
	struct elf_symbol symbol;
	int r = elf_symbols_begin(elf, section, &walk);

	if (r < 0)
		return r == -ENOMEM ? r : 0;
	while (elf_symbols_next(&walk, &symbol)) {
		if (symbol.type != STT_FUNC && symbol.type != STT_GNU_IFUNC)
			continue;
		r = hashmap_add(rows->starts, &symbol.address, NULL);
		if (r < 0)
			return r;
	}
	return 0;
}

struct code_rows *code_rows_free(struct code_rows *rows)
{
	if (!rows)
		return NULL;
	stack_decoder_free(rows->decoder);
	hashmap_free(rows->starts);
	hashmap_free(rows->targets);
	free(rows->rows);
	free(rows);
	return NULL;
}

int code_rows_new(struct elf_file *elf, const struct special_code *code, struct code_rows **ret)
{
	_cleanup_(code_rows_freep) struct code_rows *rows = calloc(1, sizeof(*rows));
	uint64_t bytes = 0;
	int r;

	if (!rows)
		return -ENOMEM;
	rows->code = code;
	rows->decoder = stack_decoder_new();
	rows->starts = hashmap_new(sizeof(uint64_t), 0);
	rows->targets = hashmap_new(sizeof(uint64_t), sizeof(struct jump));
	if (!rows->decoder || !rows->starts || !rows->targets)
		return -ENOMEM;
	r = starts_read(rows, elf, ".symtab");
	r = r ?: starts_read(rows, elf, ".dynsym");
	/* All of it: code that is described calls what is not. Not worth it for a few gaps. */
	for (size_t i = 0; code->is_bare && i < code->segment_count && !r; i++) {
		const struct text_segment *segment = &code->segments[i];

		bytes += segment->end - segment->start;
		if (segment->bytes && bytes <= CODE_BYTES_MAX)
			r = targets_read(rows, segment, segment->start, segment->end);
	}
	if (r < 0)
		return r;
	*ret = take_ptr(rows);
	return 0;
}

/* ---- second pass: frames ---- */

static void enter_function(struct code_walk *w)
{
	w->frame = w->body = code_frame_entry;
	w->has_switch = false;
	w->is_lost = false;
}

static bool looks_like_prologue(const struct stack_effect *effect)
{
	return effect->kind == STACK_PUSH || (effect->kind == STACK_ADD && effect->value < 0) ||
	       effect->is_landing;
}

/* Behind padding, where compilers begin functions, and as they do. A jump there is a tail call. */
static bool is_prologue(const struct code_walk *w, const struct stack_effect *effect)
{
	return w->after_padding && w->at % FUNCTION_ALIGNMENT == 0 && looks_like_prologue(effect);
}

/* Nothing falls through to the instruction at hand. */
static void enter_block(struct code_walk *w, const struct stack_effect *effect)
{
	const struct jump *jump = hashmap_find(w->rows->targets, &w->at);
	bool is_begin = w->after_padding || w->at % FUNCTION_ALIGNMENT == 0;

	if (jump && jump->is_seen && jump->frame.sp != code_frame_entry.sp)
		w->frame = jump->frame;
	else if (is_prologue(w, effect) || (is_begin && !jump && !w->has_switch))
		enter_function(w);
	else
		w->frame = jump && jump->is_seen ? jump->frame : w->body;
}

static void follow_jump(struct code_walk *w, uint64_t target)
{
	struct jump *jump = hashmap_find(w->rows->targets, &target);

	if (!jump || jump->is_seen)
		return;
	jump->frame = w->frame;
	jump->is_seen = true;
}

static void follow_flow(struct code_walk *w, const struct stack_effect *effect)
{
	if (effect->flow == FLOW_NEXT)
		return;
	if (effect->flow == FLOW_BRANCH || effect->flow == FLOW_JUMP)
		follow_jump(w, effect->target);
	/* A tail call has no frame any more; nor has what follows it one of its own then. */
	if (effect->flow != FLOW_END && w->frame.sp != code_frame_entry.sp)
		w->body = w->frame;
	if (effect->flow == FLOW_JUMP && !effect->target)
		w->has_switch = true;
	w->is_alive = goes_on(effect);
}

static int row_add(struct code_walk *w)
{
	struct code_rows *rows = w->rows;
	struct code_row row = { w->at,
				code_frame_rule(w->is_lost ? &code_frame_unknown : &w->frame) };
	int r;

	if (rows->count &&
	    !memcmp(&rows->rows[rows->count - 1].rule, &row.rule, sizeof(row.rule)))
		return 0;
	r = alloc_grow(&rows->rows, &rows->capacity, rows->count + 1);
	if (r < 0)
		return r;
	rows->rows[rows->count++] = row;
	return 0;
}

/*
 * Padding that is fallen into aligns a loop, whose end jumps there. Where nobody does the call before
 * it does not return.
 */
static bool is_behind_end(const struct code_walk *w, const struct stack_effect *effect)
{
	if (!w->is_alive)
		return true;
	return w->after_call && w->after_padding && w->at % FUNCTION_ALIGNMENT == 0 &&
	       (!hashmap_find(w->rows->targets, &w->at) || looks_like_prologue(effect));
}

/* One instruction, or one byte that is none. */
static int walk_step(struct code_walk *w)
{
	bool is_start = hashmap_find(w->rows->starts, &w->at) || w->at == w->from;
	struct stack_effect effect;
	int r;

	if (effect_read(w, &effect) < 0)
		w->is_lost = true;
	else if (is_start)
		enter_function(w);
	else if (!effect.is_padding && is_behind_end(w, &effect))
		enter_block(w, &effect);
	/* Padding behind a function's end is nobody's. */
	if (!effect.is_padding)
		w->is_alive = true;
	r = row_add(w);
	if (r < 0)
		return r;
	if (!w->is_lost) {
		code_frame_apply(&w->frame, &effect);
		follow_flow(w, &effect);
	}
	w->after_padding = effect.is_padding;
	w->after_call = effect.flow == FLOW_CALL || (w->after_call && effect.is_padding);
	w->at += effect.length;
	return 0;
}

uint64_t code_rows_function_end(struct code_rows *rows, uint64_t address)
{
	const struct text_segment *segment = special_code_segment(rows->code, address);
	struct code_walk w = { .rows = rows, .from = address, .at = address, .is_alive = true };
	struct stack_effect effect;

	if (!segment || !segment->bytes)
		return address;
	w.to = segment->end;
	w.bytes = segment->bytes + (address - segment->start);
	while (w.at < w.to && !effect_read(&w, &effect)) {
		w.at += effect.length;
		if (!goes_on(&effect) || hashmap_find(rows->starts, &w.at))
			return w.at;
	}
	return address;
}

int code_rows_read(struct code_rows *rows, uint64_t from, uint64_t to, const struct code_row **ret,
		   size_t *ret_count)
{
	const struct text_segment *segment = special_code_segment(rows->code, from);
	struct code_walk w = { .rows = rows, .from = from, .to = to };
	int r = 0;

	rows->count = 0;
	*ret_count = 0;
	if (!segment || !segment->bytes || to > segment->end || to <= from)
		return 0;
	rows->bytes += to - from;
	if (rows->bytes > CODE_BYTES_MAX)
		return 0;
	w.bytes = segment->bytes + (from - segment->start);
	if (!rows->code->is_bare)
		r = targets_read(rows, segment, from, to);
	for (w.at = from; w.at < to && !r;)
		r = walk_step(&w);
	if (r < 0)
		return r;
	*ret = rows->rows;
	*ret_count = rows->count;
	return 0;
}
