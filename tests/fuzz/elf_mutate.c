/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/elf_mutate.h"

#include <elf.h>
#include <stdbool.h>
#include <string.h>

/* libFuzzer's; not there in a replay, which calls nothing of this file. */
__attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t *bytes, size_t size, size_t max_size);

/* One of the section headers, chosen by @seed; false when there is none with bytes in the file. */
static bool choose_section(const uint8_t *bytes, size_t size, unsigned int seed, Elf64_Shdr *ret)
{
	Elf64_Ehdr header;
	size_t index;

	if (size < sizeof(header))
		return false;
	memcpy(&header, bytes, sizeof(header));
	if (!header.e_shnum || header.e_shoff > size ||
	    header.e_shnum > (size - header.e_shoff) / sizeof(*ret))
		return false;
	index = seed % header.e_shnum;
	memcpy(ret, bytes + header.e_shoff + index * sizeof(*ret), sizeof(*ret));
	return ret->sh_type != SHT_NOBITS && ret->sh_size && ret->sh_offset < size &&
	       ret->sh_size <= size - ret->sh_offset;
}

size_t elf_mutate(uint8_t *bytes, size_t size, size_t max_size, unsigned int seed)
{
	Elf64_Shdr section;

	if (seed % 8 == 0 || !choose_section(bytes, size, seed / 8, &section))
		return LLVMFuzzerMutate(bytes, size, max_size);
	/* What gets shorter leaves its old end behind; that too is a change. */
	LLVMFuzzerMutate(bytes + section.sh_offset, section.sh_size, section.sh_size);
	return size;
}
