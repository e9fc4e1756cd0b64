/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/code/ifunc_slots.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

struct wanted {
	uint64_t resolver;
	const char *name;
	struct elf_section symbols, names;	/* size 0: there are none */
};

static bool has_name(const struct wanted *w, uint32_t offset)
{
	size_t size = strlen(w->name) + 1;

	return offset < w->names.size && w->names.size - offset >= size &&
	       !memcmp(w->names.bytes + offset, w->name, size);
}

static bool is_symbol(const struct wanted *w, uint64_t index)
{
	Elf64_Sym symbol;

	if (!index || index >= w->symbols.size / sizeof(symbol))
		return false;
	memcpy(&symbol, w->symbols.bytes + index * sizeof(symbol), sizeof(symbol));
	if (symbol.st_shndx != SHN_UNDEF)
		return w->resolver && symbol.st_value == w->resolver;
	return w->name && has_name(w, symbol.st_name);
}

static bool is_filled(const struct wanted *w, const Elf64_Rela *relocation)
{
	switch (ELF64_R_TYPE(relocation->r_info)) {
	case R_X86_64_IRELATIVE:
		return w->resolver && (uint64_t)relocation->r_addend == w->resolver;
	case R_X86_64_64:
		return !relocation->r_addend && is_symbol(w, ELF64_R_SYM(relocation->r_info));
	case R_X86_64_JUMP_SLOT:
	case R_X86_64_GLOB_DAT:
		return is_symbol(w, ELF64_R_SYM(relocation->r_info));
	default:
		return false;
	}
}

static void add_slots(const struct wanted *w, const struct elf_section *relocations,
		      struct ifunc_slots *ret)
{
	Elf64_Rela relocation;

	for (size_t at = 0; at + sizeof(relocation) <= relocations->size;
	     at += sizeof(relocation)) {
		memcpy(&relocation, relocations->bytes + at, sizeof(relocation));
		if (ret->count < IFUNC_SLOTS_MAX && is_filled(w, &relocation))
			ret->addresses[ret->count++] = relocation.r_offset;
	}
}

int ifunc_slots_read(struct module *mod, uint64_t resolver, const char *name,
		     struct ifunc_slots *ret)
{
	static const char *const tables[] = { ".rela.plt", ".rela.dyn" };
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	struct wanted w = { .resolver = resolver, .name = name };
	struct ifunc_slots slots = { 0 };
	struct elf_section section;
	int r = module_open(mod, &elf), failed = 0;

	if (r < 0)
		return r == -ENOENT ? -ENOEXEC : r;
	if (elf_file_machine(elf) != EM_X86_64 || elf_file_class(elf) != ELFCLASS64)
		return -ENOEXEC;
	/* A static program has neither. */
	if (elf_file_section(elf, ".dynsym", &w.symbols) == -ENOMEM ||
	    elf_file_section(elf, ".dynstr", &w.names) == -ENOMEM)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_SIZE(tables); i++) {
		r = elf_file_section(elf, tables[i], &section);
		if (!r)
			add_slots(&w, &section, &slots);
		else if (r != -ENOENT)
			failed = r == -ENOMEM ? r : -EBADMSG;
	}
	if (failed || !slots.count)
		return failed ?: -ENOENT;
	*ret = slots;
	return 0;
}
