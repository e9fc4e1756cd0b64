/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * gopclntab.h - the functions of a Go program, one by one.
 */
#ifndef WICK_GOPCLNTAB_H
#define WICK_GOPCLNTAB_H

#include <stdint.h>
#include "profiler/base/cleanup.h"
#include "symbolizer/elf/module.h"

struct gopclntab;

struct gopclntab_function {
	uint64_t address;	/* ELF virtual address */
	uint64_t size;		/* up to the next function, padding included */
	const char *name;	/* lives as long as the table */
};

/* Returns 0, -ENOENT when @mod has no such table, -EOPNOTSUPP, -EBADMSG, -ENOMEM. */
int gopclntab_open(struct module *mod, struct gopclntab **ret);
struct gopclntab *gopclntab_close(struct gopclntab *go);
DEFINE_CLEANUP(struct gopclntab *, gopclntab_close)
uint64_t gopclntab_count(const struct gopclntab *go);
/* Function @index, by address. Returns 0 or -EBADMSG. */
int gopclntab_function(const struct gopclntab *go, uint64_t index, struct gopclntab_function *ret);

#endif
