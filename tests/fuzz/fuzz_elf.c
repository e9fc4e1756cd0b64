/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_elf.c - any ELF file: its sections, symbols and needed libraries, and its unwind table. */
#include <stdlib.h>

#include "symbolizer/code/ifunc_slots.h"
#include "symbolizer/elf/needed_files.h"
#include "tests/fuzz/elf_checks.h"
#include "tests/fuzz/elf_mutate.h"
#include "tests/fuzz/fuzz.h"

static void ask_sections(struct elf_file *elf)
{
	static const char *const names[] = { ".text", ".eh_frame", ".debug_frame", ".gopclntab",
					     ".debug_info", ".gnu_debuglink", ".none" };
	struct elf_section section;
	struct elf_place place;
	uint64_t bytes;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		elf_file_place(elf, names[i], &place);
		if (!elf_file_section(elf, names[i], &section))
			fuzz_touch(section.bytes, section.size);
	}
	for (i = 0; !elf_file_text(elf, i, &section); i++)
		fuzz_touch(section.bytes, section.size);
	elf_file_debug_bytes(elf, &bytes);
	elf_file_offset_to_address(elf, 0x1010, &bytes);
}

static void ask_symbols(struct elf_file *elf, const char *table)
{
	_cleanup_free_ struct elf_symbol *symbols = NULL;
	struct elf_symbol_walk walk;
	struct elf_symbol symbol;
	long count, i;

	count = elf_file_symbols(elf, table, &symbols);
	for (i = 0; i < count; i++)
		fuzz_touch_text(symbols[i].name);
	if (elf_symbols_begin(elf, table, &walk) < 0)
		return;
	while (elf_symbols_next(&walk, &symbol))
		fuzz_check(symbol.address <= symbol.limit &&
				   symbol.size <= symbol.limit - symbol.address,
			   "a symbol ends behind its section");
}

static void ask_needed(const uint8_t *bytes, size_t size)
{
	_cleanup_(needed_files_done) struct needed_files needed = { 0 };
	_cleanup_(module_putp) struct module *mod = elf_check_module(bytes, size);

	needed_files_read(mod, &needed);
	fuzz_check(needed.count <= NEEDED_FILES_MAX, "too many libraries");
	for (size_t i = 0; i < needed.count; i++)
		fuzz_touch_text(needed.names[i]);
	if (needed.folders)
		fuzz_touch_text(needed.folders);
}

static void ask_slots(const uint8_t *bytes, size_t size)
{
	_cleanup_(module_putp) struct module *mod = elf_check_module(bytes, size);
	struct ifunc_slots slots = { 0 };

	ifunc_slots_read(mod, 0x1010, "f", &slots);
	fuzz_check(slots.count <= IFUNC_SLOTS_MAX, "too many slots");
	fuzz_touch(slots.addresses, slots.count * sizeof(slots.addresses[0]));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL, *image = NULL;
	_cleanup_close_ int fd = fuzz_file(bytes, size);

	/* An image in memory is what the vDSO is; a file is read into memory of its own. */
	if (elf_file_open_memory(bytes, size, &image) == 0)
		ask_sections(image);
	if (elf_file_open_fd(fd, &elf) < 0)
		return 0;
	fuzz_check(elf_file_build_id(elf)->size <= ELF_BUILD_ID_MAX, "a build ID is too long");
	ask_sections(elf);
	ask_symbols(elf, ".symtab");
	ask_symbols(elf, ".dynsym");
	elf_check_rows(elf);
	ask_needed(bytes, size);
	ask_slots(bytes, size);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max_size, unsigned int seed)
{
	return elf_mutate(bytes, size, max_size, seed);
}
