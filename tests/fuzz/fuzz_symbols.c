/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_symbols.c - names for addresses of any ELF file: DWARF, symbols, PLT, starts of FDEs. */
#include "tests/fuzz/elf_checks.h"
#include "tests/fuzz/elf_mutate.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	_cleanup_(module_putp) struct module *mod = elf_check_module(bytes, size);

	elf_check_names(mod);
	return 0;
}

size_t LLVMFuzzerCustomMutator(uint8_t *bytes, size_t size, size_t max_size, unsigned int seed)
{
	return elf_mutate(bytes, size, max_size, seed);
}
