/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kallsyms.h - names for kernel addresses: core kernel, modules, BPF programs.
 *
 * A snapshot of /proc/kallsyms; code that is loaded later is not in it, or taken
 * for the end of what is before it in memory. Read-only once made.
 */
#ifndef WICK_KALLSYMS_H
#define WICK_KALLSYMS_H

#include <stddef.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"

struct kallsyms;

struct kallsyms_symbol {
	const char *name;	/* as in the file; this and module live as long as the snapshot */
	const char *module;	/* "[ext4]", "[bpf]"; NULL for the core kernel */
	uint64_t start;
};

/*
 * Read the file at @path. Returns 0, -EACCES when the kernel shows no
 * addresses (kernel.kptr_restrict), -ENOENT when there are no symbols, or a
 * negative errno.
 */
int kallsyms_read(const char *path, struct kallsyms **ret);
struct kallsyms *kallsyms_free(struct kallsyms *syms);
DEFINE_CLEANUP(struct kallsyms *, kallsyms_free)

/* The symbol that covers @address. Returns 0 or -ENOENT. */
int kallsyms_find(const struct kallsyms *syms, uint64_t address, struct kallsyms_symbol *ret);
size_t kallsyms_count(const struct kallsyms *syms);
size_t kallsyms_bytes(const struct kallsyms *syms);

#endif
