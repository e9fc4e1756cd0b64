/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * unwind.bpf.h - user stacks in BPF: unwind_step.h over the maps.
 *
 * The step is a global function, called from a plain bounded loop: the verifier
 * checks it once (5.6, 51c39bb1d5d1), which is what keeps the whole walk within some
 * ten thousand instructions processed on every kernel since 5.10, with
 * neither tail calls nor bpf_loop().
 */
#ifndef WICK_UNWIND_BPF_H
#define WICK_UNWIND_BPF_H

#include "bpf/sampler_maps.bpf.h"
#include "bpf/stack_id.h"
#include "bpf/unwind_step.h"
#include "bpf/vma.bpf.h"

/* 2^17 mappings in one process; log2 of it plus one steps find any. */
#define MAPPING_SEARCH_STEPS 18
/* UNWIND_PAGE_ROWS_MAX is 1023. */
#define ROW_SEARCH_STEPS 10

static __always_inline struct wick_mapping *mapping_search(struct unwind_cursor *s, __u64 address)
{
	struct scratch *scratch = container_of(s, struct scratch, unwind);
	__u32 low = s->map_first, high = s->map_first + s->map_count;

	/* What was looked up before the step: a search below it would take too much stack on 5.10. */
	if (scratch->vmas.is_used)
		return address >= scratch->vmas.mapping.start &&
				       address < scratch->vmas.mapping.end ?
			       &scratch->vmas.mapping :
			       NULL;
	for (int i = 0; i < MAPPING_SEARCH_STEPS; i++) {
		__u32 middle = (low + high) >> 1;
		struct wick_mapping *m;

		if (low >= high)
			return NULL;
		m = bpf_map_lookup_elem(&mappings, &middle);
		if (!m)
			return NULL;
		if (address < m->start)
			high = middle;
		else if (address >= m->end)
			low = middle + 1;
		else
			return m;
	}
	return NULL;
}

/* Not pages: none was looked up yet, nor the module; none of the module was. */
#define PAGE_NO_MODULE ~0u
#define PAGE_NONE (~0u - 1)

static __always_inline int unwind_map_find(struct unwind_cursor *s, wick_u64 address)
{
	struct wick_mapping *m = mapping_search(s, address);

	if (!m)
		return -1;
	s->map_start = m->start;
	s->map_end = m->end;
	s->map_bias = m->bias;
	s->map_module = m->module;
	s->page = PAGE_NO_MODULE;
	return 0;
}

static __always_inline int unwind_map_has(struct unwind_cursor *s, wick_u64 address)
{
	if (address >= s->map_start && address < s->map_end)
		return 1;
	return mapping_search(s, address) != NULL;
}

static __always_inline struct wick_block *block_find(__u32 cell)
{
	__u32 segment = cell >> WICK_SEGMENT_SHIFT;
	__u32 block = (cell >> WICK_BLOCK_SHIFT) & (WICK_SEGMENT_BLOCKS - 1);
	void *inner = bpf_map_lookup_elem(&segments, &segment);

	return inner ? bpf_map_lookup_elem(inner, &block) : NULL;
}

static __always_inline void module_find(struct unwind_cursor *s)
{
	__u32 id = s->map_module;
	struct wick_module *module = bpf_map_lookup_elem(&modules, &id);
	__u64 table;

	s->table_pages = 0;
	s->table_cell = WICK_TABLE_NONE;
	s->page = PAGE_NONE;
	if (!module)
		return;
	s->table_start = module->start;
	table = *(volatile __u64 *)&module->table;
	s->table_cell = table >> 32;
	s->table_pages = (__u32)table;
}

/* A rule, and for which bytes of its page it holds. */
struct rule_range {
	__u64 rule;
	__u32 first, end;
};

/* In the module's table, whose layout is that of profiler/unwind/unwind_table.h. */
static __always_inline wick_u64 rule_search(struct unwind_cursor *s, wick_u64 address,
					    struct rule_range *ret)
{
	__u32 zero = 0, page, row, count, low = 0, cell, number = 0;
	struct wick_rules *pool;
	struct wick_block *block;

	if (s->page == PAGE_NO_MODULE)
		module_find(s);
	if (address < s->table_start || (address - s->table_start) >> 12 >= s->table_pages)
		return s->table_pages || s->table_cell != WICK_TABLE_UNASKED ? 0 :
									       UNWIND_NOT_LOADED;
	page = (address - s->table_start) >> 12;
	if (page != s->page) {
		cell = s->table_cell + page;
		block = block_find(cell);
		if (!block)
			return 0;
		s->page_directory = block->cells[cell & (WICK_BLOCK_CELLS - 1)];
		s->page = page;
	}
	count = s->page_directory & 1023;
	row = s->table_cell + s->table_pages + 2 * (s->page_directory >> 10);
	block = block_find(row);
	pool = bpf_map_lookup_elem(&rules, &zero);
	if (!block || !pool || !count)
		return 0;
	row &= WICK_BLOCK_CELLS - 1;
	/* The last row at or below the address; a page's first row is at its first byte. */
	for (int i = 0; i < ROW_SEARCH_STEPS; i++) {
		__u32 middle;

		if (low >= count)
			break;
		middle = (low + count) >> 1;
		cell = block->cells[(row + middle) & (WICK_BLOCK_CELLS - 1)];
		if ((cell & 4095) <= (address & 4095)) {
			number = cell >> 12;
			ret->first = cell & 4095;
			low = middle + 1;
		} else {
			ret->end = cell & 4095;
			count = middle;
		}
	}
	ret->rule = pool->rule[number & (WICK_RULES_MAX - 1)];
	return ret->rule;
}

/*
 * Addresses come again and again, and a search touches some five cache lines in as many pages, which
 * are cold in between samples: so what was found for a line of code is kept in one. A module's
 * number is never given to another file, so that it stays true. CPUs, and programs that
 * interrupt each other, may write an entry at once and leave half of each: then the check is wrong.
 */
#define CODE_LINE_SHIFT 6
#define CODE_LINE_MASK 63ull
/* The lower bits of a check are the first and the last byte of the line that the rule holds for. */
#define CHECK_FIRST_SHIFT 6
#define CHECK_MASK (~0ull << 12)

static __always_inline void rule_keep(volatile struct wick_cached_rule *cached, __u64 frame,
				      const struct rule_range *found)
{
	__u32 line = frame & 4095 & ~CODE_LINE_MASK, end = line + CODE_LINE_MASK + 1;
	__u32 first = found->first > line ? found->first - line : 0;
	__u32 last = (found->end < end ? found->end : end) - line - 1;
	__u64 check = unwind_hash(frame >> CODE_LINE_SHIFT, found->rule) & CHECK_MASK;

	cached->rule = found->rule;
	cached->check = check | first << CHECK_FIRST_SHIFT | last;
}

static __always_inline wick_u64 unwind_rule_find(struct unwind_cursor *s, wick_u64 address)
{
	__u64 frame = unwind_frame(s->map_module, address);
	__u64 line = frame >> CODE_LINE_SHIFT, byte = frame & CODE_LINE_MASK, rule, check;
	__u32 index = (line * UNWIND_HASH_FACTOR) >> (64 - WICK_RULE_CACHE_SHIFT);
	volatile struct wick_cached_rule *cached = bpf_map_lookup_elem(&rule_cache, &index);
	struct rule_range found = { .end = 4096 };

	if (!cached)
		return 0;
	rule = cached->rule;
	check = cached->check;
	if (rule && !((check ^ unwind_hash(line, rule)) & CHECK_MASK) &&
	    byte >= ((check >> CHECK_FIRST_SHIFT) & CODE_LINE_MASK) &&
	    byte <= (check & CODE_LINE_MASK))
		return rule;
	rule = rule_search(s, address, &found);
	if (found.rule)
		rule_keep(cached, frame, &found);
	return rule;
}

static __always_inline int unwind_memory_read(struct unwind_cursor *s, void *to, wick_u32 size,
					      wick_u64 address)
{
	return bpf_probe_read_user(to, size, (void *)address);
}

static __always_inline void unwind_frame_store(struct unwind_cursor *s, wick_u32 index,
					       wick_u64 frame)
{
	struct scratch *scratch = container_of(s, struct scratch, unwind);

	scratch->stack.frames[index] = frame;
}

/* More return probes pending in one task than this are not looked through. */
#define RETURN_INSTANCES_MAX 64

static __always_inline int unwind_return_find(struct unwind_cursor *s, wick_u64 slot, wick_u64 *ret)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct uprobe_task *utask = BPF_CORE_READ(task, utask);
	struct return_instance *instance = utask ? BPF_CORE_READ(utask, return_instances) : NULL;

	for (int i = 0; i < RETURN_INSTANCES_MAX && instance; i++) {
		if (BPF_CORE_READ(instance, stack) == slot) {
			*ret = BPF_CORE_READ(instance, orig_ret_vaddr);
			return 0;
		}
		instance = BPF_CORE_READ(instance, next);
	}
	return -1;
}

/* One step of the walk in scratch state @slot. Nonzero ends it. */
__noinline int unwind_step_slot(__u32 slot)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);

	return s ? unwind_step(&s->unwind) : 1;
}

/* A field at a time: a block copy out of a perf context reads something else. */
#define REGISTERS_COPY(s, r)                          \
	do {                                          \
		(s)->ip = (r)->ip;                    \
		(s)->sp = (r)->sp;                    \
		(s)->fp = (r)->bp;                    \
		(s)->regs[UNWIND_RAX] = (r)->ax;      \
		(s)->regs[UNWIND_RDX] = (r)->dx;      \
		(s)->regs[UNWIND_RCX] = (r)->cx;      \
		(s)->regs[UNWIND_RBX] = (r)->bx;      \
		(s)->regs[UNWIND_RSI] = (r)->si;      \
		(s)->regs[UNWIND_RDI] = (r)->di;      \
		(s)->regs[UNWIND_R8] = (r)->r8;       \
		(s)->regs[UNWIND_R9] = (r)->r9;       \
		(s)->regs[UNWIND_R10] = (r)->r10;     \
		(s)->regs[UNWIND_R11] = (r)->r11;     \
		(s)->regs[UNWIND_R12] = (r)->r12;     \
		(s)->regs[UNWIND_R13] = (r)->r13;     \
		(s)->regs[UNWIND_R14] = (r)->r14;     \
		(s)->regs[UNWIND_R15] = (r)->r15;     \
	} while (0)

/* The privilege bits. cs is an unsigned long in pt_regs until 6.9 made it part of a union. */
static __always_inline int registers_are_user(const struct pt_regs *regs)
{
	__u64 cs = *(volatile __u64 *)((void *)regs + 17 * 8);

	return (cs & 3) == 3;
}

/* cs of 32-bit code is 0x23 (__USER32_CS), of 64-bit code 0x33. */
#define USER32_CS 0x23

/*
 * Begin with the saved registers of scratch state @slot. Global: inlined, the compiler makes one piece
 * of code of this and of the copy from the context, and verifiers refuse code for both.
 */
__noinline int registers_restore_slot(__u32 slot)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);

	if (s)
		REGISTERS_COPY(&s->unwind, &s->saved);
	return 0;
}

/* From the registers the task saved when it entered the kernel. Returns an enum unwind_stop. */
static __always_inline int unwind_begin_saved(struct scratch *scratch, __u32 slot,
					      struct task_struct *task)
{
	struct pt_regs *saved = &scratch->saved;

	if (bpf_probe_read_kernel(saved, sizeof(*saved),
				  task_user_registers(task, settings.thread_bytes)))
		return UNWIND_STOP_NO_REGISTERS;
	if (!registers_are_user(saved))
		return UNWIND_STOP_NO_REGISTERS;
	registers_restore_slot(slot);
	return UNWIND_STOP_NONE;
}

static __always_inline void unwind_reset(struct unwind_cursor *s)
{
	s->map_start = s->map_end = s->map_bias = 0;
	s->map_module = UNWIND_MODULE_NONE;
	s->map_first = s->map_count = 0;
	s->flags = UNWIND_EXACT | UNWIND_REGISTERS_KNOWN;
	s->stop = UNWIND_STOP_NONE;
	s->depth = 0;
	s->depth_max = settings.depth_max;
	s->hash = WICK_USER_STACK_SEED;
	s->window_base = ~0ull;
}

/* The whole walk in scratch state @slot. Global like its step: callers are verified without it. */
__noinline int unwind_walk_slot(__u32 slot)
{
	struct scratch *s = bpf_map_lookup_elem(&scratch, &slot);

	_Static_assert(UNWIND_FRAMES_MAX < UNWIND_FRAMES_SLOTS, "one more step finds the limit");
	for (int i = 0; s && i <= UNWIND_FRAMES_MAX; i++) {
		if (s->vmas.is_used)
			vma_find_slot(slot);
		if (unwind_step_slot(slot))
			break;
	}
	return 0;
}

#endif
