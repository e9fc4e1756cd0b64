/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel_symbols.h - the kernel's symbols, read when they are first asked for and again when there are new ones.
 */
#ifndef WICK_KERNEL_SYMBOLS_H
#define WICK_KERNEL_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>
#include "symbolizer/kallsyms.h"

struct kernel_symbols;

/* @path is copied, NULL for /proc/kallsyms. NULL: no memory. */
struct kernel_symbols *kernel_symbols_new(const char *path);
struct kernel_symbols *kernel_symbols_free(struct kernel_symbols *kernel);
DEFINE_CLEANUP(struct kernel_symbols *, kernel_symbols_free)

/*
 * The symbol @address is in, good until the next call; @ret has no name when there is none.
 * Returns 0 or -ENOMEM.
 */
int kernel_symbols_find(struct kernel_symbols *kernel, uint64_t address,
			struct kallsyms_symbol *ret);
/* Modules and BPF programs may have come: at the first address outside of the core kernel they are read. */
void kernel_symbols_refresh(struct kernel_symbols *kernel);
/* Spent reading, and held. */
uint64_t kernel_symbols_load_ns(const struct kernel_symbols *kernel);
size_t kernel_symbols_bytes(const struct kernel_symbols *kernel);

#endif
