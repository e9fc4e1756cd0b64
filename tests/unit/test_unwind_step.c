/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_unwind_step.c - each kind of rule and each cause to stop, on a stack made by hand.
 *
 * The machine has one module of code at CODE, code of no module at JIT, and a
 * stack at STACK. Rules are chosen by the upper bits of an address, so that a
 * return address says which rule its frame has.
 */
#include <stdbool.h>
#include <string.h>

#include "bpf/unwind_step.h"
#include "tests/unit/unit.h"

#define CODE 0x400000ull
#define BIAS 0x100000ull
#define JIT 0x800000ull
#define RULE_BYTES 0x1000ull
#define MAPPING_BYTES 0x40000ull
#define STACK 0x7ffd0000ull
#define STACK_WORDS 1024
#define MODULE 77
#define NO_RULE 63	/* a rule that is not set */

#define TWO(low, high) (int32_t)((uint16_t)(low) | (uint32_t)(high) << 16)
#define RBX_AT(words) ((words) << UNWIND_RBX_SHIFT)
#define REG(number) ((number) << 4)

static struct unwind_rule rules[MAPPING_BYTES / RULE_BYTES];
static uint64_t stack[STACK_WORDS];
static int reads;

/* An address in code with @rule, behind a call. */
static uint64_t code(unsigned int rule)
{
	return CODE + rule * RULE_BYTES + 0x10;
}

static int unwind_map_find(struct unwind_cursor *s, wick_u64 address)
{
	bool jit = address >= JIT;
	uint64_t start = jit ? JIT : CODE;

	if (address < start || address >= start + MAPPING_BYTES)
		return -1;
	s->map_start = start;
	s->map_end = start + MAPPING_BYTES;
	s->map_bias = jit ? 0 : BIAS;
	s->map_module = jit ? UNWIND_MODULE_NONE : MODULE;
	return 0;
}

static int unwind_map_has(struct unwind_cursor *s, wick_u64 address)
{
	struct unwind_cursor other;

	return unwind_map_find(&other, address) == 0;
}

static wick_u64 unwind_rule_find(struct unwind_cursor *s, wick_u64 address)
{
	wick_u64 bits;

	assert_int_equal(s->map_module, MODULE);
	memcpy(&bits, &rules[(address + BIAS - CODE) / RULE_BYTES], sizeof(bits));
	return bits;
}

static int unwind_memory_read(struct unwind_cursor *s, void *to, wick_u32 size, wick_u64 address)
{
	uint8_t call[] = { 0, 0, 0, 0xe8, 0, 0, 0, 0 };

	reads++;
	/* All code is behind calls. */
	if (size == sizeof(call) && unwind_map_has(s, address)) {
		memcpy(to, call, sizeof(call));
		return 0;
	}
	if (address < STACK || address > STACK + sizeof(stack) - size)
		return -1;
	memcpy(to, (uint8_t *)stack + (address - STACK), size);
	return 0;
}

/* rsp at STACK + 0x100, rbp at STACK + 0x200, in code of rule 1. */
static void begin(struct unwind_cursor *s, struct unwind_rule rule)
{
	memset(s, 0, sizeof(*s));
	memset(stack, 0, sizeof(stack));
	memset(rules, 0, sizeof(rules));
	rules[1] = rule;
	rules[2] = (struct unwind_rule){ .kind = UNWIND_END };
	s->ip = code(1);
	s->sp = STACK + 0x100;
	s->fp = STACK + 0x200;
	s->regs[UNWIND_RBX] = 0xbbbb;
	s->regs[UNWIND_R9] = 5;
	s->regs[UNWIND_R10] = STACK + 0x180;
	s->regs[UNWIND_RDI] = code(2);
	s->flags = UNWIND_EXACT | UNWIND_REGISTERS_KNOWN;
	s->depth_max = UNWIND_FRAMES_MAX;
	s->window_base = ~0ull;
	reads = 0;
}

static void poke(uint64_t offset, uint64_t value)
{
	assert_int_equal(offset % 8, 0);
	stack[offset / 8] = value;
}

/*
 * One step. The stack has the return address to rule 2 where the row says;
 * each word of the stack that is not set otherwise holds its offset plus 1.
 */
static const struct step_case {
	const char *name;
	struct unwind_rule rule;
	uint64_t sp;		/* of the caller, as an offset */
	uint64_t fp;		/* of the caller, 0x200 for the same one */
	uint64_t rbx;
	uint64_t set_at, set;	/* a word of the stack */
} step_cases[] = {
	{ "CFA by rsp", { .kind = UNWIND_CFA_RSP, .cfa_offset = 0x20 }, 0x120, STACK + 0x200,
	  0xbbbb },
	{ "CFA by rsp, rbp at CFA",
	  { .kind = UNWIND_CFA_RSP, .fp = UNWIND_FP_CFA, .fp_offset = -16, .cfa_offset = 0x20 },
	  0x120, 0x111, 0xbbbb },
	{ "CFA by rsp, rbp and rbx at CFA",
	  { .kind = UNWIND_CFA_RSP | RBX_AT(2), .fp = UNWIND_FP_CFA, .fp_offset = -16,
	    .cfa_offset = 0x20 }, 0x120, 0x111, 0x109 },
	{ "rbx at its farthest", { .kind = UNWIND_CFA_RSP | RBX_AT(14), .cfa_offset = 0x100 },
	  0x200, STACK + 0x200, 0x189 },
	{ "CFA by rbp",
	  { .kind = UNWIND_CFA_RBP, .fp = UNWIND_FP_CFA, .fp_offset = -16, .cfa_offset = 16 },
	  0x210, 0x201, 0xbbbb },
	{ "a frame larger than the window",
	  { .kind = UNWIND_CFA_RSP, .fp = UNWIND_FP_CFA, .fp_offset = -0x800,
	    .cfa_offset = 0x1000 },
	  0x1100, 0x901, 0xbbbb },
	{ "CFA by another register", { .kind = UNWIND_CFA_REGISTER, .fp = REG(UNWIND_R10) }, 0x180,
	  STACK + 0x200, 0xbbbb },
	{ "CFA in memory by rbp",
	  { .kind = UNWIND_CFA_DEREF, .fp = REG(UNWIND_RBP) | UNWIND_FP_RBP,
	    .cfa_offset = TWO(-8, 0) }, 0x300, 0x201, 0xbbbb, 0x1f8, STACK + 0x300 },
	{ "CFA in memory by rsp",
	  { .kind = UNWIND_CFA_DEREF, .fp = REG(UNWIND_RSP) | UNWIND_FP_RSP, .fp_offset = 0x28,
	    .cfa_offset = TWO(0x18, 8) }, 0x308, 0x129, 0xbbbb, 0x118, STACK + 0x300 },
	{ "CFA in memory below rsp",
	  { .kind = UNWIND_CFA_DEREF, .fp = REG(UNWIND_RSP), .cfa_offset = TWO(-8, 8) }, 0x308,
	  STACK + 0x200, 0xbbbb, 0xf8, STACK + 0x300 },
	{ "CFA in memory by index",
	  { .kind = UNWIND_CFA_INDEXED, .fp = REG(UNWIND_RSP) | UNWIND_FP_CFA,
	    .fp_offset = -48 + UNWIND_R9, .cfa_offset = TWO(8, 8) }, 0x308, 0x2f1, 0xbbbb, 0x130,
	  STACK + 0x300 },
	{ "the PLT before it pushes", { .kind = UNWIND_PLT, .cfa_offset = 11 }, 0x108,
	  STACK + 0x200, 0xbbbb },
	{ "the PLT when it has pushed", { .kind = UNWIND_PLT, .cfa_offset = 0 }, 0x110,
	  STACK + 0x200, 0xbbbb },
	{ "rbp undefined", { .kind = UNWIND_CFA_RSP, .fp = UNWIND_FP_UNDEFINED, .cfa_offset = 8 },
	  0x108, 0, 0xbbbb },
};

static void step_row(void **state)
{
	const struct step_case *c = *state;
	struct unwind_cursor s;
	size_t i;

	begin(&s, c->rule);
	for (i = 0; i < STACK_WORDS; i++)
		stack[i] = 8 * i + 1;
	if (c->set_at)
		poke(c->set_at, c->set);
	poke(c->sp - 8, code(2));
	assert_int_equal(unwind_step(&s), 0);
	assert_int_equal(s.sp - STACK, c->sp);
	assert_true(s.fp == c->fp);
	assert_true(s.regs[UNWIND_RBX] == c->rbx);
	assert_int_equal(s.ip, code(2));
	assert_int_equal(s.depth, 1);
	assert_true(s.frames[0] == unwind_frame(MODULE, code(1) - BIAS));
	assert_int_equal(s.flags, 0);
	assert_int_equal(unwind_step(&s), 1);
	assert_int_equal(s.stop, UNWIND_STOP_END);
	assert_true(s.frames[1] == unwind_frame(MODULE, code(2) - 1 - BIAS));
}

/* One step that ends the walk. */
static const struct stop_case {
	const char *name;
	struct unwind_rule rule;
	enum unwind_stop stop;
	uint32_t flags;		/* instead of those of a leaf */
	uint64_t ip, sp, fp;	/* when not 0 */
	uint32_t depth_max;
} stop_cases[] = {
	{ "the end", { .kind = UNWIND_END }, UNWIND_STOP_END },
	{ "address 0", { 0 }, UNWIND_STOP_UNMAPPED, .ip = 1 },
	{ "no code there", { 0 }, UNWIND_STOP_UNMAPPED, .ip = STACK },
	{ "CFI that cannot be followed", { .kind = UNWIND_UNSUPPORTED }, UNWIND_STOP_UNSUPPORTED },
	{ "a register only the leaf has", { .kind = UNWIND_CFA_REGISTER, .fp = REG(UNWIND_R10) },
	  UNWIND_STOP_REGISTER, .flags = UNWIND_CROSSED_SIGNAL },
	{ "rbx, which was lost", { .kind = UNWIND_CFA_REGISTER, .fp = REG(UNWIND_RBX) },
	  UNWIND_STOP_REGISTER, .flags = UNWIND_RBX_UNKNOWN },
	{ "memory by a register only the leaf has",
	  { .kind = UNWIND_CFA_DEREF, .fp = REG(UNWIND_R10) }, UNWIND_STOP_REGISTER,
	  .flags = UNWIND_CROSSED_SIGNAL },
	{ "memory by an index only the leaf has", { .kind = UNWIND_CFA_INDEXED },
	  UNWIND_STOP_REGISTER, .flags = UNWIND_CROSSED_SIGNAL },
	{ "a return address only the leaf has",
	  { .kind = UNWIND_RETURN_REGISTER, .fp = REG(UNWIND_RDI) }, UNWIND_STOP_REGISTER,
	  .flags = UNWIND_CROSSED_SIGNAL },
	{ "a frame that is not above", { .kind = UNWIND_CFA_RBP, .cfa_offset = 16 },
	  UNWIND_STOP_BACKWARDS, .fp = STACK + 0xf0 },
	{ "a return address that cannot be read", { .kind = UNWIND_CFA_RSP, .cfa_offset = 0x8000 },
	  UNWIND_STOP_READ },
	{ "a frame pointer that cannot be read",
	  { .kind = UNWIND_CFA_RSP, .fp = UNWIND_FP_CFA, .fp_offset = 0x7000, .cfa_offset = 8 },
	  UNWIND_STOP_READ },
	{ "a CFA that cannot be read", { .kind = UNWIND_CFA_DEREF, .fp = REG(UNWIND_RBP) },
	  UNWIND_STOP_READ, .fp = 0x1000 },
	{ "a signal frame that cannot be read", { .kind = UNWIND_SIGNAL }, UNWIND_STOP_READ,
	  .sp = STACK + sizeof(stack) - 64 },
	{ "no rule, no frame, no leaf", { 0 }, UNWIND_STOP_NO_RULE },
	{ "frame pointers promised and not kept", { .kind = UNWIND_FRAME_POINTER },
	  UNWIND_STOP_FRAME_POINTER },
	{ "the limit", { .kind = UNWIND_CFA_RSP }, UNWIND_STOP_DEPTH, .depth_max = UINT32_MAX },
};

static void stop_row(void **state)
{
	const struct stop_case *c = *state;
	struct unwind_cursor s;

	begin(&s, c->rule);
	s.flags = c->flags ? c->flags : s.flags;
	s.ip = c->ip ? c->ip : s.ip;
	s.sp = c->sp ? c->sp : s.sp;
	s.fp = c->fp ? c->fp : s.fp;
	s.depth_max = c->depth_max ? 0 : s.depth_max;
	assert_int_equal(unwind_step(&s), 1);
	assert_int_equal(s.stop, c->stop);
	assert_true(s.depth <= 1);
}

static void walk(struct unwind_cursor *s)
{
	int steps = 0;

	while (!unwind_step(s))
		assert_true(++steps <= UNWIND_FRAMES_MAX);
}

static void test_zero_return_address(void **state)
{
	struct unwind_cursor s;

	begin(&s, (struct unwind_rule){ .kind = UNWIND_CFA_RSP, .cfa_offset = 8 });
	walk(&s);
	assert_int_equal(s.stop, UNWIND_STOP_ZERO_RETURN);
	assert_int_equal(s.depth, 1);
}

static void test_signal(void **state)
{
	struct unwind_cursor s;
	size_t i;

	begin(&s, (struct unwind_rule){ .kind = UNWIND_CFA_RSP, .cfa_offset = 8 });
	rules[3] = (struct unwind_rule){ .kind = UNWIND_SIGNAL };
	rules[4] = (struct unwind_rule){ .kind = UNWIND_CFA_REGISTER, .fp = REG(UNWIND_R10) };
	poke(0x100, code(3));
	for (i = 0; i < 17; i++)	/* r8 r9 r10 ... rdi rsi rbp rbx rdx rax rcx rsp rip */
		poke(0x108 + 40 + 8 * i, 0x1000 + i);
	poke(0x108 + 40 + 8 * 2, STACK + 0x80);		/* r10; below, on another stack */
	poke(0x108 + 40 + 8 * 15, STACK + 0x40);	/* rsp */
	poke(0x108 + 40 + 8 * 16, code(4));		/* rip, exact */
	poke(0x78, code(2));
	s.flags |= UNWIND_RBX_UNKNOWN;
	assert_int_equal(unwind_step(&s), 0);
	assert_int_equal(unwind_step(&s), 0);
	assert_int_equal(s.sp, STACK + 0x40);
	assert_int_equal(s.fp, 0x100a);
	assert_int_equal(s.regs[UNWIND_R8], 0x1000);
	assert_int_equal(s.regs[UNWIND_RDI], 0x1008);
	assert_int_equal(s.regs[UNWIND_RBX], 0x100b);
	assert_int_equal(s.regs[UNWIND_RCX], 0x100e);
	assert_int_equal(s.flags, UNWIND_EXACT | UNWIND_REGISTERS_KNOWN | UNWIND_CROSSED_SIGNAL);
	walk(&s);
	assert_int_equal(s.stop, UNWIND_STOP_END);
	assert_int_equal(s.depth, 4);
	/* The trampoline was not called, what was interrupted neither. */
	assert_true(s.frames[1] == unwind_frame(MODULE, code(3) - BIAS));
	assert_true(s.frames[2] == unwind_frame(MODULE, code(4) - BIAS));
}

static void test_interrupted(void **state)
{
	struct unwind_cursor s;

	begin(&s, (struct unwind_rule){ .kind = UNWIND_CFA_RSP,
					.fp = UNWIND_INTERRUPTED | UNWIND_FP_CFA, .fp_offset = -16,
					.cfa_offset = 16 });
	poke(0x100, STACK + 0x300);
	poke(0x108, code(2));
	assert_int_equal(unwind_step(&s), 0);
	assert_int_equal(s.fp, STACK + 0x300);
	/* Its registers are not known all the same. */
	assert_int_equal(s.flags, UNWIND_EXACT);
	assert_int_equal(unwind_step(&s), 1);
	assert_int_equal(s.stop, UNWIND_STOP_END);
	assert_true(s.frames[1] == unwind_frame(MODULE, code(2) - BIAS));
}

static void test_vfork(void **state)
{
	struct unwind_cursor s;

	begin(&s, (struct unwind_rule){ .kind = UNWIND_RETURN_REGISTER, .fp = REG(UNWIND_RDI) });
	walk(&s);
	assert_int_equal(s.stop, UNWIND_STOP_END);
	assert_int_equal(s.depth, 2);
	assert_int_equal(s.sp, STACK + 0x100);
	assert_true(s.frames[1] == unwind_frame(MODULE, code(2) - 1 - BIAS));
}

/* The dynamic linker's resolver has its CFA in rbx, and calls functions that save it. */
static void test_rbx_through_frames(void **state)
{
	struct unwind_cursor s;

	begin(&s, (struct unwind_rule){ .kind = UNWIND_CFA_RSP, .cfa_offset = 8 });
	rules[3] = (struct unwind_rule){ .kind = UNWIND_CFA_RSP | RBX_AT(1), .cfa_offset = 24 };
	rules[4] = (struct unwind_rule){ .kind = UNWIND_CFA_REGISTER, .fp = REG(UNWIND_RBX),
					 .cfa_offset = 24 };
	poke(0x100, code(3));
	poke(0x110, STACK + 0x400);	/* rbx */
	poke(0x118, code(4));
	poke(0x410, code(2));
	walk(&s);
	assert_int_equal(s.stop, UNWIND_STOP_END);
	assert_int_equal(s.depth, 4);
	assert_int_equal(s.sp, STACK + 0x418);
}

static void test_rbx_found_again(void **state)
{
	struct unwind_cursor s;

	begin(&s, (struct unwind_rule){ .kind = UNWIND_CFA_RSP | RBX_AT(UNWIND_RBX_LOST),
					.cfa_offset = 8 });
	rules[3] = (struct unwind_rule){ .kind = UNWIND_CFA_RSP | RBX_AT(1), .cfa_offset = 24 };
	poke(0x100, code(3));
	poke(0x118, code(2));
	assert_int_equal(unwind_step(&s), 0);
	assert_true(s.flags & UNWIND_RBX_UNKNOWN);
	assert_int_equal(unwind_step(&s), 0);
	assert_false(s.flags & UNWIND_RBX_UNKNOWN);
}

static void test_lost_rbp_is_not_used(void **state)
{
	struct unwind_cursor s;

	begin(&s, (struct unwind_rule){ .kind = UNWIND_CFA_RSP, .fp = UNWIND_FP_UNSUPPORTED,
					.cfa_offset = 8 });
	rules[3] = (struct unwind_rule){ .kind = UNWIND_CFA_RBP, .cfa_offset = 16 };
	poke(0x100, code(3));
	poke(0x208, code(2));
	walk(&s);
	assert_int_equal(s.stop, UNWIND_STOP_BACKWARDS);
	assert_int_equal(s.depth, 2);
}

static void test_frame_pointers_of_unknown_code(void **state)
{
	struct unwind_cursor s;

	begin(&s, (struct unwind_rule){ 0 });
	s.ip = JIT + 0x123;
	poke(0x200, STACK + 0x300);
	poke(0x208, JIT + 0x456);
	poke(0x300, 0);
	poke(0x308, code(2));
	walk(&s);
	assert_int_equal(s.stop, UNWIND_STOP_END);
	assert_int_equal(s.depth, 3);
	assert_int_equal(s.flags, UNWIND_RAW_FRAMES | UNWIND_USED_FP | UNWIND_RBX_UNKNOWN);
	assert_true(s.frames[0] == JIT + 0x123);
	assert_true(s.frames[1] == JIT + 0x455);
	assert_int_equal(unwind_frame_module(s.frames[1]), UNWIND_MODULE_NONE);
}

static void test_leaf_of_unknown_code(void **state)
{
	struct unwind_cursor s;

	begin(&s, (struct unwind_rule){ 0 });
	s.fp = 3;
	poke(0x100, code(2));
	walk(&s);
	assert_int_equal(s.stop, UNWIND_STOP_END);
	assert_int_equal(s.flags & (UNWIND_USED_LEAF | UNWIND_USED_FP), UNWIND_USED_LEAF);
	assert_int_equal(s.sp, STACK + 0x108);
	/* What is not a leaf has no return address at rsp. */
	begin(&s, (struct unwind_rule){ 0 });
	s.fp = 3;
	s.flags = UNWIND_CROSSED_SIGNAL;
	poke(0x100, code(2));
	walk(&s);
	assert_int_equal(s.stop, UNWIND_STOP_NO_RULE);
}

static void test_depth_limit(void **state)
{
	struct unwind_cursor s;
	size_t i;

	begin(&s, (struct unwind_rule){ .kind = UNWIND_CFA_RSP, .cfa_offset = 8 });
	for (i = 0; i < STACK_WORDS; i++)
		stack[i] = code(1);
	walk(&s);
	assert_int_equal(s.stop, UNWIND_STOP_DEPTH);
	assert_int_equal(s.depth, UNWIND_FRAMES_MAX);
	assert_int_equal(reads, (8 * UNWIND_FRAMES_MAX + UNWIND_WINDOW_BYTES - 1) /
				UNWIND_WINDOW_BYTES);
}

/* The last words of the stack's mapping, where no whole window can be read. */
static void test_end_of_the_stack(void **state)
{
	struct unwind_cursor s;
	uint64_t last = sizeof(stack) - 8;

	begin(&s, (struct unwind_rule){ .kind = UNWIND_CFA_RSP, .cfa_offset = 16 });
	s.sp = STACK + last - 24;
	poke(last - 16, code(1));
	poke(last, code(2));
	walk(&s);
	assert_int_equal(s.stop, UNWIND_STOP_END);
	assert_int_equal(s.depth, 3);
}

static void test_hash_is_of_the_frames(void **state)
{
	struct unwind_cursor s;
	uint64_t hash = 99;
	size_t i;

	begin(&s, (struct unwind_rule){ .kind = UNWIND_CFA_RSP, .cfa_offset = 8 });
	s.hash = hash;
	poke(0x100, code(1));
	poke(0x108, code(2));
	walk(&s);
	assert_int_equal(s.depth, 3);
	for (i = 0; i < s.depth; i++)
		hash = unwind_hash(hash, s.frames[i]);
	assert_true(s.hash == hash);
}

static void test_frames_are_taken_apart(void **state)
{
	assert_int_equal(unwind_frame_module(unwind_frame(MODULE, 0x1234)), MODULE);
	assert_int_equal(unwind_frame_address(unwind_frame(MODULE, 0x1234)), 0x1234);
	assert_true(unwind_frame_address(unwind_frame(0, 0x7fffffffffff)) == 0x7fffffffffff);
	assert_int_equal(unwind_frame_module(unwind_frame(0, 0x7fffffffffff)), 0);
	assert_int_equal(unwind_frame_module(unwind_frame(UNWIND_MODULE_LIMIT - 1, 1)),
			 UNWIND_MODULE_LIMIT - 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("a return address of 0 is told apart", test_zero_return_address),
		UNIT_TEST("a signal frame gives all registers", test_signal),
		UNIT_TEST("what was interrupted has an exact address", test_interrupted),
		UNIT_TEST("vfork() returns to a register", test_vfork),
		UNIT_TEST("rbx is followed through frames", test_rbx_through_frames),
		UNIT_TEST("rbx is found again", test_rbx_found_again),
		UNIT_TEST("a lost rbp is not used", test_lost_rbp_is_not_used),
		UNIT_TEST("unknown code may have frame pointers",
			  test_frame_pointers_of_unknown_code),
		UNIT_TEST("unknown code may be a leaf", test_leaf_of_unknown_code),
		UNIT_TEST("the limit is kept, and the stack read in windows", test_depth_limit),
		UNIT_TEST("the end of the stack is read word by word", test_end_of_the_stack),
		UNIT_TEST("the hash is of the frames", test_hash_is_of_the_frames),
		UNIT_TEST("frames are taken apart", test_frames_are_taken_apart),
	};

	return unit_run_rows("step", step_row, UNIT_ROWS(step_cases)) +
	       unit_run_rows("stop", stop_row, UNIT_ROWS(stop_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
