/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_unwind_every_instruction.c - the stack is right wherever a sample may fall.
 *
 * Follows programs from their very first instruction, in the dynamic linker,
 * to their last, and unwinds at each with unwind_step() and our tables. The
 * frames must be those of the shadow stack, down to the end.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bpf/unwind_step.h"
#include "tests/unit/traced_process.h"
#include "tests/unit/unit.h"

#define SHOWN_MAX 3

static struct traced_process *current;

static int unwind_map_find(struct unwind_cursor *s, wick_u64 address)
{
	const struct traced_mapping *m = traced_mapping(current, address);

	if (!m)
		return -1;
	s->map_start = m->start;
	s->map_end = m->end;
	s->map_bias = m->bias;
	s->map_module = m->module < 0 ? UNWIND_MODULE_NONE :
					UNWIND_MODULE_FIRST + (wick_u32)m->module;
	return 0;
}

static int unwind_map_has(struct unwind_cursor *s, wick_u64 address)
{
	return traced_mapping(current, address) != NULL;
}

static wick_u64 unwind_rule_find(struct unwind_cursor *s, wick_u64 address)
{
	const struct traced_module *m = &current->modules[s->map_module - UNWIND_MODULE_FIRST];
	struct unwind_rule rule = rule_pool_rule(current->pool,
						 unwind_table_find(&m->table, address));
	wick_u64 bits;

	memcpy(&bits, &rule, sizeof(bits));
	return bits;
}

static int unwind_memory_read(struct unwind_cursor *s, void *to, wick_u32 size, wick_u64 address)
{
	return traced_read(current, to, size, address);
}

struct walk_result {
	size_t instructions, right, wrong;
	size_t stops[UNWIND_STOP_COUNT];	/* of the wrong ones, by cause */
	size_t guessed_wrong;	/* there was code without CFI on the stack */
	size_t misled;		/* the CFI itself is wrong */
	size_t deepest;
};

static void begin_cursor(struct unwind_cursor *s, const struct user_regs_struct *regs)
{
	const wick_u64 values[UNWIND_REGISTERS] = {
		regs->rax, regs->rdx, regs->rcx, regs->rbx, regs->rsi, regs->rdi, regs->rbp,
		regs->rsp, regs->r8, regs->r9, regs->r10, regs->r11, regs->r12, regs->r13,
		regs->r14, regs->r15,
	};

	memset(s, 0, offsetof(struct unwind_cursor, window));
	memcpy(s->regs, values, sizeof(values));
	s->ip = regs->rip;
	s->sp = regs->rsp;
	s->fp = regs->rbp;
	s->flags = UNWIND_EXACT | UNWIND_REGISTERS_KNOWN;
	s->depth_max = UNWIND_FRAMES_MAX;
	s->window_base = ~0ull;
}

/* Where the frame @index, leaf first, is to be looked up, by the shadow stack. */
static uint64_t expected_pc(const struct traced_process *t, size_t index)
{
	const struct shadow_frame *frame;

	if (index == 0)
		return t->regs.rip;
	frame = &t->shadow[t->shadow_count - index];
	return frame->exact ? frame->ip : frame->ip - 1;
}

static bool frames_are_right(const struct traced_process *t, const struct unwind_cursor *s)
{
	size_t i;

	if (s->stop != UNWIND_STOP_END || s->depth != t->shadow_count + 1)
		return false;
	for (i = 0; i < s->depth; i++) {
		uint64_t pc = expected_pc(t, i);
		const struct traced_mapping *m = traced_mapping(t, pc);

		if (!m || s->frames[i] != unwind_frame(UNWIND_MODULE_FIRST + (wick_u32)m->module,
						       pc - m->bias))
			return false;
	}
	return true;
}

static bool some_code_has_no_rule(const struct traced_process *t)
{
	size_t i;

	for (i = 0; i <= t->shadow_count; i++) {
		if (unwind_rule_kind(traced_rule(t, expected_pc(t, i))) == UNWIND_NONE)
			return true;
	}
	return false;
}

/*
 * gcc says how a function that realigned its stack saved rbp, but (up to 12 at
 * least) not that it has been restored when the last two instructions run.
 */
static bool is_misled(const struct traced_process *t)
{
	struct unwind_rule rule = traced_rule(t, t->regs.rip);
	wick_u32 kind = unwind_rule_kind(rule);

	return (rule.fp & 15) == UNWIND_FP_RBP && rule.fp_offset == 0 &&
	       (kind == UNWIND_CFA_REGISTER || (kind == UNWIND_CFA_RSP && rule.cfa_offset == 8));
}

static const char *stop_text(wick_u32 stop)
{
	static const char *const texts[] = {
#define STOP_TEXT(name, text) text,
		UNWIND_STOPS(STOP_TEXT)
#undef STOP_TEXT
	};

	return stop < UNWIND_STOP_COUNT ? texts[stop] : "?";
}

static void show(const struct traced_process *t, const struct unwind_cursor *s)
{
	size_t i;

	printf("# wrong: %s, %u frames of %zu\n", stop_text(s->stop), s->depth,
	       t->shadow_count + 1);
	for (i = 0; i <= t->shadow_count; i++) {
		uint64_t pc = expected_pc(t, i);
		const struct traced_mapping *m = traced_mapping(t, pc);

		printf("#   %s+%#llx %s\n",
		       m && m->module >= 0 ? t->modules[m->module].name : "?",
		       (unsigned long long)(m ? pc - m->bias : pc),
		       m && i < s->depth && unwind_frame_address(s->frames[i]) == pc - m->bias ?
			       "" : "<- not found");
	}
}

static void check_here(struct traced_process *t, struct walk_result *result)
{
	struct unwind_cursor s;

	begin_cursor(&s, &t->regs);
	while (!unwind_step(&s))
		;
	if (frames_are_right(t, &s)) {
		result->right++;
		return;
	}
	if (some_code_has_no_rule(t)) {
		result->guessed_wrong++;
		return;
	}
	if (is_misled(t)) {
		result->misled++;
		return;
	}
	result->stops[s.stop]++;
	if (result->wrong++ < SHOWN_MAX)
		show(t, &s);
}

static void follow(const char *const argv[], struct walk_result *ret)
{
	_cleanup_(traced_freep) struct traced_process *t = traced_start(argv);
	struct walk_result result = { 0 };

	if (!t) {
		print_message("%s cannot be traced here\n", argv[0]);
		skip();
	}
	current = t;
	do {
		result.instructions++;
		if (t->shadow_count > result.deepest)
			result.deepest = t->shadow_count;
		check_here(t, &result);
	} while (traced_step(t) == 0 && !t->shadow_lost && result.wrong < SHOWN_MAX);
	printf("# %s: %zu instructions, %zu stacks right, %zu wrong, %zu by wrong CFI, %zu through "
	       "code without CFI, up to %zu calls deep\n", argv[0], result.instructions,
	       result.right, result.wrong, result.misled, result.guessed_wrong, result.deepest);
	assert_false(t->shadow_lost);
	assert_int_equal(result.wrong, 0);
	assert_true(t->ended);
	assert_int_equal(t->exit_status, 0);
	*ret = result;
}

static const struct program_case {
	const char *name, *program;
} program_cases[] = {
	{ "of an optimized program with lazy binding", "stack_shapes" },
	{ "of a program that realigns its stack", "stack_shapes-realigned" },
	{ "of a program made by clang", "stack_shapes-clang" },
	{ "of a program that has only .debug_frame", "stack_shapes-debug_frame" },
	{ "of a static program", "stack_shapes-static" },
	{ "of a program without unwind tables", "stack_shapes-bare" },
	{ "of one made by clang", "stack_shapes-bare-clang" },
	{ "of one without symbols, too", "stack_shapes-bare-stripped" },
	{ "of a static program and musl, which nothing describes", "stack_shapes-musl" },
	{ "of musl as a library", "stack_shapes-musl-dynamic" },
};

static void program_row(void **state)
{
	const struct program_case *c = *state;
	const char *folder = getenv("WICK_WORKLOADS");
	char path[4096];
	const char *const argv[] = { path, NULL };
	struct walk_result result;

	snprintf(path, sizeof(path), "%s/%s", folder ? folder : "build/tests/workloads",
		 c->program);
	follow(argv, &result);
	/* The start-up files of the C library have a few functions without CFI. */
	assert_true(result.guessed_wrong * 100 < result.instructions);
	assert_in_range(result.misled, 0, 10);
}

int main(void)
{
	return unit_run_rows("every instruction", program_row, UNIT_ROWS(program_cases));
}
