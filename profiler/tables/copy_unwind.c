/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/tables/copy_unwind.h"

#include <string.h>

#include "bpf/stack_id.h"
#include "bpf/unwind_step.h"
#include "profiler/tables/sleeper.h"

/* Farther above the stack pointer lies something else, or nothing. */
#define STACK_BYTES_USUAL (8u << 20)

/* What the environment of unwind_step() needs besides the cursor. */
struct walk {
	const struct stack_copy *copy;
	const struct process *process;
	struct table_store *store;
	bool beyond;		/* this step needed stack that was not copied */
};

/* The step's environment has no argument for it; set for the time of one copy_unwind(). */
static _Thread_local struct walk *walk;

static __always_inline int unwind_map_find(struct unwind_cursor *s, wick_u64 address)
{
	const struct mapping *m = process_find_mapping(walk->process, address);

	if (!m)
		return -1;
	s->map_start = m->start;
	s->map_end = m->end;
	s->map_bias = m->module ? m->bias : 0;
	s->map_module = m->module ? module_info(m->module)->id : UNWIND_MODULE_NONE;
	/* What cannot be loaded has no rules: the step does without. */
	if (m->module)
		table_store_load_module(walk->store, m->module, walk->copy->parts[0]->time_ns);
	return 0;
}

static __always_inline int unwind_map_has(struct unwind_cursor *s, wick_u64 address)
{
	return process_find_mapping(walk->process, address) != NULL;
}

static __always_inline wick_u64 unwind_rule_find(struct unwind_cursor *s, wick_u64 address)
{
	return table_store_rule(walk->store, s->map_module, address);
}

/* Code, which is looked at to see whether a return address follows a call: as its file has it. */
static int code_read(const struct process *process, void *to, uint32_t size, uint64_t address)
{
	const struct mapping *m = process_find_mapping(process, address);

	if (!m || !m->module || size > m->end - address)
		return -1;
	return module_read(m->module, address - m->start + m->offset, to, size);
}

static __always_inline int unwind_memory_read(struct unwind_cursor *s, void *to, wick_u32 size,
					      wick_u64 address)
{
	uint64_t sp = walk->copy->parts[0]->sp;

	if (walk->copy->sleeper_tid && address - (sp - UNWIND_RED_ZONE_BYTES) < STACK_BYTES_USUAL)
		return sleeper_read(walk->copy->sleeper_tid, address, to, size);
	for (uint32_t i = 0; i < walk->copy->part_count; i++) {
		const struct wick_copy_record *part = walk->copy->parts[i];
		uint64_t offset = address - part->base;

		if (offset > part->bytes || size > part->bytes - offset)
			continue;
		memcpy(to, part->data + offset, size);
		return 0;
	}
	/*
	 * Below the stack pointer CFI looks for nothing but registers that an epilogue
	 * has just popped: they have their values.
	 */
	if (sp - address <= UNWIND_RED_ZONE_BYTES && (to == &s->fp || to == &s->regs[UNWIND_RBX]))
		return 0;
	/* A whole window is only an attempt; a word is tried after it. */
	if (size >= UNWIND_WINDOW_BYTES)
		return -1;
	if (address - sp < STACK_BYTES_USUAL) {
		walk->beyond = true;
		return -1;
	}
	return code_read(walk->process, to, size, address);
}

void copy_unwind_none(enum unwind_stop stop, struct unwind_cursor *ret)
{
	ret->flags = UNWIND_EXACT | UNWIND_REGISTERS_KNOWN;
	ret->stop = stop;
	ret->depth = 0;
	ret->hash = WICK_USER_STACK_SEED;
}

static void cursor_init(const struct wick_copy_record *copy, uint32_t depth_max,
			struct unwind_cursor *ret)
{
	copy_unwind_none(UNWIND_STOP_NONE, ret);
	ret->ip = copy->ip;
	ret->sp = copy->sp;
	ret->fp = copy->fp;
	memcpy(ret->regs, copy->regs, sizeof(ret->regs));
	ret->map_start = ret->map_end = ret->map_bias = 0;
	ret->map_module = UNWIND_MODULE_NONE;
	ret->map_first = ret->map_count = 0;
	ret->depth_max = depth_max < UNWIND_FRAMES_MAX ? depth_max : UNWIND_FRAMES_MAX;
	ret->window_base = ~0ull;
}

void copy_unwind(const struct stack_copy *copy, const struct process *process,
		 struct table_store *store, uint32_t depth_max, struct unwind_cursor *ret)
{
	struct walk here = { .copy = copy, .process = process, .store = store };

	cursor_init(copy->parts[0], depth_max, ret);
	walk = &here;
	do
		here.beyond = false;
	while (!unwind_step(ret));
	walk = NULL;
	if (copy->sleeper_tid && sleeper_arrivals(copy->parts[0]->pid, copy->sleeper_tid) !=
					 copy->arrivals)
		copy_unwind_none(UNWIND_STOP_ASLEEP, ret);
	/* With the rest of the stack it would have gone on, or ended for a better reason. */
	if (here.beyond && (ret->stop == UNWIND_STOP_READ || ret->stop == UNWIND_STOP_NO_RULE ||
			    ret->stop == UNWIND_STOP_FRAME_POINTER))
		ret->stop = UNWIND_STOP_COPY_END;
}
