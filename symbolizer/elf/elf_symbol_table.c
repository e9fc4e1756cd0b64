/* SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <limits.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "symbolizer/elf/elf_private.h"

/* The names of the table at @index, as a place to read from. */
static int elf_symbols_names(struct elf_file *elf, size_t index, struct elf_symbol_walk *walk)
{
	size_t names = elf->sections[index].sh_link;
	const GElf_Shdr *header;

	if (!names || names >= elf->section_count)
		return -EBADMSG;
	header = &elf->sections[names];
	if (header->sh_type != SHT_STRTAB || header->sh_flags & SHF_COMPRESSED ||
	    header->sh_offset > elf->file_bytes ||
	    header->sh_size > elf->file_bytes - header->sh_offset)
		return -EBADMSG;
	walk->names.offset = header->sh_offset;
	walk->names.size = header->sh_size;
	walk->names.address = header->sh_addr;
	walk->names_section = names;
	return 0;
}

int elf_symbols_begin(struct elf_file *elf, const char *section, struct elf_symbol_walk *ret)
{
	struct elf_symbol_walk walk = { .elf = elf };
	const GElf_Shdr *header;
	Elf_Data *data;
	size_t index;
	int r;

	/* Symbols of relocatable objects have no addresses yet. */
	if (elf->header.e_type == ET_REL)
		return -ENOENT;
	r = elf_section_find(elf, section, &index);
	if (r < 0)
		return r;
	header = &elf->sections[index];
	if (header->sh_type != SHT_SYMTAB && header->sh_type != SHT_DYNSYM)
		return -EBADMSG;
	if (header->sh_size > elf->file_bytes)
		return -EBADMSG;
	if (header->sh_size > ELF_BYTES_MAX)
		return -EFBIG;
	r = elf_symbols_names(elf, index, &walk);
	if (r < 0)
		return r;
	errno = 0;
	data = elf_getdata(elf_getscn(elf->elf, index), NULL);
	if (!data)
		return elf_failure();
	walk.symbols = data;
	if (data->d_buf)
		walk.count = data->d_size / gelf_fsize(elf->elf, ELF_T_SYM, 1, EV_CURRENT);
	*ret = walk;
	return 0;
}

/* Whether @symbol is code that can be found by address; fills @ret if so. */
static bool elf_symbol_decode(const struct elf_symbol_walk *walk, const GElf_Sym *symbol,
			      struct elf_symbol *ret)
{
	uint8_t type = GELF_ST_TYPE(symbol->st_info);
	const GElf_Shdr *section;
	uint64_t limit;

	if (type != STT_FUNC && type != STT_GNU_IFUNC && type != STT_NOTYPE)
		return false;
	if (symbol->st_shndx == SHN_UNDEF || symbol->st_shndx >= SHN_LORESERVE ||
	    symbol->st_shndx >= walk->elf->section_count || !symbol->st_name ||
	    symbol->st_name >= walk->names.size)
		return false;
	section = &walk->elf->sections[symbol->st_shndx];
	limit = section->sh_addr + section->sh_size;
	/* A label at the very end of a section (_etext) names no instruction. */
	if (!(section->sh_flags & SHF_EXECINSTR) || symbol->st_value < section->sh_addr ||
	    symbol->st_value >= limit)
		return false;
	*ret = (struct elf_symbol){
		.address = symbol->st_value,
		.size = symbol->st_size,
		.limit = limit,
		.name_offset = symbol->st_name,
		.binding = GELF_ST_BIND(symbol->st_info),
		.type = type,
	};
	if (ret->size > limit - ret->address)
		ret->size = limit - ret->address;
	return true;
}

bool elf_symbols_next(struct elf_symbol_walk *walk, struct elf_symbol *ret)
{
	GElf_Sym symbol;

	while (walk->index < walk->count && walk->index < INT_MAX) {
		if (!gelf_getsym(walk->symbols, (int)walk->index++, &symbol))
			return false;
		if (elf_symbol_decode(walk, &symbol, ret))
			return true;
	}
	return false;
}

bool elf_symbols_next_name(struct elf_symbol_walk *walk, struct elf_name *ret)
{
	const char *name;
	GElf_Sym symbol;

	while (walk->index < walk->count && walk->index < INT_MAX) {
		if (!gelf_getsym(walk->symbols, (int)walk->index++, &symbol))
			return false;
		name = elf_strptr(walk->elf->elf, walk->names_section, symbol.st_name);
		if (!name || !*name)
			continue;
		ret->name = name;
		ret->address = symbol.st_value;
		ret->has_address = symbol.st_shndx != SHN_UNDEF &&
				   (symbol.st_shndx < SHN_LORESERVE ||
				    symbol.st_shndx == SHN_XINDEX) &&
				   GELF_ST_TYPE(symbol.st_info) != STT_TLS;
		return true;
	}
	return false;
}

long elf_file_symbols(struct elf_file *elf, const char *section, struct elf_symbol **ret)
{
	_cleanup_free_ struct elf_symbol *symbols = NULL;
	size_t count = 0, capacity = 0;
	struct elf_symbol_walk walk;
	struct elf_symbol symbol;
	int r;

	r = elf_symbols_begin(elf, section, &walk);
	if (r < 0)
		return r;
	while (elf_symbols_next(&walk, &symbol)) {
		symbol.name = elf_strptr(elf->elf, walk.names_section, symbol.name_offset);
		if (!symbol.name || !*symbol.name)
			continue;
		r = alloc_grow(&symbols, &capacity, count + 1);
		if (r < 0)
			return r;
		symbols[count++] = symbol;
	}
	*ret = take_ptr(symbols);
	return (long)count;
}
