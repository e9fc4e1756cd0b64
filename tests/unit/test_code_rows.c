/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_code_rows.c - rules from instructions: small functions by hand, and libraries whose unwind tables
 * say what is right.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "profiler/unwind/code_rows.h"
#include "profiler/unwind/unwind_table.h"
#include "tests/unit/cfi_builder.h"
#include "tests/unit/elf_image.h"
#include "tests/unit/fail_alloc.h"
#include "tests/unit/unit.h"

#define CODE_BYTES 0x100
#define RULES_MAX 65536
#define RSP(offset) { .kind = UNWIND_CFA_RSP, .cfa_offset = (offset) }
#define RBX_AT(number) ((number) << UNWIND_RBX_SHIFT)
#define NONE { .kind = UNWIND_NONE }
/* CFA = rsp + offset, the caller's rbp at CFA - 16. */
#define SAVED(offset)                                                                            \
	{ .kind = UNWIND_CFA_RSP, .fp = UNWIND_FP_CFA, .fp_offset = -16, .cfa_offset = (offset) }
#define FRAME { .kind = UNWIND_CFA_RBP, .fp = UNWIND_FP_CFA, .fp_offset = -16, .cfa_offset = 16 }

static const struct code_case {
	const char *name;
	const uint8_t *code;
	size_t size;
	struct {
		uint64_t offset;
		struct unwind_rule rule;
	} expected[10];
} code_cases[] = {
	{ "a frame with a frame pointer",
	  /* push %rbp; mov %rsp,%rbp; sub $16,%rsp; leave; ret */
	  BYTES(0x55, 0x48, 0x89, 0xe5, 0x48, 0x83, 0xec, 0x10, 0xc9, 0xc3),
	  { { 0, RSP(8) }, { 1, SAVED(16) }, { 4, FRAME }, { 8, FRAME }, { 9, RSP(8) } } },
	{ "a return in the middle",
	  /* push %rbx; test %edi,%edi; je 1f; pop %rbx; ret; 1: xor %eax,%eax; pop %rbx; ret */
	  BYTES(0x53, 0x85, 0xff, 0x74, 0x02, 0x5b, 0xc3, 0x31, 0xc0, 0x5b, 0xc3),
	  { { 0, RSP(8) },
	    { 1, { .kind = UNWIND_CFA_RSP | RBX_AT(1), .cfa_offset = 16 } },
	    { 6, RSP(8) },
	    { 7, { .kind = UNWIND_CFA_RSP | RBX_AT(1), .cfa_offset = 16 } },
	    { 10, RSP(8) } } },
	{ "a loop that is entered at its end",
	  /* push %rax; jmp 2f; nop; 1: dec %edi; 2: test %edi,%edi; jne 1b; pop %rax; ret */
	  BYTES(0x50, 0xeb, 0x03, 0x90, 0xff, 0xcf, 0x85, 0xff, 0x75, 0xfa, 0x58, 0xc3),
	  { { 0, RSP(8) }, { 4, RSP(16) }, { 6, RSP(16) }, { 10, RSP(16) }, { 11, RSP(8) } } },
	{ "a jump by a table",
	  /* push %rax; jmp *%rdi; nop; xor %eax,%eax; pop %rax; ret */
	  BYTES(0x50, 0xff, 0xe7, 0x90, 0x31, 0xc0, 0x58, 0xc3),
	  { { 1, RSP(16) }, { 4, RSP(16) }, { 6, RSP(16) }, { 7, RSP(8) } } },
	{ "an array of any size, with a frame pointer",
	  /* push %rbp; mov %rsp,%rbp; sub %rax,%rsp; mov %rbp,%rsp; pop %rbp; ret */
	  BYTES(0x55, 0x48, 0x89, 0xe5, 0x48, 0x29, 0xc4, 0x48, 0x89, 0xec, 0x5d, 0xc3),
	  { { 4, FRAME }, { 7, FRAME }, { 10, FRAME }, { 11, RSP(8) } } },
	{ "one without: nothing is known",
	  /* push %rbx; sub %rax,%rsp; nop; ret */
	  BYTES(0x53, 0x48, 0x29, 0xc4, 0x90, 0xc3), { { 0, RSP(8) }, { 4, NONE }, { 5, NONE } } },
	{ "registers saved by moves",
	  /* sub $24,%rsp; mov %rbp,8(%rsp); mov %rbx,(%rsp); xor %ebp,%ebp; mov 8(%rsp),%rbp; */
	  BYTES(0x48, 0x83, 0xec, 0x18, 0x48, 0x89, 0x6c, 0x24, 0x08, 0x48, 0x89, 0x1c, 0x24, 0x31,
		0xed, 0x48, 0x8b, 0x6c, 0x24, 0x08, 0xc3),
	  { { 4, RSP(32) },
	    { 9,
	      { .kind = UNWIND_CFA_RSP, .fp = UNWIND_FP_CFA, .fp_offset = -24, .cfa_offset = 32 } },
	    { 13,
	      { .kind = UNWIND_CFA_RSP | RBX_AT(3), .fp = UNWIND_FP_CFA, .fp_offset = -24,
		.cfa_offset = 32 } },
	    { 20, { .kind = UNWIND_CFA_RSP | RBX_AT(3), .cfa_offset = 32 } } } },
	{ "rbp used for something else, and not saved",
	  /* xor %ebp,%ebp; ret */
	  BYTES(0x31, 0xed, 0xc3),
	  { { 0, RSP(8) },
	    { 2, { .kind = UNWIND_CFA_RSP, .fp = UNWIND_FP_UNDEFINED, .cfa_offset = 8 } } } },
	{ "zeros between functions",
	  /* ret; seven zeros; push %rbx; push %r12; pop %r12; pop %rbx; ret */
	  BYTES(0xc3, 0, 0, 0, 0, 0, 0, 0, 0x53, 0x41, 0x54, 0x41, 0x5c, 0x5b, 0xc3),
	  { { 8, RSP(8) },
	    { 9, { .kind = UNWIND_CFA_RSP | RBX_AT(1), .cfa_offset = 16 } },
	    { 11, { .kind = UNWIND_CFA_RSP | RBX_AT(1), .cfa_offset = 24 } } } },
	{ "a function behind a call that does not return",
	  /* push %rax; call 0x10; nop to 16; push %rbx; ret */
	  BYTES(0x50, 0xe8, 0x0a, 0x00, 0x00, 0x00, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90,
		0x90, 0x90, 0x53, 0xc3),
	  { { 1, RSP(16) },
	    { 6, RSP(16) },
	    { 16, RSP(8) },
	    { 17, { .kind = UNWIND_CFA_RSP | RBX_AT(1), .cfa_offset = 16 } } } },
	{ "one that nobody calls by its address",
	  /* push %rax; call far away; nop to 16; push %rbx; ret */
	  BYTES(0x50, 0xe8, 0x0a, 0x00, 0x01, 0x00, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90,
		0x90, 0x90, 0x53, 0xc3),
	  { { 6, RSP(16) }, { 16, RSP(8) } } },
	{ "bytes that are no instruction",
	  /* push %rax; 0x06 */
	  BYTES(0x50, 0x06, 0x90, 0x90), { { 0, RSP(8) }, { 1, NONE }, { 3, NONE } } },
	{ "more taken off the stack than there was",
	  /* pop %rax; pop %rcx; ret */
	  BYTES(0x58, 0x59, 0xc3), { { 0, RSP(8) }, { 1, NONE }, { 2, NONE } } },
};

static struct elf_image img;
static uint8_t code_bytes[CODE_BYTES];

static void image_make(const uint8_t *code, size_t size)
{
	assert_true(size <= sizeof(code_bytes));
	memset(code_bytes, 0x06, sizeof(code_bytes));
	memcpy(code_bytes, code, size);
	elf_image_init(&img);
	elf_image_segment(&img, PT_LOAD, PF_X);
	elf_image_section(&img, ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, code_bytes,
			  sizeof(code_bytes));
	elf_image_finish(&img, true);
}

static struct unwind_rule rule_at(const struct code_row *rows, size_t count, uint64_t address)
{
	size_t i = count;

	while (i && rows[i - 1].start > address)
		i--;
	assert_true(i > 0);
	return rows[i - 1].rule;
}

static void code_row_case(void **state)
{
	const struct code_case *c = *state;
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	_cleanup_(code_rows_freep) struct code_rows *rows = NULL;
	const struct code_row *found = NULL;
	struct special_code code;
	uint64_t text;
	size_t count;

	image_make(c->code, c->size);
	assert_int_equal(elf_file_open_memory(img.bytes, img.size, &elf), 0);
	special_code_init(&code, elf);
	assert_int_equal(special_code_read(&code, elf), 0);
	text = code.segments[0].start;
	assert_int_equal(code_rows_new(elf, &code, &rows), 0);
	assert_int_equal(code_rows_read(rows, text, code.segments[0].end, &found, &count), 0);
	assert_int_equal(found[0].start, text);
	for (size_t i = 0; i == 0 || c->expected[i].offset; i++) {
		struct unwind_rule rule = rule_at(found, count, text + c->expected[i].offset);

		if (memcmp(&rule, &c->expected[i].rule, sizeof(rule)))
			fail_msg("at %#lx: kind %#x, fp %u at %d, CFA %d",
				 (unsigned long)c->expected[i].offset, rule.kind, rule.fp,
				 rule.fp_offset, rule.cfa_offset);
	}
}

/* ---- libraries ---- */

struct agreement {
	uint64_t same, other, unknown;
};

/* A frame is said by rsp or by rbp: only what is said in one way can be compared. */
static void compare(struct unwind_rule rule, struct unwind_rule truth, struct agreement *ret)
{
	uint32_t kind = unwind_rule_kind(rule), wanted = unwind_rule_kind(truth);

	if (wanted != UNWIND_CFA_RSP && wanted != UNWIND_CFA_RBP)
		return;
	if (kind == UNWIND_NONE)
		ret->unknown++;
	else if (kind == wanted && rule.cfa_offset == truth.cfa_offset)
		ret->same++;
	else if (kind == wanted)
		ret->other++;
}

static void compare_segment(struct code_rows *rows, const struct text_segment *segment,
			    const struct unwind_table *table, const struct rule_pool *pool,
			    struct agreement *ret)
{
	const struct code_row *found;
	size_t count, next = 1;

	assert_int_equal(code_rows_read(rows, segment->start, segment->end, &found, &count), 0);
	assert_true(count > 1000);
	for (uint64_t at = segment->start; at < segment->end; at++) {
		while (next < count && found[next].start <= at)
			next++;
		compare(found[next - 1].rule, rule_pool_rule(pool, unwind_table_find(table, at)),
			ret);
	}
}

static const struct library_case {
	const char *name, *path;
	double least;	/* percent */
} library_cases[] = {
	{ "the C library", "/lib/x86_64-linux-gnu/libc.so.6", 99 },
	/* Nothing jumps to what catches exceptions: only tables lead there. */
	{ "C++ in libstdc++", "/usr/lib/x86_64-linux-gnu/libstdc++.so.6", 95 },
	{ "wick itself, with its symbols", NULL, 99 },
};

static void library_row(void **state)
{
	const struct library_case *c = *state;
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	_cleanup_(rule_pool_freep) struct rule_pool *pool = rule_pool_new(RULES_MAX);
	_cleanup_(unwind_table_done) struct unwind_table table = { 0 };
	_cleanup_(code_rows_freep) struct code_rows *rows = NULL;
	struct agreement sum = { 0 };
	struct special_code code;
	double all;
	int fd = open(c->path ?: "/proc/self/exe", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		skip();
	assert_int_equal(elf_file_open_fd(fd, &elf), 0);
	close(fd);
	assert_int_equal(unwind_table_build(elf, pool, &table), 0);
	special_code_init(&code, elf);
	assert_int_equal(special_code_read(&code, elf), 0);
	assert_int_equal(code_rows_new(elf, &code, &rows), 0);
	compare_segment(rows, &code.segments[0], &table, pool, &sum);
	all = (double)(sum.same + sum.other + sum.unknown);
	print_message("# %s: of %.0f bytes %.2f %% as the unwind tables say, %.2f %% other, "
		      "%.2f %% unknown\n", c->name, all, 100 * (double)sum.same / all,
		      100 * (double)sum.other / all, 100 * (double)sum.unknown / all);
	assert_true(100 * (double)sum.same / all >= c->least);
}

static int build(void *arg)
{
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	_cleanup_(rule_pool_freep) struct rule_pool *pool = rule_pool_new(100);
	_cleanup_(unwind_table_done) struct unwind_table table = { 0 };
	int r = elf_file_open_memory(img.bytes, img.size, &elf);

	return r < 0 ? r : pool ? unwind_table_build(elf, pool, &table) : -ENOMEM;
}

static void test_no_memory(void **state)
{
	image_make(code_cases[0].code, code_cases[0].size);
	assert_in_range(fail_alloc_each_or_not_missed(build, NULL), 8, 199);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("without memory it says so", test_no_memory),
	};

	return unit_run_rows("code", code_row_case, UNIT_ROWS(code_cases)) +
	       unit_run_rows("library", library_row, UNIT_ROWS(library_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
