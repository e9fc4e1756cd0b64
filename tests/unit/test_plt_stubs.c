/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <string.h>

#include "symbolizer/names.h"
#include "symbolizer/providers/provider.h"
#include "tests/unit/elf_image.h"
#include "tests/unit/fail_alloc.h"

static const struct provider *const provider = &plt_stubs_provider;

#define SLOT 0x500000ul

/*
 * Three stubs, for the slots SLOT + 8 * stub; puts has the first, a C++
 * function the second, nobody the third.
 */
struct stub_form {
	size_t size;		/* of a stub */
	size_t jump;		/* where in it "ff 25" is */
	uint8_t bytes[16];
};

static const struct stub_form classic = { 16, 0, { 0xff, 0x25, 0, 0, 0, 0, 0x68, [11] = 0xe9 } };
static const struct stub_form ibt = { 16, 4, { 0xf3, 0x0f, 0x1e, 0xfa, 0xff, 0x25 } };
static const struct stub_form ibt_bnd = { 16, 5, { 0xf3, 0x0f, 0x1e, 0xfa, 0xf2, 0xff, 0x25 } };
static const struct stub_form got = { 8, 0, { 0xff, 0x25, 0, 0, 0, 0, 0x66, 0x90 } };
static const struct stub_form lazy = { 16, 0, { 0xf3, 0x0f, 0x1e, 0xfa, 0x68 } };

static const struct stub_case {
	const char *name;
	const char *section;
	const struct stub_form *form;
	const char *relocations;
	uint32_t type;
	uint64_t place;		/* from the first stub */
	const char *expected;	/* NULL: none */
	const char *system_name;
} stub_cases[] = {
	{ "a stub of .plt", ".plt", &classic, ".rela.plt", R_X86_64_JUMP_SLOT, 0, "puts@plt",
	  "puts@plt" },
	{ "its last byte", ".plt", &classic, ".rela.plt", R_X86_64_JUMP_SLOT, 15, "puts@plt",
	  "puts@plt" },
	{ "a C++ function's stub", ".plt", &classic, ".rela.plt", R_X86_64_JUMP_SLOT, 16,
	  "add(int, int)@plt", "_Z3addii@plt" },
	{ "a stub without a relocation", ".plt", &classic, ".rela.plt", R_X86_64_JUMP_SLOT, 32,
	  NULL, NULL },
	{ "the byte behind the section", ".plt", &classic, ".rela.plt", R_X86_64_JUMP_SLOT, 48,
	  NULL, NULL },
	{ "a stub of .plt.sec", ".plt.sec", &ibt, ".rela.plt", R_X86_64_JUMP_SLOT, 20,
	  "add(int, int)@plt", "_Z3addii@plt" },
	{ "a stub with a bound prefix", ".plt.sec", &ibt_bnd, ".rela.plt", R_X86_64_JUMP_SLOT, 4,
	  "puts@plt", "puts@plt" },
	{ "a stub of .plt.got has eight bytes", ".plt.got", &got, ".rela.dyn", R_X86_64_GLOB_DAT, 8,
	  "add(int, int)@plt", "_Z3addii@plt" },
	{ "its last byte too", ".plt.got", &got, ".rela.dyn", R_X86_64_GLOB_DAT, 15,
	  "add(int, int)@plt", "_Z3addii@plt" },
	{ "another relocation fills no slot", ".plt.got", &got, ".rela.dyn", R_X86_64_RELATIVE, 8,
	  NULL, NULL },
	{ "a lazy half of a stub has no name", ".plt", &lazy, ".rela.plt", R_X86_64_JUMP_SLOT, 0,
	  NULL, NULL },
};

static uint64_t image_fill(struct elf_image *img, const struct stub_case *c)
{
	Elf64_Rela relocations[200] = { { 0 } };
	uint8_t stubs[48];
	uint64_t address;
	int32_t distance;
	size_t i;

	elf_image_init(img);
	elf_image_segment(img, PT_LOAD, PF_X);
	address = elf_image_next_address(img);
	for (i = 0; i < 3; i++) {
		memcpy(stubs + i * c->form->size, c->form->bytes, c->form->size);
		distance = (int32_t)(SLOT + 8 * i -
				     (address + i * c->form->size + c->form->jump + 6));
		if (c->form != &lazy)
			memcpy(stubs + i * c->form->size + c->form->jump + 2, &distance, 4);
	}
	elf_image_section(img, c->section, SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, stubs,
			  3 * c->form->size);
	/* They are read in parts: ours are at both ends of more than one. */
	relocations[0].r_offset = SLOT;
	relocations[0].r_info = ELF64_R_INFO(1ul, c->type);
	relocations[199].r_offset = SLOT + 8;
	relocations[199].r_info = ELF64_R_INFO(2ul, c->type);
	elf_image_section(img, c->relocations, SHT_RELA, SHF_ALLOC, relocations,
			  sizeof(relocations));
	elf_image_symbol(img, "puts", 0, 0, STB_GLOBAL, STT_FUNC, SHN_UNDEF);
	elf_image_symbol(img, "_Z3addii", 0, 0, STB_GLOBAL, STT_FUNC, SHN_UNDEF);
	elf_image_symbols(img, true);
	elf_image_finish(img, true);
	return address;
}

static void stub_row(void **state)
{
	const struct stub_case *c = *state;
	struct names *names = names_new();
	struct frame frame = { 0 };
	struct elf_image img;
	struct module *mod;
	void *plt = NULL;
	uint64_t address;

	address = image_fill(&img, c);
	mod = elf_image_module(img.bytes, img.size);
	assert_int_equal(provider->open(mod, &plt), 0);
	assert_int_equal(provider->lookup(plt, names, address + c->place, &frame, 1),
			 c->expected ? 1 : -ENOENT);
	if (c->expected) {
		assert_string_equal(frame.function, c->expected);
		assert_string_equal(frame.system_name, c->system_name);
		assert_int_equal(frame.start, address + c->place / c->form->size * c->form->size);
		assert_int_equal(frame.origin, FRAME_DYNSYM);
	}
	assert_int_equal(provider->lookup(plt, names, address - 1, &frame, 1), -ENOENT);
	provider->free(plt);
	names_free(names);
	module_put(mod);
}

static void test_other_machine(void **state)
{
	struct elf_image img;
	struct module *mod;
	void *plt = NULL;

	image_fill(&img, &stub_cases[0]);
	((Elf64_Ehdr *)img.bytes)->e_machine = EM_AARCH64;
	mod = elf_image_module(img.bytes, img.size);
	assert_int_equal(provider->open(mod, &plt), -ENOENT);
	assert_null(plt);
	module_put(mod);
}

static int open_and_look(void *arg)
{
	struct names *names = names_new();
	struct module *mod = arg;
	struct frame frame = { 0 };
	void *plt;
	int r = -ENOMEM;

	if (names)
		r = provider->open(mod, &plt);
	if (r == 0) {
		r = provider->lookup(plt, names, ELF_IMAGE_BASE + 0x1010, &frame, 1);
		assert_true(provider->bytes(plt) > 0);
		provider->free(plt);
	}
	names_free(names);
	return r;
}

static void test_no_memory(void **state)
{
	struct elf_image img;
	struct module *mod;

	image_fill(&img, &stub_cases[0]);
	mod = elf_image_module(img.bytes, img.size);
	assert_true(fail_alloc_each(open_and_look, mod) > 5);
	module_put(mod);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("stubs of other machines are not known", test_other_machine),
		UNIT_TEST("lack of memory is reported", test_no_memory),
	};

	return unit_run_rows("stubs", stub_row, UNIT_ROWS(stub_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
