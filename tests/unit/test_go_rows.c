/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_go_rows.c - rules for Go code: a hand-made .gopclntab, damage, and the go command itself.
 */
#include "profiler/unwind/go_rows.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "profiler/unwind/unwind_table.h"
#include "tests/unit/elf_image.h"
#include "tests/unit/unit.h"

#define TEXT_BYTES 0x100
#define RULES_MAX 5000
#define DAMAGE_ROUNDS 20000

/* Offsets in the section. */
#define NAMES 0x80
#define VALUES 0x200
#define FUNCTIONS 0x280
#define TABLE_BYTES 0x580

/* Zigzag pairs from -1: nothing, 8 from byte 1 on, 24 from byte 4 on, nothing for the last byte. */
static const uint8_t framed[] = { 2, 1, 16, 3, 32, 27, 47, 1, 0 };
/* Nothing all along. */
static const uint8_t frameless[] = { 2, 32, 0 };

static const struct made_function {
	const char *name;
	const uint8_t *deltas;
	size_t deltas_size;
	uint32_t flags;
	uint8_t code[9];
} made[] = {
	{ "main.work", framed, sizeof(framed), 0, { 0x55, 0x48, 0x89, 0xe5 } },
	{ "runtime.goexit", frameless, sizeof(frameless), 5, { 0x90, 0xe8 } },
	{ "runtime.systemstack", framed, sizeof(framed), 6, { 0x55, 0x48, 0x89, 0xe5 } },
	{ "runtime.mcall", framed, sizeof(framed), 6, { 0x55, 0x48, 0x89, 0xe5 } },
	{ "runtime.sigtramp", framed, sizeof(framed), 5, { 0x90 } },
	{ "external", NULL, 0, 0, { 0x90 } },
	{ "runtime.sigreturn__sigaction", frameless, sizeof(frameless), 4,
	  { 0x48, 0xc7, 0xc0, 0x0f, 0x00, 0x00, 0x00, 0x0f, 0x05 } },
	{ "runtime.asyncPreempt", framed, sizeof(framed), 4, { 0x55, 0x48, 0x89, 0xe5 } },
};

#define MADE (sizeof(made) / sizeof(made[0]))
#define FUNCTION_BYTES 32

static struct elf_image img;
static uint8_t table_bytes[TABLE_BYTES], text_bytes[TEXT_BYTES];

static void put(size_t at, uint64_t value, size_t size)
{
	assert_true(at + size <= sizeof(table_bytes));
	memcpy(table_bytes + at, &value, size);
}

/* A table of Go @magic: 0xfffffffa, 0xfffffff0 or 0xfffffff1. */
static void make_table(uint32_t magic, uint64_t text)
{
	bool old = magic == 0xfffffffa;
	size_t word = old ? 8 : 4, flags = magic == 0xfffffff0 ? 37 : 41, names = 0, values = 1;
	uint64_t base = old ? text : 0, offset;
	size_t i, header = 8;

	memset(table_bytes, 0, sizeof(table_bytes));
	memset(text_bytes, 0xcc, sizeof(text_bytes));
	put(0, magic, 4);
	put(6, 1, 1);
	put(7, 8, 1);
	put(header, MADE, 8);
	header += old ? 16 : 24;
	put(header, NAMES, 8);
	put(header + 24, VALUES, 8);
	put(header + 32, FUNCTIONS, 8);
	for (i = 0; i <= MADE; i++) {
		offset = 2 * word * (MADE + 1) + i * 48;
		put(FUNCTIONS + i * 2 * word, base + i * FUNCTION_BYTES, word);
		if (i == MADE)
			break;
		put(FUNCTIONS + i * 2 * word + word, offset, word);
		offset += FUNCTIONS;
		put(offset + word, names, 4);
		put(offset + word + 12, made[i].deltas ? values : 0, 4);
		put(offset + flags, made[i].flags, 1);
		strcpy((char *)table_bytes + NAMES + names, made[i].name);
		names += strlen(made[i].name) + 1;
		if (made[i].deltas_size)
			memcpy(table_bytes + VALUES + values, made[i].deltas, made[i].deltas_size);
		values += made[i].deltas_size;
		memcpy(text_bytes + i * FUNCTION_BYTES, made[i].code, sizeof(made[i].code));
	}
}

static void make_file(uint32_t magic)
{
	uint64_t text = ELF_IMAGE_BASE + 0x1000;

	make_table(magic, text);
	elf_image_init(&img);
	elf_image_segment(&img, PT_LOAD, PF_X);
	assert_int_equal(elf_image_section(&img, ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR,
					   text_bytes, sizeof(text_bytes)), text);
	elf_image_segment(&img, PT_LOAD, 0);
	elf_image_section(&img, ".gopclntab", SHT_PROGBITS, SHF_ALLOC, table_bytes,
			  sizeof(table_bytes));
	elf_image_finish(&img, true);
}

/* ---- rules ---- */

static const struct layout_case {
	const char *name;
	uint32_t magic;
} layout_cases[] = {
	{ "the layout of Go 1.16", 0xfffffffa },
	{ "the layout of Go 1.18", 0xfffffff0 },
	{ "the layout of Go 1.20 to 1.26", 0xfffffff1 },
};

#define GO_RSP (UNWIND_CFA_RSP | UNWIND_RBX_LOST << UNWIND_RBX_SHIFT)

static const struct rule_at {
	uint64_t offset;
	struct unwind_rule rule;
} rules_expected[] = {
	{ 0, { .kind = GO_RSP, .cfa_offset = 8 } },
	{ 1, { .kind = GO_RSP, .cfa_offset = 16, .fp = UNWIND_FP_CFA, .fp_offset = -16 } },
	{ 4, { .kind = GO_RSP, .cfa_offset = 32, .fp = UNWIND_FP_CFA, .fp_offset = -16 } },
	{ 30, { .kind = GO_RSP, .cfa_offset = 32, .fp = UNWIND_FP_CFA, .fp_offset = -16 } },
	{ 31, { .kind = GO_RSP, .cfa_offset = 8 } },
	{ 32, { .kind = UNWIND_END } },
	{ 63, { .kind = UNWIND_END } },
	/* systemstack: before and behind its prologue, then without a frame again. */
	{ 64, { .kind = GO_RSP, .cfa_offset = 8 } },
	{ 65, { .kind = GO_RSP, .cfa_offset = 16 } },
	{ 68, { .kind = UNWIND_OTHER_STACK } },
	{ 94, { .kind = UNWIND_OTHER_STACK } },
	{ 95, { .kind = GO_RSP, .cfa_offset = 8 } },
	{ 96, { .kind = UNWIND_END } },
	{ 127, { .kind = UNWIND_END } },
	/* sigtramp, without a frame pointer: on to the signal frame. */
	{ 132, { .kind = GO_RSP, .cfa_offset = 32 } },
	{ 160, { .kind = UNWIND_NONE } },
	{ 190, { .kind = UNWIND_NONE } },
	/* The trampoline, from the byte before it on. */
	{ 191, { .kind = UNWIND_SIGNAL } },
	{ 200, { .kind = UNWIND_SIGNAL } },
	{ 201, { .kind = GO_RSP, .cfa_offset = 8 } },
	/* asyncPreempt: its caller called nothing. */
	{ 224, { .kind = GO_RSP, .cfa_offset = 8, .fp = UNWIND_INTERRUPTED } },
	{ 228, { .kind = GO_RSP, .cfa_offset = 32, .fp = UNWIND_FP_CFA | UNWIND_INTERRUPTED,
		 .fp_offset = -16 } },
};

static void test_layout(void **state)
{
	const struct layout_case *c = *state;
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	_cleanup_(rule_pool_freep) struct rule_pool *pool = rule_pool_new(100);
	struct unwind_table table;
	struct unwind_rule rule;
	size_t i;

	make_file(c->magic);
	assert_non_null(pool);
	assert_int_equal(elf_file_open_memory(img.bytes, img.size, &elf), 0);
	assert_int_equal(unwind_table_build(elf, pool, &table), 0);
	for (i = 0; i < sizeof(rules_expected) / sizeof(rules_expected[0]); i++) {
		rule = rule_pool_rule(pool, unwind_table_find(&table, ELF_IMAGE_BASE + 0x1000 +
							      rules_expected[i].offset));
		/* Go 1.16 knows no assembly but by name. */
		if (c->magic == 0xfffffffa && rules_expected[i].offset == 132)
			continue;
		if (memcmp(&rule, &rules_expected[i].rule, sizeof(rule)))
			print_message("at %lu: kind %u, cfa %d, fp %u %d\n",
				      (unsigned long)rules_expected[i].offset, rule.kind,
				      rule.cfa_offset, rule.fp, rule.fp_offset);
		assert_memory_equal(&rule, &rules_expected[i].rule, sizeof(rule));
	}
	unwind_table_done(&table);
}

/* ---- damage ---- */

static void build_any(size_t size)
{
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	_cleanup_(rule_pool_freep) struct rule_pool *pool = rule_pool_new(100);
	_cleanup_free_ uint8_t *copy = malloc(size);	/* so that a sanitizer sees its end */
	struct unwind_table table = { 0 };

	assert_non_null(copy);
	memcpy(copy, img.bytes, size);
	if (elf_file_open_memory(copy, size, &elf) < 0)
		return;
	unwind_table_build(elf, pool, &table);
	unwind_table_done(&table);
}

static void test_flipped_bytes(void **state)
{
	unsigned int seed = 1, round, flips;
	const size_t table_at = 0x1000 + TEXT_BYTES;
	uint8_t *byte;

	for (round = 0; round < DAMAGE_ROUNDS; round++) {
		make_file(layout_cases[round % 3].magic);
		for (flips = 1 + (unsigned int)rand_r(&seed) % 4; flips; flips--) {
			byte = &img.bytes[table_at + (size_t)rand_r(&seed) % TABLE_BYTES];
			*byte ^= (uint8_t)(1 + rand_r(&seed) % 255);
		}
		build_any(img.size);
	}
}

static void test_truncated(void **state)
{
	size_t size;

	make_file(0xfffffff1);
	for (size = 0; size <= img.size; size++)
		build_any(size);
}

/* ---- a real program ---- */

/* Opens GOROOT/bin/go, or skips. */
static int go_open(void)
{
	FILE *pipe = popen("go env GOROOT 2>/dev/null", "r");
	char path[1024] = "";
	int fd;

	assert_non_null(pipe);
	if (!fgets(path, sizeof(path) - 16, pipe))
		path[0] = '\0';
	pclose(pipe);
	path[strcspn(path, "\n")] = '\0';
	strcat(path, "/bin/go");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		print_message("skipped: there is no Go here\n");
		skip();
	}
	return fd;
}

/* Everywhere in the table's functions there is a rule, but where the linker says nothing. */
static void test_go_command(void **state)
{
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	_cleanup_(rule_pool_freep) struct rule_pool *pool = rule_pool_new(RULES_MAX);
	struct special_code code;
	struct unwind_table table;
	struct go_function function;
	struct go_table go;
	struct timespec start, end;
	uint64_t i, without = 0;
	int fd = go_open();

	assert_int_equal(elf_file_open_fd(fd, &elf), 0);
	close(fd);
	special_code_init(&code, elf);
	assert_int_equal(go_table_open(elf, &code, &go), 0);
	clock_gettime(CLOCK_MONOTONIC, &start);
	assert_int_equal(unwind_table_build(elf, pool, &table), 0);
	clock_gettime(CLOCK_MONOTONIC, &end);
	for (i = 0; i < go.count; i++) {
		assert_int_equal(go_table_function(&go, i, &function), 0);
		without += function.deltas && function.end > function.start &&
			   unwind_table_find(&table, function.start) == UNWIND_NONE;
	}
	print_message("%lu functions, %u rows, %u rules, %.1f ms\n", (unsigned long)go.count,
		      table.stats.rows, rule_pool_count(pool),
		      (double)(end.tv_sec - start.tv_sec) * 1e3 +
			      (double)(end.tv_nsec - start.tv_nsec) / 1e6);
	assert_true(go.count > 1000);
	assert_int_equal(without, 0);
	unwind_table_done(&table);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("flipped bytes do no harm", test_flipped_bytes),
		UNIT_TEST("a file cut off anywhere does no harm", test_truncated),
		UNIT_TEST("every function of the go command has rules", test_go_command),
	};

	return unit_run_rows("Go rows", test_layout, UNIT_ROWS(layout_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
