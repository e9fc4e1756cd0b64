/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "symbolizer/elf/fde_reader.h"
#include "symbolizer/names.h"
#include "symbolizer/providers/provider.h"
#include "tests/unit/elf_image.h"
#include "tests/unit/fail_alloc.h"

static const struct provider *const provider = &fde_starts_provider;

/* The ways to the same FDEs. */
enum layout { TABLE, NO_TABLE, NO_SECTIONS };

static const struct layout_case {
	const char *name;
	enum layout layout;
} layout_cases[] = {
	{ "by the linker's table", TABLE },
	{ "without a table, by a walk over .eh_frame", NO_TABLE },
	{ "without section headers, by the program header", NO_SECTIONS },
};

static void layout_row(void **state)
{
	static const struct {
		uint64_t place;
		int64_t start;	/* -1: no FDE */
		const char *name;
	} wanted[] = {
		{ 0x0f, -1, NULL },
		{ 0x10, 0x10, "x.so+0x401010" },
		{ 0x3f, 0x10, "x.so+0x401010" },
		{ 0x40, 0x40, "x.so+0x401040" },
		{ 0x4f, 0x40, "x.so+0x401040" },
		{ 0x50, -1, NULL },
		{ 0x7f, -1, NULL },
		{ 0xff, 0x80, "x.so+0x401080" },
		{ 0x100, -1, NULL },
		{ -0x2000ul, -1, NULL },
		{ 1ul << 40, -1, NULL },
		{ 1ul << 63, -1, NULL },
	};
	const struct layout_case *c = *state;
	struct names *names = names_new();
	struct frame frame = { 0 };
	struct elf_image img;
	struct module *mod;
	void *table = NULL;
	uint64_t text;
	size_t i;

	elf_image_init(&img);
	text = elf_image_code(&img, c->layout != NO_TABLE);
	elf_image_finish(&img, c->layout != NO_SECTIONS);
	mod = elf_image_module(img.bytes, img.size);
	assert_int_equal(provider->open(mod, &table), 0);
	for (i = 0; i < ARRAY_SIZE(wanted); i++) {
		assert_int_equal(provider->lookup(table, names, text + wanted[i].place, &frame, 1),
				 wanted[i].name ? 1 : -ENOENT);
		if (!wanted[i].name)
			continue;
		assert_string_equal(frame.function, wanted[i].name);
		assert_ptr_equal(frame.function, frame.system_name);
		assert_int_equal(frame.start, text + wanted[i].start);
		assert_int_equal(frame.origin, FRAME_FDE);
	}
	provider->free(table);
	names_free(names);
	module_put(mod);
}

static void test_none(void **state)
{
	struct elf_image img;
	struct module *mod;
	void *table = NULL;

	elf_image_init(&img);
	elf_image_section(&img, ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, NULL, 64);
	elf_image_finish(&img, true);
	mod = elf_image_module(img.bytes, img.size);
	assert_int_equal(provider->open(mod, &table), -ENOENT);
	assert_null(table);
	module_put(mod);
}

/* One CIE, given by its bytes, and one FDE behind it, about [0x500000, 0x500020). */
static const struct cie_case {
	const char *name;
	uint8_t cie[32];	/* without length and id, padded with zeros */
	uint8_t encoding;
	int expected;
} cie_cases[] = {
	{ "no augmentation means addresses as they are", { 1, 0, 1, 0x78, 16 }, 0x00, 0 },
	{ "version 3 is read", { 3, 'z', 'R', 0, 1, 0x78, 16, 1, 0x1b }, 0x1b, 0 },
	{ "a personality is passed over",
	  { 1, 'z', 'P', 'L', 'R', 0, 1, 0x78, 16, 7, 0x9b, 1, 2, 3, 4, 0x1b, 0x1b }, 0x1b, 0 },
	{ "a large personality is passed over",
	  { 1, 'z', 'P', 'R', 0, 1, 0x78, 16, 10, 0x00, 1, 2, 3, 4, 5, 6, 7, 8, 0x1b }, 0x1b, 0 },
	{ "a signal frame is read", { 1, 'z', 'R', 'S', 0, 1, 0x78, 16, 1, 0x1b }, 0x1b, 0 },
	{ "alignments may have several bytes",
	  { 1, 'z', 'R', 0, 0x81, 0x00, 0xf8, 0x7f, 16, 1, 0x1b }, 0x1b, 0 },
	{ "eight bytes, relative, are read", { 1, 'z', 'R', 0, 1, 0x78, 16, 1, 0x1c }, 0x1c, 0 },
	{ "four bytes without a sign are read", { 1, 'z', 'R', 0, 1, 0x78, 16, 1, 0x03 }, 0x03, 0 },
	{ "another version is not known", { 7, 'z', 'R', 0, 1, 0x78, 16, 1, 0x1b }, 0x1b,
	  -EOPNOTSUPP },
	{ "another augmentation is not known", { 1, 'e', 'h', 0, 1, 0x78, 16 }, 0, -EOPNOTSUPP },
	{ "another letter is not known", { 1, 'z', 'X', 'R', 0, 1, 0x78, 16, 1, 0x1b }, 0x1b,
	  -EOPNOTSUPP },
	{ "a variable size is not known", { 1, 'z', 'R', 0, 1, 0x78, 16, 1, 0x01 }, 0x1b,
	  -EOPNOTSUPP },
	{ "relative to data is not known", { 1, 'z', 'R', 0, 1, 0x78, 16, 1, 0x3b }, 0x1b,
	  -EOPNOTSUPP },
	{ "an indirect address is not known", { 1, 'z', 'R', 0, 1, 0x78, 16, 1, 0x9b }, 0x1b,
	  -EOPNOTSUPP },
	{ "a personality of variable size is not known",
	  { 1, 'z', 'P', 'R', 0, 1, 0x78, 16, 7, 0x01, 1, 2, 3, 4, 0x1b }, 0x1b, -EOPNOTSUPP },
};

#define FRAMES_ADDRESS 0x600000ul
#define CODE_ADDRESS 0x500000ul

static void add_value(uint8_t *bytes, size_t *size, uint64_t value, size_t value_size)
{
	memcpy(bytes + *size, &value, value_size);
	*size += value_size;
}

static size_t frames_fill(uint8_t *bytes, const uint8_t *cie, uint8_t encoding)
{
	size_t format = (encoding & 0x07) == 3 ? 4 : 8, size = 0;
	uint64_t start = CODE_ADDRESS;

	add_value(bytes, &size, 36, 4);
	add_value(bytes, &size, 0, 4);
	memcpy(bytes + size, cie, 32);
	size += 32;
	add_value(bytes, &size, 28, 4);
	add_value(bytes, &size, size, 4);
	if (encoding & 0x10)
		start -= FRAMES_ADDRESS + size;
	add_value(bytes, &size, start, format);
	add_value(bytes, &size, 0x20, format);
	size = 72;
	add_value(bytes, &size, 0, 4);
	return size;
}

static void cie_row(void **state)
{
	const struct cie_case *c = *state;
	uint8_t bytes[80] = { 0 };
	struct fde_reader reader = { .bytes = bytes, .place = { .address = FRAMES_ADDRESS } };
	struct fde fde = { 0 };

	reader.place.size = frames_fill(bytes, c->cie, c->encoding);
	assert_int_equal(fde_read(&reader, FRAMES_ADDRESS, &fde), 0);
	assert_int_equal(fde.size, 0);
	assert_int_equal(fde.next, FRAMES_ADDRESS + 40);
	assert_int_equal(fde_read(&reader, fde.next, &fde), c->expected);
	assert_int_equal(fde.next, FRAMES_ADDRESS + 72);
	if (c->expected == 0) {
		assert_int_equal(fde.start, CODE_ADDRESS);
		assert_int_equal(fde.size, 0x20);
	}
	assert_int_equal(fde_read(&reader, FRAMES_ADDRESS + 72, &fde), -ENOENT);
	assert_int_equal(fde_read(&reader, FRAMES_ADDRESS + 76, &fde), -ENOENT);
	assert_int_equal(fde_read(&reader, FRAMES_ADDRESS + 77, &fde), -EBADMSG);
	assert_int_equal(fde_read(&reader, FRAMES_ADDRESS - 1, &fde), -EBADMSG);
}

/* Any bytes, at every size, with nothing behind them. */
static void test_random(void **state)
{
	struct fde_reader reader = { 0 };
	uint32_t random = 1;
	struct fde fde;
	uint8_t *bytes;
	size_t size, i;
	int round;

	for (round = 0; round < 20000; round++) {
		size = 1 + (size_t)round % 96;
		bytes = malloc(size);
		for (i = 0; i < size; i++) {
			random = random * 1103515245 + 12345;
			/* Small values make entries that lead somewhere. */
			bytes[i] = (uint8_t)(random >> 16 & (random & 0x100 ? 0xff : 0x1f));
			if (i % 4 && i < 8 && random & 0x200)
				bytes[i] = 0;
		}
		memset(&reader, 0, sizeof(reader));
		reader.bytes = bytes;
		reader.place.size = size;
		reader.place.address = round % 2 ? 0 : UINT64_MAX - 4096;
		for (i = 0; i < size; i++)
			fde_read(&reader, reader.place.address + i, &fde);
		free(bytes);
	}
}

static void test_hostile_table(void **state)
{
	struct names *names = names_new();
	struct elf_section hdr = { 0 };
	struct elf_file *elf = NULL;
	struct elf_image img, bad;
	struct frame frame = { 0 };
	struct module *mod;
	void *table = NULL;
	uint64_t text;
	size_t i;

	elf_image_init(&img);
	text = elf_image_code(&img, true);
	elf_image_finish(&img, true);
	assert_int_equal(elf_file_open_memory(img.bytes, img.size, &elf), 0);
	assert_int_equal(elf_file_section(elf, ".eh_frame_hdr", &hdr), 0);
	/* Each byte of the table wrong in turn: the FDE itself has the last word. */
	for (i = 0; i < hdr.size; i++) {
		bad = img;
		bad.bytes[hdr.bytes - img.bytes + i] ^= 0x55;
		mod = elf_image_module(bad.bytes, bad.size);
		table = NULL;
		if (provider->open(mod, &table) == 0) {
			if (provider->lookup(table, names, text + 0x44, &frame, 1) == 1)
				assert_string_equal(frame.function, "x.so+0x401040");
			provider->free(table);
		}
		module_put(mod);
	}
	elf_file_close(elf);
	names_free(names);
}

static int open_and_look(void *arg)
{
	struct names *names = names_new();
	struct module *mod = arg;
	struct frame frame = { 0 };
	void *table;
	int r = -ENOMEM;

	if (names)
		r = provider->open(mod, &table);
	if (r == 0) {
		r = provider->lookup(table, names, ELF_IMAGE_BASE + 0x1044, &frame, 1);
		assert_true(provider->bytes(table) > 0);
		provider->free(table);
	}
	names_free(names);
	return r;
}

static void test_no_memory(void **state)
{
	struct elf_image img;
	struct module *mod;
	int table;

	for (table = 0; table < 2; table++) {
		elf_image_init(&img);
		elf_image_code(&img, table);
		elf_image_finish(&img, true);
		mod = elf_image_module(img.bytes, img.size);
		assert_true(fail_alloc_each(open_and_look, mod) > 5);
		module_put(mod);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("a file without .eh_frame has none", test_none),
		UNIT_TEST("any bytes do no harm", test_random),
		UNIT_TEST("a damaged table misleads nobody", test_hostile_table),
		UNIT_TEST("lack of memory is reported", test_no_memory),
	};

	return unit_run_rows("layout", layout_row, UNIT_ROWS(layout_cases)) +
	       unit_run_rows("CIE", cie_row, UNIT_ROWS(cie_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
