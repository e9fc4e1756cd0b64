/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/providers/provider.h"

const struct provider *const provider_table[] = {
	&dwarf_provider,
	/* Before symbols, whose names are taken for C's: "main.cold" would lose its end. */
	&gopclntab_provider,
	&elf_symtab_provider,
	&elf_dynsym_provider,
	/* It has what .dynsym has not. */
	&mini_debug_provider,
	/* Before the FDEs, because one of those covers the whole .plt. */
	&plt_stubs_provider,
	&fde_starts_provider,
};
const size_t provider_count = ARRAY_SIZE(provider_table);

_Static_assert(ARRAY_SIZE(provider_table) <= PROVIDERS_MAX,
	       "a module has a state for each provider");
