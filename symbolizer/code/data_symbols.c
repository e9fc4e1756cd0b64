/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/code/data_symbols.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "symbolizer/elf/debug_files.h"

/* Programs have a handful of such arguments; a hostile file could have a million, and as many symbols. */
#define LOOKUPS_MAX 1024

struct data_symbols {
	struct module *mod;
	struct module *debug;	/* where .symtab is, when not in mod; NULL: nowhere */
	struct elf_file *elf, *debug_elf;
	unsigned int lookups;
	bool is_open;
};

struct found {
	unsigned int count;
	uint64_t address;
};

struct data_symbols *data_symbols_open(struct module *mod)
{
	struct data_symbols *symbols = calloc(1, sizeof(*symbols));

	if (symbols)
		symbols->mod = mod;
	return symbols;
}

struct data_symbols *data_symbols_close(struct data_symbols *symbols)
{
	if (!symbols)
		return NULL;
	elf_file_close(symbols->elf);
	elf_file_close(symbols->debug_elf);
	module_put(symbols->debug);
	free(symbols);
	return NULL;
}

static int open_debug_file(struct data_symbols *symbols)
{
	int r = elf_file_has(symbols->elf, ".symtab");

	if (r)
		return r < 0 ? r : 0;
	r = debug_files_find(symbols->mod, DEBUG_FOLDER, &symbols->debug);
	if (r == 0)
		r = module_open(symbols->debug, &symbols->debug_elf);
	return r == -ENOMEM ? r : 0;
}

static int data_symbols_load(struct data_symbols *symbols)
{
	int r;

	if (symbols->is_open)
		return symbols->elf ? 0 : -ENOENT;
	symbols->is_open = true;
	r = module_open(symbols->mod, &symbols->elf);
	return r ?: open_debug_file(symbols);
}

/* What is at the same address twice is one. */
static int find_in(struct elf_file *elf, const char *section, const char *name, size_t size,
		   struct found *found)
{
	struct elf_symbol_walk walk;
	struct elf_name symbol;
	int r;

	r = elf ? elf_symbols_begin(elf, section, &walk) : -ENOENT;
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	while (elf_symbols_next_name(&walk, &symbol)) {
		if (!symbol.has_address || strncmp(symbol.name, name, size) || symbol.name[size])
			continue;
		if (found->count && found->address == symbol.address)
			continue;
		found->count++;
		found->address = symbol.address;
	}
	return 0;
}

int data_symbols_find(struct data_symbols *symbols, const char *name, size_t size, uint64_t *ret)
{
	struct found found = { 0 };
	int r;

	if (symbols->lookups++ >= LOOKUPS_MAX)
		return -ENOENT;
	r = data_symbols_load(symbols);
	r = r ?: find_in(symbols->elf, ".symtab", name, size, &found);
	r = r ?: find_in(symbols->elf, ".dynsym", name, size, &found);
	r = r ?: find_in(symbols->debug_elf, ".symtab", name, size, &found);
	if (r < 0)
		return r;
	if (found.count != 1)
		return found.count ? -ENOTUNIQ : -ENOENT;
	*ret = found.address;
	return 0;
}
