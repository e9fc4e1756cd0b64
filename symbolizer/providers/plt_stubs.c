/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * plt_stubs.c - names for the procedure linkage table: "puts@plt".
 *
 * A stub is an indirect jump through its slot of the GOT; the relocation that
 * fills this slot says whose stub it is. Reading the jump instead of counting
 * stubs makes this independent of the linker's layout. x86-64 only. Nothing
 * is kept in memory: stubs are few and rarely hot.
 */
#include <elf.h>
#include <errno.h>
#include <string.h>

#include "profiler/base/strbuf.h"
#include "symbolizer/names.h"
#include "symbolizer/providers/provider.h"

#define NAME_BYTES_MAX 8192
#define STUB_BYTES 16
#define RELOCATIONS_AT_ONCE 128

struct plt {
	struct module *mod;
	struct elf_place stubs[3];		/* size 0: the file has none */
	struct elf_place relocations[2];
	struct elf_place symbols, names;
};

/* A section that is missing or damaged has no stubs; only lack of memory is a failure. */
static int plt_find_sections(struct plt *plt, struct elf_file *elf)
{
	const struct {
		const char *section;
		struct elf_place *place;
	} wanted[] = {
		{ ".plt.sec", &plt->stubs[0] },
		{ ".plt", &plt->stubs[1] },
		{ ".plt.got", &plt->stubs[2] },
		{ ".rela.plt", &plt->relocations[0] },
		{ ".rela.dyn", &plt->relocations[1] },
		{ ".dynsym", &plt->symbols },
		{ ".dynstr", &plt->names },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(wanted); i++) {
		if (elf_file_place(elf, wanted[i].section, wanted[i].place) == -ENOMEM)
			return -ENOMEM;
	}
	return 0;
}

static int plt_open(struct module *mod, void **ret)
{
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	_cleanup_free_ struct plt *plt = NULL;
	int r;

	r = module_open(mod, &elf);
	if (r < 0)
		return r;
	if (elf_file_machine(elf) != EM_X86_64 || elf_file_class(elf) != ELFCLASS64)
		return -ENOENT;
	plt = calloc(1, sizeof(*plt));
	if (!plt)
		return -ENOMEM;
	plt->mod = mod;
	r = plt_find_sections(plt, elf);
	if (r < 0)
		return r;
	*ret = take_ptr(plt);
	return 0;
}

/* The slot that the stub at @bytes, of address @start, jumps through. */
static bool stub_slot(const uint8_t *bytes, uint64_t start, uint64_t *ret)
{
	static const uint8_t endbr64[] = { 0xf3, 0x0f, 0x1e, 0xfa };
	size_t i = 0;
	int32_t distance;

	if (!memcmp(bytes, endbr64, sizeof(endbr64)))
		i += sizeof(endbr64);
	if (bytes[i] == 0xf2)		/* bnd */
		i++;
	if (bytes[i] != 0xff || bytes[i + 1] != 0x25)
		return false;
	memcpy(&distance, bytes + i + 2, sizeof(distance));
	*ret = start + i + 6 + (uint64_t)(int64_t)distance;
	return true;
}

/* The stub around @address and the slot it uses. Stubs of .plt.got may have 8 bytes. */
static int plt_find_stub(const struct plt *plt, uint64_t address, uint64_t *ret_start,
			 uint64_t *ret_slot)
{
	uint8_t bytes[STUB_BYTES];
	const struct elf_place *stubs;
	uint64_t offset, size, left;
	size_t i;
	int r;

	for (i = 0; i < ARRAY_SIZE(plt->stubs); i++) {
		stubs = &plt->stubs[i];
		if (address - stubs->address < stubs->size)
			break;
	}
	if (i == ARRAY_SIZE(plt->stubs))
		return -ENOENT;
	for (size = 8; size <= STUB_BYTES; size *= 2) {
		offset = (address - stubs->address) & ~(size - 1);
		left = stubs->size - offset;
		if (left > STUB_BYTES)
			left = STUB_BYTES;
		memset(bytes, 0, sizeof(bytes));
		r = module_read(plt->mod, stubs->offset + offset, bytes, left);
		if (r < 0)
			return r;
		*ret_start = stubs->address + offset;
		if (stub_slot(bytes, *ret_start, ret_slot))
			return 0;
	}
	return -ENOENT;
}

static int relocations_find(const struct plt *plt, const struct elf_place *place, uint64_t slot,
			    uint64_t *ret_symbol)
{
	Elf64_Rela relocations[RELOCATIONS_AT_ONCE];
	uint64_t count = place->size / sizeof(relocations[0]), i, part, type;
	size_t k;
	int r;

	for (i = 0; i < count; i += part) {
		part = count - i < RELOCATIONS_AT_ONCE ? count - i : RELOCATIONS_AT_ONCE;
		r = module_read(plt->mod, place->offset + i * sizeof(relocations[0]), relocations,
				part * sizeof(relocations[0]));
		if (r < 0)
			return r;
		for (k = 0; k < part; k++) {
			type = ELF64_R_TYPE(relocations[k].r_info);
			if (relocations[k].r_offset != slot ||
			    (type != R_X86_64_JUMP_SLOT && type != R_X86_64_GLOB_DAT))
				continue;
			*ret_symbol = ELF64_R_SYM(relocations[k].r_info);
			return 0;
		}
	}
	return -ENOENT;
}

static int plt_read_name(const struct plt *plt, uint64_t slot, char *buffer, size_t size)
{
	uint64_t index = 0;
	Elf64_Sym symbol;
	int r = -ENOENT;
	size_t i;
	long length;

	for (i = 0; i < ARRAY_SIZE(plt->relocations) && r == -ENOENT; i++)
		r = relocations_find(plt, &plt->relocations[i], slot, &index);
	if (r < 0)
		return r;
	if (!index || index >= plt->symbols.size / sizeof(symbol))
		return -ENOENT;
	r = module_read(plt->mod, plt->symbols.offset + index * sizeof(symbol), &symbol,
			sizeof(symbol));
	if (r < 0)
		return r;
	if (!symbol.st_name || symbol.st_name >= plt->names.size)
		return -ENOENT;
	length = module_read_text(plt->mod, plt->names.offset + symbol.st_name,
				  plt->names.size - symbol.st_name, buffer, size);
	return length < 0 ? (int)length : 0;
}

static const char *name_at_plt(struct names *names, const char *name)
{
	_cleanup_strbuf_ struct strbuf buf = STRBUF_INIT;

	strbuf_printf(&buf, "%s@plt", name);
	return buf.error ? NULL : names_text(names, buf.data);
}

static int plt_lookup(void *state, struct names *names, uint64_t address, struct frame *ret,
		      size_t max)
{
	const struct plt *plt = state;
	char name[NAME_BYTES_MAX];
	const char *function, *system_name;
	uint64_t start, slot;
	int r;

	r = plt_find_stub(plt, address, &start, &slot);
	if (r < 0)
		return r;
	r = plt_read_name(plt, slot, name, sizeof(name));
	if (r < 0)
		return r;
	r = names_symbol(names, name, ret);
	if (r < 0)
		return r;
	function = name_at_plt(names, ret->function);
	system_name = name_at_plt(names, ret->system_name);
	if (!function || !system_name)
		return -ENOMEM;
	ret->function = function;
	ret->system_name = system_name;
	ret->start = start;
	ret->origin = FRAME_DYNSYM;
	return 1;
}

static size_t plt_bytes(const void *state)
{
	return sizeof(struct plt);
}

const struct provider plt_stubs_provider = {
	.name = "PLT",
	.open = plt_open,
	.lookup = plt_lookup,
	.bytes = plt_bytes,
	.free = free,
};
