/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_unwind_table.c - tables of hand-made files, damaged ones too.
 *
 * A table is written as text: offset in .text and rule, wherever it changes.
 */
#include "profiler/unwind/unwind_table.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "profiler/base/strbuf.h"
#include "tests/unit/cfi_builder.h"
#include "tests/unit/elf_image.h"
#include "tests/unit/fail_alloc.h"
#include "tests/unit/unit.h"

#define TEXT_BYTES 0x2000
#define PUSH CFA_ADVANCE(1), CFA_DEF_CFA_OFFSET, 16

/* A file in the making. */
struct file {
	struct elf_image img;
	struct cfi_builder eh, debug;
	uint8_t code[TEXT_BYTES];
	const char *plt_name;	/* of a section behind .text, or NULL */
	uint8_t plt[0x40];
	uint64_t text;
	size_t cie, debug_cie;
};

static struct file file;

static void file_init(void)
{
	/* Bytes that are no instruction: only what a test puts there is looked into. */
	memset(file.code, 0x06, sizeof(file.code));
	memset(file.plt, 0x06, sizeof(file.plt));
	file.plt_name = NULL;
	file.text = ELF_IMAGE_BASE + 0x1000;
	cfi_builder_init(&file.eh, file.text + TEXT_BYTES + sizeof(file.plt), false);
	cfi_builder_init(&file.debug, 0, true);
	file.cie = cfi_builder_cie(&file.eh, "", NULL, 0);
	file.debug_cie = cfi_builder_cie(&file.debug, "", NULL, 0);
}

static void eh_fde(uint64_t offset, uint64_t size, const uint8_t *program, size_t program_size)
{
	cfi_builder_fde(&file.eh, file.cie, file.text + offset, size, program, program_size);
}

static void debug_fde(uint64_t offset, uint64_t size, const uint8_t *program, size_t program_size)
{
	cfi_builder_fde(&file.debug, file.debug_cie, file.text + offset, size, program,
			program_size);
}

static Elf64_Ehdr *file_finish(void)
{
	struct elf_image *img = &file.img;

	elf_image_init(img);
	elf_image_segment(img, PT_LOAD, PF_X);
	assert_int_equal(elf_image_section(img, ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR,
					   file.code, sizeof(file.code)), file.text);
	elf_image_section(img, file.plt_name ? file.plt_name : ".other", SHT_PROGBITS,
			  SHF_ALLOC | SHF_EXECINSTR, file.plt, sizeof(file.plt));
	elf_image_segment(img, PT_LOAD, 0);
	assert_int_equal(elf_image_section(img, ".eh_frame", SHT_PROGBITS, SHF_ALLOC,
					   file.eh.bytes, file.eh.size), file.eh.address);
	elf_image_section(img, ".debug_frame", SHT_PROGBITS, 0, file.debug.bytes, file.debug.size);
	elf_image_finish(img, true);
	return (Elf64_Ehdr *)img->bytes;
}

static int build(struct rule_pool *pool, struct unwind_table *ret)
{
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	int r = elf_file_open_memory(file.img.bytes, file.img.size, &elf);

	return r < 0 ? r : unwind_table_build(elf, pool, ret);
}

static void write_rule(struct strbuf *text, struct unwind_rule rule)
{
	static const char *const names[UNWIND_KINDS] = {
		[UNWIND_NONE] = "none", [UNWIND_CFA_RSP] = "rsp", [UNWIND_CFA_RBP] = "rbp",
		[UNWIND_SIGNAL] = "signal", [UNWIND_END] = "end",
		[UNWIND_UNSUPPORTED] = "unsupported", [UNWIND_PLT] = "plt",
	};
	uint32_t kind = unwind_rule_kind(rule);

	strbuf_add_text(text, kind < UNWIND_KINDS && names[kind] ? names[kind] : "?");
	if (kind == UNWIND_CFA_RSP || kind == UNWIND_CFA_RBP || kind == UNWIND_PLT)
		strbuf_printf(text, "+%d", rule.cfa_offset);
}

static void write_table(struct strbuf *text, const struct unwind_table *table,
			const struct rule_pool *pool)
{
	uint32_t last = UINT32_MAX, number;
	uint64_t offset;

	for (offset = 0; offset < TEXT_BYTES + sizeof(file.plt); offset++) {
		number = unwind_table_find(table, file.text + offset);
		if (number == last)
			continue;
		strbuf_printf(text, "%s%#llx ", offset ? "; " : "", (unsigned long long)offset);
		write_rule(text, rule_pool_rule(pool, number));
		last = number;
	}
}

static void expect(const char *rows, uint32_t fdes, uint32_t damaged, uint32_t overlapping)
{
	_cleanup_(rule_pool_freep) struct rule_pool *pool = rule_pool_new(1000);
	_cleanup_(unwind_table_done) struct unwind_table table = { 0 };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	assert_int_equal(build(pool, &table), 0);
	write_table(&text, &table, pool);
	assert_string_equal(text.data, rows);
	assert_int_equal(table.stats.fdes, fdes);
	assert_int_equal(table.stats.fdes_damaged, damaged);
	assert_int_equal(table.stats.fdes_overlapping, overlapping);
}

static void test_functions(void **state)
{
	file_init();
	eh_fde(0x100, 0x20, BYTES(PUSH));
	eh_fde(0x20, 0x30, BYTES(PUSH, CFA_ADVANCE(2), CFA_DEF_CFA_REGISTER, RBP));
	eh_fde(0xff0, 0x40, BYTES(PUSH));
	file_finish();
	expect("0 none; 0x20 rsp+8; 0x21 rsp+16; 0x23 rbp+16; 0x50 none; 0x100 rsp+8; "
	       "0x101 rsp+16; 0x120 none; 0xff0 rsp+8; 0xff1 rsp+16; 0x1030 none",
	       3, 0, 0);
}

static void test_padding_is_no_gap(void **state)
{
	file_init();
	eh_fde(0x10, 0x5, BYTES(CFA_NOP));
	eh_fde(0x20, 0x5, BYTES(CFA_NOP));	/* 11 bytes behind */
	eh_fde(0x40, 0x5, BYTES(CFA_NOP));	/* 27 bytes behind */
	eh_fde(0x4a, 0x5, BYTES(CFA_NOP));	/* not aligned */
	file_finish();
	expect("0 none; 0x10 rsp+8; 0x25 none; 0x40 rsp+8; 0x45 none; 0x4a rsp+8; 0x4f none", 4, 0,
	       0);
}

static void test_overlaps(void **state)
{
	file_init();
	eh_fde(0x10, 0x20, BYTES(CFA_NOP));
	eh_fde(0x20, 0x40, BYTES(CFA_DEF_CFA_OFFSET, 99));
	eh_fde(0x10, 0x20, BYTES(CFA_DEF_CFA_OFFSET, 98));
	eh_fde(0x30, 0x10, BYTES(CFA_DEF_CFA_OFFSET, 16));
	file_finish();
	expect("0 none; 0x10 rsp+8; 0x30 rsp+16; 0x40 none", 4, 0, 2);
}

static void test_code_not_there(void **state)
{
	file_init();
	eh_fde(TEXT_BYTES + 0x40, 0x20, BYTES(CFA_NOP));
	eh_fde(-0x1000, 0x20, BYTES(CFA_NOP));
	eh_fde(TEXT_BYTES + 0x38, 0x2000, BYTES(CFA_NOP));
	eh_fde(0x40, 0, BYTES(CFA_NOP));
	debug_fde(-file.text, 0x30, BYTES(CFA_NOP));
	file_finish();
	expect("0 none; 0x2038 rsp+8", 1, 0, 0);
}

static void test_debug_frame_fills_gaps(void **state)
{
	file_init();
	eh_fde(0x100, 0x20, BYTES(CFA_NOP));
	eh_fde(0x200, 0x20, BYTES(CFA_NOP));
	debug_fde(0x100, 0x20, BYTES(CFA_DEF_CFA_OFFSET, 99));	/* the same function */
	debug_fde(0x180, 0x10, BYTES(CFA_DEF_CFA_OFFSET, 16));	/* another */
	debug_fde(0x1f0, 0x40, BYTES(CFA_DEF_CFA_OFFSET, 24));	/* reaches into a known one */
	file_finish();
	expect("0 none; 0x100 rsp+8; 0x120 none; 0x180 rsp+16; 0x190 none; 0x1f0 rsp+24; "
	       "0x200 rsp+8; 0x220 none",
	       5, 0, 0);
}

static void test_damage_ends_a_function(void **state)
{
	file_init();
	eh_fde(0x10, 0x20, BYTES(PUSH, CFA_ADVANCE(4), CFA_RESTORE_STATE));
	eh_fde(0x30, 0x20, BYTES(PUSH));
	/* of no CIE */
	cfi_builder_fde(&file.eh, file.cie + 8, file.text + 0x60, 8, NULL, 0);
	cfi_builder_add(&file.eh, "\xff\xff\xff\x7f", 4);
	file_finish();
	expect("0 none; 0x10 rsp+8; 0x11 rsp+16; 0x15 none; 0x30 rsp+8; 0x31 rsp+16; 0x50 none", 2,
	       3, 0);
}

static const uint8_t trampoline[] = { 0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05 };

static void test_trampolines(void **state)
{
	file_init();
	memcpy(file.code + 0x40, trampoline, sizeof(trampoline));
	memcpy(file.code + 0x50, trampoline, sizeof(trampoline));
	memcpy(file.code + 0x107, trampoline, sizeof(trampoline));
	memcpy(file.code + TEXT_BYTES - 8, trampoline, 8);
	eh_fde(0x20, 0x20, BYTES(CFA_NOP));		/* right before one */
	eh_fde(0x100, 0x20, BYTES(CFA_NOP));		/* around one, and it knows better */
	file_finish();
	/* From a byte before, where return addresses are looked up. */
	expect("0 none; 0x20 rsp+8; 0x3f signal; 0x49 none; 0x4f signal; 0x59 none; 0x100 rsp+8; "
	       "0x120 none", 2, 0, 0);
}

static void test_entry(void **state)
{
	Elf64_Ehdr *header;

	file_init();
	eh_fde(0x100, 0x20, BYTES(CFA_NOP));
	eh_fde(0x160, 0x20, BYTES(CFA_NOP));
	header = file_finish();
	header->e_type = ET_EXEC;
	header->e_entry = file.text + 0x20;
	expect("0 none; 0x20 end; 0x60 none; 0x100 rsp+8; 0x120 none; 0x160 rsp+8; 0x180 none", 2,
	       0, 0);
	header->e_entry = file.text + 0x140;
	expect("0 none; 0x100 rsp+8; 0x120 none; 0x140 end; 0x160 rsp+8; 0x180 none", 2, 0, 0);
	header->e_entry = file.text + 0x110;	/* there is CFI for it */
	expect("0 none; 0x100 rsp+8; 0x120 none; 0x160 rsp+8; 0x180 none", 2, 0, 0);
	/* Of a shared object, only what looks like an entry. */
	header->e_type = ET_DYN;
	header->e_entry = file.text + 0x140;
	expect("0 none; 0x100 rsp+8; 0x120 none; 0x160 rsp+8; 0x180 none", 2, 0, 0);
	memcpy(file.code + 0x140, "\xf3\x0f\x1e\xfa\x48\x89\xe7", 7);
	header = file_finish();
	header->e_type = ET_DYN;
	header->e_entry = file.text + 0x140;
	expect("0 none; 0x100 rsp+8; 0x120 none; 0x140 end; 0x160 rsp+8; 0x180 none", 2, 0, 0);
}

static void test_outermost_calls(void **state)
{
	file_init();
	/* call *%r9; mov %eax,%edi; xor %eax,%eax; mov $60,%al; syscall */
	memcpy(file.code + 0x110, "\x41\xff\xd1\x89\xc7\x31\xc0\xb0\x3c\x0f\x05", 11);
	/* The result of a direct call, and another system call; where there is CFI. */
	memcpy(file.code + 0x1a0, "\xe8\1\1\1\1\x89\xc7\x31\xc0\xb0\x3c\x0f\x05", 13);
	memcpy(file.code + 0x1c0, "\xff\xd3\x89\xc7\x31\xc0\xb0\x3b\x0f\x05", 10);
	memcpy(file.code + 0x200, "\xff\xd3\x89\xc7\x31\xc0\xb0\x3c\x0f\x05", 10);
	eh_fde(0x1f0, 0x20, BYTES(CFA_NOP));
	file_finish();
	expect("0 none; 0x112 end; 0x11b none; 0x1f0 rsp+8; 0x210 none", 1, 0, 0);
}

static const struct plt_case {
	const char *name, *section;
	const uint8_t *header;
	size_t header_size;
	const uint8_t *entry;
	size_t entry_size;
	bool with_cfi;
	const char *rows;
} plt_cases[] = {
	{ "lld's PLT", ".plt", BYTES(0xff, 0x35), BYTES(0xff, 0x25), false,
	  "0 none; 0x2000 rsp+16; 0x2006 rsp+24; 0x2010 plt+11" },
	{ "lld's PLT with branch tracking", ".plt", BYTES(0xff, 0x35),
	  BYTES(0xf3, 0x0f, 0x1e, 0xfa, 0x68), false,
	  "0 none; 0x2000 rsp+16; 0x2006 rsp+24; 0x2010 plt+9" },
	{ "a PLT with CFI", ".plt", BYTES(0xff, 0x35), BYTES(0xff, 0x25), true,
	  "0 none; 0x2000 rsp+8" },
	{ "an unknown PLT", ".plt", BYTES(0xff, 0x35), BYTES(0x4c, 0x8b, 0x1d), false, "0 none" },
	{ "the second PLT of branch tracking", ".plt.sec",
	  BYTES(0xf3, 0x0f, 0x1e, 0xfa, 0xff, 0x25), NULL, 0, false, "0 none; 0x2000 rsp+8" },
	{ "the PLT of functions whose address is taken", ".plt.got", BYTES(0xff, 0x25), NULL, 0,
	  false, "0 none; 0x2000 rsp+8" },
};

static void plt_row(void **state)
{
	const struct plt_case *c = *state;

	file_init();
	file.plt_name = c->section;
	memcpy(file.plt, c->header, c->header_size);
	if (c->entry)
		memcpy(file.plt + 16, c->entry, c->entry_size);
	if (c->with_cfi)
		eh_fde(TEXT_BYTES, sizeof(file.plt), BYTES(CFA_NOP));
	file_finish();
	expect(c->rows, c->with_cfi, 0, 0);
}

static const struct init_case {
	const char *name, *section;
	const uint8_t *begin;
	size_t begin_size;
	const uint8_t *end;
	size_t end_size;
	const char *rows;
} init_cases[] = {
	{ "glibc's _init", ".init", BYTES(0x48, 0x83, 0xec, 0x08),
	  BYTES(0x48, 0x83, 0xc4, 0x08, 0xc3),
	  "0 none; 0x2000 rsp+8; 0x2004 rsp+16; 0x203f rsp+8" },
	{ "glibc's _fini with branch tracking", ".fini",
	  BYTES(0xf3, 0x0f, 0x1e, 0xfa, 0x48, 0x83, 0xec, 0x08),
	  BYTES(0x48, 0x83, 0xc4, 0x08, 0xc3),
	  "0 none; 0x2000 rsp+8; 0x2008 rsp+16; 0x203f rsp+8" },
	{ "musl's _init", ".init", BYTES(0x50), BYTES(0x58, 0xc3),
	  "0 none; 0x2000 rsp+8; 0x2001 rsp+16; 0x203f rsp+8" },
	{ "an _init that ends in another way", ".init", BYTES(0x48, 0x83, 0xec, 0x08),
	  BYTES(0x58, 0xc3), "0 none" },
};

static void init_row(void **state)
{
	const struct init_case *c = *state;

	file_init();
	file.plt_name = c->section;
	memcpy(file.plt, c->begin, c->begin_size);
	memcpy(file.plt + sizeof(file.plt) - c->end_size, c->end, c->end_size);
	file_finish();
	expect(c->rows, 0, 0, 0);
}

static void test_other_files(void **state)
{
	Elf64_Ehdr *header;

	file_init();
	file.eh.size = file.debug.size = 0;
	file_finish();
	expect("0 none", 0, 0, 0);
	file_init();
	eh_fde(0x100, 0x20, BYTES(CFA_NOP));
	header = file_finish();
	header->e_machine = EM_AARCH64;
	expect("0 none", 0, 0, 0);
}

static void test_full_pool(void **state)
{
	_cleanup_(rule_pool_freep) struct rule_pool *pool = rule_pool_new(2);
	_cleanup_(unwind_table_done) struct unwind_table table = { 0 };
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	file_init();
	eh_fde(0x10, 0x10, BYTES(PUSH, CFA_ADVANCE(1), CFA_DEF_CFA_OFFSET, 24));
	eh_fde(0x20, 0x10, BYTES(PUSH));
	file_finish();
	assert_int_equal(build(pool, &table), 0);
	write_table(&text, &table, pool);
	assert_string_equal(text.data, "0 none; 0x10 rsp+8; 0x11 none; 0x20 rsp+8; 0x21 none");
	assert_int_equal(table.stats.rules_dropped, 3);
}

/* Every kind of entry, for damage of all sorts. */
static void file_with_everything(void)
{
	uint64_t at;

	file_init();
	for (at = 0; at < 0x1800; at += 0x80) {
		eh_fde(at, 0x40, BYTES(PUSH, CFA_OFFSET(RBP), 2, CFA_ADVANCE1, 4,
				       CFA_DEF_CFA_REGISTER, RBP, CFA_REMEMBER_STATE,
				       CFA_ADVANCE2, 8, 0, CFA_DEF_CFA, RSP, 8, CFA_ADVANCE(1),
				       CFA_RESTORE_STATE));
		debug_fde(at + 0x40, 0x20, BYTES(CFA_DEF_CFA_EXPRESSION, 3, OP_BREG(RBP), 0x78,
						 OP_DEREF, CFA_EXPRESSION, RBP, 2,
						 OP_BREG(RBP), 0));
	}
	file_finish();
}

/* Whatever it is, it is built or refused, and every address has an answer. */
static void build_and_walk(void)
{
	_cleanup_(rule_pool_freep) struct rule_pool *pool = rule_pool_new(1000);
	_cleanup_(unwind_table_done) struct unwind_table table = { 0 };
	uint64_t offset;
	int r = build(pool, &table);

	assert_true(r == 0 || r == -EBADMSG || r == -EFBIG || r == -ENOEXEC);
	for (offset = 0; offset < TEXT_BYTES; offset += 3)
		assert_true(unwind_table_find(&table, file.text + offset) <
			    rule_pool_count(pool));
}

static void test_truncated(void **state)
{
	size_t eh_size, debug_size, size;

	file_with_everything();
	eh_size = file.eh.size;
	debug_size = file.debug.size;
	for (size = 0; size < eh_size; size++) {
		file.eh.size = size;
		file.debug.size = size < debug_size ? size : debug_size;
		file_finish();
		build_and_walk();
	}
}

static void test_flipped_bits(void **state)
{
	static struct file good;
	uint64_t seed = 42;
	int round, i;

	file_with_everything();
	good = file;
	for (round = 0; round < 3000; round++) {
		file = good;
		for (i = 0; i < 1 + round % 8; i++) {
			seed = seed * 6364136223846793005ull + 1442695040888963407ull;
			if (seed >> 63)
				file.eh.bytes[(seed >> 20) % file.eh.size] ^= 1 << (seed >> 60 & 7);
			else
				file.debug.bytes[(seed >> 20) % file.debug.size] ^=
					1 << (seed >> 60 & 7);
		}
		file_finish();
		build_and_walk();
	}
}

static int build_all(void *arg)
{
	_cleanup_(rule_pool_freep) struct rule_pool *pool = rule_pool_new(1000);
	_cleanup_(unwind_table_done) struct unwind_table table = { 0 };

	return pool ? build(pool, &table) : -ENOMEM;
}

static void test_no_memory(void **state)
{
	file_with_everything();
	assert_in_range(fail_alloc_each_or_not_missed(build_all, NULL), 8, 199);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("functions are found in any order", test_functions),
		UNIT_TEST("padding between functions is no gap", test_padding_is_no_gap),
		UNIT_TEST("of overlapping FDEs the first counts", test_overlaps),
		UNIT_TEST("code that is not in the file is left out", test_code_not_there),
		UNIT_TEST(".debug_frame fills what .eh_frame leaves", test_debug_frame_fills_gaps),
		UNIT_TEST("rows before the damage remain", test_damage_ends_a_function),
		UNIT_TEST("signal trampolines are known by their bytes", test_trampolines),
		UNIT_TEST("the entry of a program is the end", test_entry),
		UNIT_TEST("files without CFI have an empty table", test_other_files),
		UNIT_TEST("a full pool costs rows, not the table", test_full_pool),
		UNIT_TEST("every truncation is survived", test_truncated),
		UNIT_TEST("flipped bits are survived", test_flipped_bits),
		UNIT_TEST("musl's call of a thread's function ends a stack", test_outermost_calls),
		UNIT_TEST("without memory it says so", test_no_memory),
	};

	return unit_run_rows("plt", plt_row, UNIT_ROWS(plt_cases)) +
	       unit_run_rows("init", init_row, UNIT_ROWS(init_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
