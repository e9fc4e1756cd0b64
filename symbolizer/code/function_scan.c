/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/code/function_scan.h"

#include <elf.h>
#include <errno.h>
#include <string.h>

#include "symbolizer/elf/debug_files.h"
#include "symbolizer/elf/mini_debug.h"
#include "symbolizer/providers/gopclntab.h"

/* The symbols of @section of @mod, which are kept with its opened file. */
static int open_symbols(struct function_scan *scan, struct module *mod, const char *section)
{
	long count;
	int r;

	r = module_open(mod, &scan->file);
	if (r < 0)
		return r;
	count = elf_file_symbols(scan->file, section, &scan->symbols);
	if (count < 0)
		return (int)count;
	scan->count = (size_t)count;
	return 0;
}

static int open_symtab(struct function_scan *scan)
{
	int r = open_symbols(scan, scan->mod, ".symtab");

	scan->has_symtab = !r && scan->count;
	return r;
}

static int open_dynsym(struct function_scan *scan)
{
	return open_symbols(scan, scan->mod, ".dynsym");
}

static int open_mini_debug(struct function_scan *scan)
{
	size_t bytes;
	int r = mini_debug_read(scan->mod, &scan->other, &bytes);

	return r ?: open_symbols(scan, scan->other, ".symtab");
}

static int open_debug_file(struct function_scan *scan)
{
	int r;

	if (scan->has_symtab)
		return -ENOENT;
	r = debug_files_find(scan->mod, DEBUG_FOLDER, &scan->other);
	if (r < 0 || scan->other == scan->mod)
		return r < 0 ? r : -ENOENT;
	return open_symbols(scan, scan->other, ".symtab");
}

static int open_go(struct function_scan *scan)
{
	int r = gopclntab_open(scan->mod, &scan->go);

	if (r < 0)
		return r;
	scan->count = gopclntab_count(scan->go);
	return 0;
}

static int (*const tables[])(struct function_scan *scan) = {
	open_symtab, open_dynsym, open_mini_debug, open_debug_file, open_go,
};

static void table_close(struct function_scan *scan)
{
	free(scan->symbols);
	scan->symbols = NULL;
	scan->file = elf_file_close(scan->file);
	scan->other = module_put(scan->other);
	scan->go = gopclntab_close(scan->go);
	scan->index = scan->count = 0;
}

int function_scan_init(struct function_scan *scan, struct module *mod)
{
	*scan = (struct function_scan){ .mod = mod };
	return module_open(mod, &scan->elf);
}

void function_scan_done(struct function_scan *scan)
{
	table_close(scan);
	elf_file_close(scan->elf);
}

/* Element scan->index of the open table. */
static int read_element(const struct function_scan *scan, struct function_symbol *ret)
{
	struct gopclntab_function function;
	const struct elf_symbol *symbol;
	int r;

	if (!scan->go) {
		symbol = &scan->symbols[scan->index];
		*ret = (struct function_symbol){ .address = symbol->address,
						 .size = symbol->size,
						 .name = symbol->name,
						 .type = symbol->type,
						 .is_local = symbol->binding == STB_LOCAL };
		return 0;
	}
	r = gopclntab_function(scan->go, scan->index, &function);
	if (r < 0)
		return r;
	*ret = (struct function_symbol){ .address = function.address,
					 .size = function.size,
					 .name = function.name,
					 .type = STT_FUNC,
					 .is_go = true };
	return *ret->name ? 0 : -EBADMSG;
}

int function_scan_next(struct function_scan *scan, struct function_symbol *ret)
{
	int r;

	for (;;) {
		for (; scan->index < scan->count; scan->index++) {
			r = read_element(scan, ret);
			if (r == 0) {
				scan->index++;
				return 1;
			}
			scan->damage = r;
		}
		table_close(scan);
		if (scan->table >= ARRAY_SIZE(tables))
			return 0;
		r = tables[scan->table++](scan);
		if (r == -ENOMEM)
			return r;
		if (r < 0 && r != -ENOENT)
			scan->damage = r;
		if (r < 0)
			table_close(scan);
	}
}

bool function_symbol_is_cold(const struct function_symbol *symbol)
{
	const char *cold = symbol->is_local ? strstr(symbol->name + 1, ".cold") : NULL;

	return cold && (!cold[5] || cold[5] == '.');
}
