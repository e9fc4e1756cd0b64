/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * provider.h - a source of names for the addresses of one module.
 *
 * A row of the provider table. Providers are tried in the order of the table;
 * each is opened at the first address that those before it did not know, and
 * knows nothing of the others. What open() makes is used by one thread and
 * freed before the module's last reference goes.
 */
#ifndef WICK_PROVIDER_H
#define WICK_PROVIDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "symbolizer/elf/module.h"
#include "symbolizer/symbolizer.h"

struct names;

/* More inlined calls than this at one address are cut at the outer end. */
#define PROVIDER_FRAMES_MAX 64

struct provider {
	const char *name;
	/* When @mod has none, its debug file may, which can be opened in its place. */
	bool in_debug_files;
	/* Read by libdw, which is not sure to survive what it reads. */
	bool by_libdw;
	/* Returns 0 with *@ret, -ENOENT when @mod has none of this, or an error. */
	int (*open)(struct module *mod, void **ret);
	/*
	 * The frames at @address, innermost first: 1 to @max, with texts from
	 * @names, into zeroed @ret. Returns how many, -ENOENT when it is not
	 * known here, -EBADMSG when the file is damaged there, -ENOMEM.
	 */
	int (*lookup)(void *state, struct names *names, uint64_t address, struct frame *ret,
		      size_t max);
	/* Memory held, for the limit of the cache. */
	size_t (*bytes)(const void *state);
	void (*free)(void *state);
};

extern const struct provider dwarf_provider;		/* dwarf.c */
extern const struct provider gopclntab_provider;	/* gopclntab.c */
extern const struct provider elf_symtab_provider;	/* elf_symbols.c */
extern const struct provider elf_dynsym_provider;
extern const struct provider mini_debug_provider;	/* mini_debug.c */
extern const struct provider plt_stubs_provider;	/* plt_stubs.c */
extern const struct provider fde_starts_provider;	/* fde_starts.c */

/* Best first. */
extern const struct provider *const provider_table[];
extern const size_t provider_count;

#define PROVIDERS_MAX 16

#endif
