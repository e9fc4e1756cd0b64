/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "symbolizer/names.h"
#include "symbolizer/providers/provider.h"
#include "tests/unit/elf_image.h"
#include "tests/unit/fail_alloc.h"

#define SYMBOLS_MAX 6

struct symbol_row {
	const char *name;
	uint64_t start;		/* from .text, which has 0x1000 bytes */
	uint64_t size;
	uint8_t binding;
	uint8_t type;
};

static const struct choice_case {
	const char *name;
	struct symbol_row symbols[SYMBOLS_MAX];
	uint64_t place;		/* from .text */
	const char *expected;	/* system_name; NULL: none */
	uint64_t start;
} choice_cases[] = {
	{ "the first byte is the function's", { { "f", 16, 32, STB_GLOBAL, STT_FUNC } },
	  16, "f", 16 },
	{ "the last byte is the function's", { { "f", 16, 32, STB_GLOBAL, STT_FUNC } },
	  47, "f", 16 },
	{ "the byte after it is not", { { "f", 16, 32, STB_GLOBAL, STT_FUNC } }, 48, NULL, 0 },
	{ "the byte before it is not", { { "f", 16, 32, STB_GLOBAL, STT_FUNC } }, 15, NULL, 0 },
	{ "an address below all code has no name", { { "f", 0, 32, STB_GLOBAL, STT_FUNC } },
	  -0x2000ul, NULL, 0 },
	{ "an address far above has no name", { { "f", 0, 32, STB_GLOBAL, STT_FUNC } },
	  1ul << 32, NULL, 0 },
	{ "an address at the end of the numbers has no name",
	  { { "f", 0, 32, STB_GLOBAL, STT_FUNC } }, -ELF_IMAGE_BASE - 0x1001, NULL, 0 },
	{ "the order in the file does not matter",
	  { { "c", 64, 16, STB_LOCAL, STT_FUNC }, { "a", 0, 16, STB_LOCAL, STT_FUNC },
	    { "b", 32, 16, STB_LOCAL, STT_FUNC } }, 40, "b", 32 },
	{ "global wins over weak",
	  { { "weak", 0, 16, STB_WEAK, STT_FUNC }, { "global", 0, 16, STB_GLOBAL, STT_FUNC } },
	  4, "global", 0 },
	{ "weak wins over local",
	  { { "weak", 0, 16, STB_WEAK, STT_FUNC }, { "local", 0, 16, STB_LOCAL, STT_FUNC } },
	  4, "weak", 0 },
	{ "a function wins over a label",
	  { { "label", 0, 16, STB_GLOBAL, STT_NOTYPE }, { "f", 0, 16, STB_LOCAL, STT_FUNC } },
	  4, "f", 0 },
	{ "of equal ones the last in the file wins",
	  { { "one", 0, 16, STB_GLOBAL, STT_FUNC }, { "two", 0, 16, STB_GLOBAL, STT_FUNC } },
	  4, "two", 0 },
	{ "glibc's private alias loses to any other",
	  { { "__GI_abort", 0, 16, STB_LOCAL, STT_FUNC }, { "abort", 0, 16, STB_LOCAL, STT_FUNC } },
	  4, "abort", 0 },
	{ "also when it is the better symbol",
	  { { "__GI_abort", 0, 16, STB_GLOBAL, STT_FUNC },
	    { "abort", 0, 16, STB_LOCAL, STT_FUNC } },
	  4, "abort", 0 },
	{ "alone it is better than nothing",
	  { { "__GI_abort", 0, 16, STB_LOCAL, STT_FUNC },
	    { "before", -16ul, 32, STB_LOCAL, STT_FUNC } },
	  4, "__GI_abort", 0 },
	{ "of aliases with other sizes the one that covers wins",
	  { { "short", 0, 16, STB_GLOBAL, STT_FUNC }, { "long", 0, 64, STB_LOCAL, STT_FUNC } },
	  32, "long", 0 },
	{ "of nested functions the inner one wins",
	  { { "outer", 0, 128, STB_GLOBAL, STT_FUNC }, { "inner", 32, 16, STB_LOCAL, STT_FUNC } },
	  40, "inner", 32 },
	{ "behind the inner one the outer one goes on",
	  { { "outer", 0, 128, STB_GLOBAL, STT_FUNC }, { "inner", 32, 16, STB_LOCAL, STT_FUNC } },
	  48, "outer", 0 },
	{ "behind two inner ones too",
	  { { "outer", 0, 128, STB_GLOBAL, STT_FUNC }, { "a", 32, 16, STB_LOCAL, STT_FUNC },
	    { "b", 64, 16, STB_LOCAL, STT_FUNC } }, 80, "outer", 0 },
	{ "also when the inner one is nested deeper",
	  { { "outer", 0, 128, STB_GLOBAL, STT_FUNC }, { "middle", 16, 64, STB_LOCAL, STT_FUNC },
	    { "inner", 32, 16, STB_LOCAL, STT_FUNC } }, 90, "outer", 0 },
	{ "of overlapping ones the nearest start wins",
	  { { "a", 0, 64, STB_GLOBAL, STT_FUNC }, { "b", 32, 64, STB_LOCAL, STT_FUNC } },
	  50, "b", 32 },
	{ "and the other's tail has no name",
	  { { "a", 0, 64, STB_GLOBAL, STT_FUNC }, { "b", 32, 64, STB_LOCAL, STT_FUNC } },
	  96, NULL, 0 },
	{ "a label without a size reaches to the next symbol",
	  { { "label", 0, 0, STB_LOCAL, STT_NOTYPE }, { "f", 64, 16, STB_LOCAL, STT_FUNC } },
	  63, "label", 0 },
	{ "but not beyond",
	  { { "label", 0, 0, STB_LOCAL, STT_NOTYPE }, { "f", 64, 16, STB_LOCAL, STT_FUNC } },
	  80, NULL, 0 },
	{ "the last label reaches to the section's end",
	  { { "label", 64, 0, STB_LOCAL, STT_NOTYPE } }, 0xfff, "label", 64 },
	{ "and no further", { { "label", 64, 0, STB_LOCAL, STT_NOTYPE } }, 0x1000, NULL, 0 },
	{ "a function without a size is as a label",
	  { { "_init", 0, 0, STB_GLOBAL, STT_FUNC }, { "f", 64, 16, STB_LOCAL, STT_FUNC } },
	  20, "_init", 0 },
	{ "a label inside of a function does not cut it",
	  { { "f", 0, 64, STB_LOCAL, STT_FUNC }, { "label", 32, 0, STB_GLOBAL, STT_NOTYPE } },
	  40, "f", 0 },
	{ "nor does it name what follows the function",
	  { { "f", 0, 64, STB_LOCAL, STT_FUNC }, { "label", 32, 0, STB_GLOBAL, STT_NOTYPE } },
	  70, NULL, 0 },
	{ "a label at a function's start does not name what follows it",
	  { { "__executable_start", 0, 0, STB_GLOBAL, STT_NOTYPE },
	    { "f", 0, 16, STB_LOCAL, STT_FUNC } },
	  20, NULL, 0 },
	{ "a label at a function's end names what follows",
	  { { "f", 0, 64, STB_LOCAL, STT_FUNC }, { "label", 64, 0, STB_LOCAL, STT_NOTYPE } },
	  70, "label", 64 },
	{ "of two labels the better one wins",
	  { { "local", 0, 0, STB_LOCAL, STT_NOTYPE }, { "global", 0, 0, STB_GLOBAL, STT_NOTYPE } },
	  4, "global", 0 },
	{ "a version is no part of the name",
	  { { "read@@GLIBC_2.2.5", 0, 16, STB_GLOBAL, STT_FUNC } }, 4, "read", 0 },
	{ "a name may begin with an at sign", { { "@f@V1", 0, 16, STB_GLOBAL, STT_FUNC } },
	  4, "@f", 0 },
	{ "an unknown binding is the worst",
	  { { "odd", 0, 16, 13, STT_FUNC }, { "local", 0, 16, STB_LOCAL, STT_FUNC } },
	  4, "local", 0 },
};

static void image_fill(struct elf_image *img, const struct symbol_row *symbols, bool dynamic,
		       uint64_t *ret_text)
{
	uint64_t text;
	size_t i;

	elf_image_init(img);
	/* Symbols may be a little before .text, if something executable is there. */
	elf_image_segment(img, PT_LOAD, PF_X);
	elf_image_section(img, ".init", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, NULL, 64);
	text = elf_image_section(img, ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, NULL,
				 0x1000);
	for (i = 0; i < SYMBOLS_MAX && symbols[i].name; i++)
		elf_image_symbol(img, symbols[i].name, text + symbols[i].start, symbols[i].size,
				 symbols[i].binding, symbols[i].type,
				 (int64_t)symbols[i].start < 0 ? 1 : 2);
	elf_image_symbols(img, dynamic);
	elf_image_finish(img, true);
	*ret_text = text;
}

static void choice_row(void **state)
{
	const struct provider *provider = &elf_symtab_provider;
	const struct choice_case *c = *state;
	struct module *mod;
	struct names *names = names_new();
	struct frame frame = { 0 };
	struct elf_image img;
	void *table = NULL;
	uint64_t text;
	int r;

	image_fill(&img, c->symbols, false, &text);
	mod = elf_image_module(img.bytes, img.size);
	assert_int_equal(provider->open(mod, &table), 0);
	r = provider->lookup(table, names, text + c->place, &frame, 1);
	assert_int_equal(r, c->expected ? 1 : -ENOENT);
	if (c->expected) {
		assert_string_equal(frame.system_name, c->expected);
		assert_int_equal(frame.start, text + c->start);
		assert_int_equal(frame.origin, FRAME_SYMTAB);
		assert_false(frame.inlined);
	}
	provider->free(table);
	names_free(names);
	module_put(mod);
}

static const struct symbol_row two[SYMBOLS_MAX] = {
	{ "_Z3addii.part.0", 0, 16, STB_GLOBAL, STT_FUNC },
	{ "f", 32, 16, STB_LOCAL, STT_FUNC },
};

static void test_dynsym(void **state)
{
	const struct provider *provider = &elf_dynsym_provider;
	struct names *names = names_new();
	struct frame frame = { 0 };
	struct elf_image img;
	struct module *mod;
	void *table = NULL;
	uint64_t text;

	image_fill(&img, two, true, &text);
	mod = elf_image_module(img.bytes, img.size);
	assert_int_equal(elf_symtab_provider.open(mod, &table), -ENOENT);
	assert_int_equal(provider->open(mod, &table), 0);
	assert_int_equal(provider->lookup(table, names, text + 4, &frame, 1), 1);
	assert_int_equal(frame.origin, FRAME_DYNSYM);
	assert_string_equal(frame.system_name, "_Z3addii.part.0");
	assert_string_equal(frame.function, "add(int, int)");
	assert_true(provider->bytes(table) > 0 && provider->bytes(table) < 1024);
	provider->free(table);
	names_free(names);
	module_put(mod);
}

/* Against a search through all symbols, as the rules say it. */
static const char *brute_force(const struct symbol_row *symbols, size_t count, uint64_t place)
{
	size_t best = count, i;

	for (i = 0; i < count; i++) {
		if (place < symbols[i].start || place >= symbols[i].start + symbols[i].size)
			continue;
		if (best == count || symbols[i].start > symbols[best].start ||
		    (symbols[i].start == symbols[best].start &&
		     (symbols[i].binding != STB_LOCAL || symbols[best].binding == STB_LOCAL)))
			best = i;
	}
	return best < count ? symbols[best].name : NULL;
}

static void test_random(void **state)
{
	const struct provider *provider = &elf_symtab_provider;
	struct names *names = names_new();
	struct symbol_row symbols[60];
	char texts[60][8];
	struct elf_image img;
	struct module *mod;
	struct frame frame;
	void *table = NULL;
	uint64_t text, place;
	uint32_t random = 1;
	const char *expected;
	int round, i;

	for (round = 0; round < 50; round++) {
		elf_image_init(&img);
		text = elf_image_code(&img, false);
		for (i = 0; i < 60; i++) {
			random = random * 1103515245 + 12345;
			snprintf(texts[i], sizeof(texts[i]), "f%d", i);
			symbols[i] = (struct symbol_row){ texts[i], random >> 16 & 0x1ff,
							  1 + (random >> 25), (random >> 10) % 2,
							  STT_FUNC };
			elf_image_symbol(&img, texts[i], text + symbols[i].start, symbols[i].size,
					 symbols[i].binding, STT_FUNC, 1);
		}
		elf_image_symbols(&img, false);
		elf_image_finish(&img, true);
		mod = elf_image_module(img.bytes, img.size);
		assert_int_equal(provider->open(mod, &table), 0);
		for (place = 0; place < 0x300; place++) {
			expected = brute_force(symbols, 60, place);
			if (provider->lookup(table, names, text + place, &frame, 1) != 1)
				assert_null(expected);
			else
				assert_string_equal(frame.system_name, expected);
		}
		provider->free(table);
		module_put(mod);
	}
	names_free(names);
}

static void test_long_name(void **state)
{
	const struct provider *provider = &elf_symtab_provider;
	struct symbol_row symbols[SYMBOLS_MAX] = { { NULL, 0, 16, STB_GLOBAL, STT_FUNC } };
	struct names *names = names_new();
	char text[3001];
	struct frame frame = { 0 };
	struct elf_image img;
	struct module *mod;
	void *table = NULL;
	uint64_t address;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	symbols[0].name = text;
	image_fill(&img, symbols, false, &address);
	mod = elf_image_module(img.bytes, img.size);
	assert_int_equal(provider->open(mod, &table), 0);
	assert_int_equal(provider->lookup(table, names, address, &frame, 1), 1);
	assert_string_equal(frame.function, text);
	provider->free(table);
	names_free(names);
	module_put(mod);
}

static void test_unending_name(void **state)
{
	const struct provider *provider = &elf_symtab_provider;
	struct names *names = names_new();
	struct frame frame = { 0 };
	struct elf_image img;
	struct module *mod;
	void *table = NULL;
	uint64_t text;

	image_fill(&img, two, false, &text);
	/* .strtab is the last but .shstrtab; its end is the end of the last name. */
	memset(img.bytes + img.sections[img.section_count - 2].sh_offset, 'x',
	       img.sections[img.section_count - 2].sh_size);
	mod = elf_image_module(img.bytes, img.size);
	assert_int_equal(provider->open(mod, &table), 0);
	assert_int_equal(provider->lookup(table, names, text, &frame, 1), -EBADMSG);
	provider->free(table);
	names_free(names);
	module_put(mod);
}

static int open_and_look(void *arg)
{
	const struct provider *provider = &elf_symtab_provider;
	struct names *names = names_new();
	struct module *mod = arg;
	struct frame frame = { 0 };
	void *table;
	int r = -ENOMEM;

	if (names)
		r = provider->open(mod, &table);
	if (r == 0) {
		r = provider->lookup(table, names, ELF_IMAGE_BASE + 0x1040, &frame, 1);
		provider->free(table);
	}
	names_free(names);
	return r;
}

static void test_no_memory(void **state)
{
	struct elf_image img;
	struct module *mod;
	uint64_t text;

	image_fill(&img, two, false, &text);
	mod = elf_image_module(img.bytes, img.size);
	assert_true(fail_alloc_each(open_and_look, mod) > 5);
	module_put(mod);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST(".dynsym is the same, and names are shown demangled", test_dynsym),
		UNIT_TEST("random symbols are found as by a search through all", test_random),
		UNIT_TEST("a long name is whole", test_long_name),
		UNIT_TEST("a name without an end is damage", test_unending_name),
		UNIT_TEST("lack of memory is reported", test_no_memory),
	};

	return unit_run_rows("choice", choice_row, UNIT_ROWS(choice_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
