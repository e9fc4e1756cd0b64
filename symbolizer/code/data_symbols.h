/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * data_symbols.h - addresses of symbols by their exact name, of data as of code.
 *
 * From .symtab, .dynsym and, when there is no .symtab, the separate debug file; opened when something
 * is looked up.
 */
#ifndef WICK_DATA_SYMBOLS_H
#define WICK_DATA_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"
#include "symbolizer/elf/module.h"

struct data_symbols;

/* @mod must outlive it. NULL when there is no memory. */
struct data_symbols *data_symbols_open(struct module *mod);
struct data_symbols *data_symbols_close(struct data_symbols *symbols);
DEFINE_CLEANUP(struct data_symbols *, data_symbols_close)
/*
 * The ELF virtual address of the symbol that is called the @size bytes of @name. Returns 0, -ENOENT, also
 * after many look-ups, each of which goes through all symbols, -ENOTUNIQ when several are called so,
 * -ENOMEM.
 */
int data_symbols_find(struct data_symbols *symbols, const char *name, size_t size, uint64_t *ret);

#endif
