/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "symbolizer/symbolizer.h"
#include "tests/unit/elf_image.h"
#include "tests/unit/fail_alloc.h"

#define TEXT_BYTES 0x100

/* Which header, and whether it says where the code begins (not since Go 1.26). */
struct layout {
	uint32_t magic;
	unsigned int entry_bytes;
	bool text_known;
};

static const struct layout go_1_16 = { 0xfffffffa, 8, true };
static const struct layout go_1_18 = { 0xfffffff0, 4, true };
static const struct layout go_1_20 = { 0xfffffff1, 4, true };
static const struct layout go_1_26 = { 0xfffffff1, 4, false };
static const struct layout go_1_12 = { 0xfffffffb, 8, true };

struct table {
	uint8_t bytes[1024];
	size_t size;
};

static void put(struct table *table, uint64_t value, unsigned int size)
{
	memcpy(table->bytes + table->size, &value, size);
	table->size += size;
}

static void put_at(struct table *table, size_t offset, uint64_t value, unsigned int size)
{
	memcpy(table->bytes + offset, &value, size);
}

static const char names[] = "\0_rt0_amd64_linux\0main.cold\0main.run";
static const uint32_t name_offsets[] = { 1, 18, 28 };
static const uint32_t starts[] = { 0x0, 0x10, 0x30, 0x60 };
static const char files[] = "/go/rt0.s\0/go/main.go";
static const uint32_t file_offsets[] = { 0, 10 };
/*
 * At 1: file 1 for 0x40 bytes. At 4: line 7 for 4 bytes, line 5 for 0x3c. At
 * 10: file 0. Offset 0 is a table of nothing. Differences start from -1.
 */
static const uint8_t values[] = { 0, 4, 0x40, 0, 16, 4, 3, 0x3c, 0, 0, 2, 0x40, 0 };

/* @function and the offset of its description, from the start of the function table. */
static void put_function(struct table *table, const struct layout *layout, uint64_t text,
			 size_t first, unsigned int i)
{
	put_at(table, first + i * 2 * layout->entry_bytes + layout->entry_bytes,
	       table->size - first, layout->entry_bytes);
	put(table, layout->entry_bytes == 8 ? text + starts[i] : starts[i], layout->entry_bytes);
	put(table, name_offsets[i], 4);
	table->size += 12;			/* arguments, deferred calls, stack depth */
	put(table, i ? 1 : 10, 4);		/* files */
	put(table, 4, 4);			/* lines */
	put(table, 0, 4);
	put(table, 0, 4);			/* first of the unit's files */
}

static void table_build(struct table *table, const struct layout *layout, uint64_t text)
{
	unsigned int word, i;
	size_t first;

	*table = (struct table){ 0 };
	put(table, layout->magic, 4);
	put(table, 0x08010000, 4);
	put(table, 3, 8);			/* functions */
	put(table, 2, 8);			/* files */
	if (layout->entry_bytes == 4)
		put(table, layout->text_known ? text : 0, 8);
	word = (unsigned int)table->size;
	table->size += 5 * sizeof(uint64_t);
	put_at(table, word, table->size, 8);
	memcpy(table->bytes + table->size, names, sizeof(names));
	table->size += sizeof(names);
	put_at(table, word + 8, table->size, 8);
	for (i = 0; i < 2; i++)
		put(table, file_offsets[i], 4);
	put_at(table, word + 16, table->size, 8);
	memcpy(table->bytes + table->size, files, sizeof(files));
	table->size += sizeof(files);
	put_at(table, word + 24, table->size, 8);
	memcpy(table->bytes + table->size, values, sizeof(values));
	table->size += sizeof(values);
	first = table->size;
	put_at(table, word + 32, first, 8);
	for (i = 0; i < 4; i++) {
		put(table, layout->entry_bytes == 8 ? text + starts[i] : starts[i],
		    layout->entry_bytes);
		put(table, 0, layout->entry_bytes);
	}
	for (i = 0; i < 3; i++)
		put_function(table, layout, text, first, i);
}

/* A stripped program of Go, whose entry is @entry bytes into .text, at the address returned. */
static uint64_t image_build(struct elf_image *img, const struct layout *layout, uint64_t entry)
{
	static const uint8_t code[TEXT_BYTES];
	struct table table;
	uint64_t text;

	elf_image_init(img);
	elf_image_segment(img, PT_LOAD, PF_R | PF_X);
	text = elf_image_section(img, ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, code,
				 sizeof(code));
	elf_image_segment(img, PT_LOAD, PF_R);
	table_build(&table, layout, text);
	elf_image_section(img, ".gopclntab", SHT_PROGBITS, SHF_ALLOC, table.bytes, table.size);
	elf_image_finish(img, true);
	((Elf64_Ehdr *)img->bytes)->e_entry = text + entry;
	return text;
}

static const struct lookup_case {
	const char *name;
	const struct layout *layout;
	uint64_t entry;		/* of the program, in .text */
	uint64_t place;		/* in .text */
	const char *function;
	uint64_t start;
	const char *file;	/* NULL: none */
	uint32_t line;
} lookup_cases[] = {
	{ "Go 1.16", &go_1_16, 0, 0x31, "main.run", 0x30, "/go/main.go", 7 },
	{ "Go 1.18", &go_1_18, 0, 0x31, "main.run", 0x30, "/go/main.go", 7 },
	{ "Go 1.20", &go_1_20, 0, 0x31, "main.run", 0x30, "/go/main.go", 7 },
	{ "Go 1.26", &go_1_26, 0, 0x31, "main.run", 0x30, "/go/main.go", 7 },
	{ "the next line", &go_1_20, 0, 0x34, "main.run", 0x30, "/go/main.go", 5 },
	{ "no suffix is cut off", &go_1_20, 0, 0x2f, "main.cold", 0x10, "/go/main.go", 5 },
	{ "another file", &go_1_20, 0, 0, "_rt0_amd64_linux", 0, "/go/rt0.s", 7 },
	{ "behind the last function", &go_1_20, 0, 0x60, NULL, 0, NULL, 0 },
	{ "an older Go", &go_1_12, 0, 0x31, NULL, 0, NULL, 0 },
	{ "a start of code that nobody knows", &go_1_26, 0x10, 0x31, NULL, 0, NULL, 0 },
};

static void lookup_row(void **state)
{
	_cleanup_(symbolizer_freep) struct symbolizer *sym = symbolizer_new(NULL);
	const struct lookup_case *c = *state;
	struct elf_image img;
	uint64_t text = image_build(&img, c->layout, c->entry);
	struct module *mod = elf_image_module(img.bytes, img.size);
	struct frame frame;

	assert_int_equal(symbolizer_lookup(sym, mod, text + c->place, &frame, 1), 1);
	if (c->function) {
		assert_string_equal(frame.function, c->function);
		assert_int_equal(frame.start, text + c->start);
		assert_int_equal(frame.origin, FRAME_GO);
		assert_string_equal(frame.file, c->file);
		assert_int_equal(frame.line, c->line);
	} else {
		assert_int_equal(frame.origin, FRAME_UNKNOWN);
	}
	module_put(mod);
}

static void ask(const void *bytes, size_t size, uint64_t text)
{
	_cleanup_(symbolizer_freep) struct symbolizer *sym = symbolizer_new(NULL);
	struct module *mod = elf_image_module(bytes, size);
	struct frame frame;
	uint64_t place;

	for (place = 0; place < 0x70; place += 3)
		assert_int_equal(symbolizer_lookup(sym, mod, text + place, &frame, 1), 1);
	module_put(mod);
}

static void test_damage(void **state)
{
	static const struct layout *const layouts[] = { &go_1_16, &go_1_18, &go_1_26 };
	struct elf_image img, flipped;
	uint32_t random = 7;
	size_t place, flip;
	uint64_t text;
	int round;

	for (round = 0; round < 6000; round++) {
		text = image_build(&img, layouts[round % 3], 0);
		memcpy(&flipped, &img, sizeof(img));
		for (flip = 0; flip <= (size_t)round % 5; flip++) {
			random = random * 1103515245 + 12345;
			place = 0x1000 + TEXT_BYTES + (random >> 8) % 400;
			flipped.bytes[place] = random >> 31 ? 0xff : (uint8_t)(random >> 16);
		}
		ask(flipped.bytes, flipped.size, text);
	}
}

static int look_up(void *arg)
{
	_cleanup_(symbolizer_freep) struct symbolizer *sym = symbolizer_new(NULL);
	struct frame frame;
	int r;

	if (!sym)
		return -ENOMEM;
	r = symbolizer_lookup(sym, arg, ELF_IMAGE_BASE + 0x1031, &frame, 1);
	if (r >= 0)
		assert_string_equal(frame.function, "main.run");
	return r;
}

static void test_no_memory(void **state)
{
	struct elf_image img;
	struct module *mod;

	assert_int_equal(image_build(&img, &go_1_26, 0), ELF_IMAGE_BASE + 0x1000);
	mod = elf_image_module(img.bytes, img.size);
	assert_true(fail_alloc_each(look_up, mod) > 5);
	module_put(mod);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("damaged tables do no harm", test_damage),
		UNIT_TEST("lack of memory is reported", test_no_memory),
	};

	return unit_run_rows("lookup", lookup_row, UNIT_ROWS(lookup_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
