/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cold_parts.h - which piece of code a jump out of a function leads to: its own cold part, or another.
 *
 * By the symbols of cold parts, or, in stripped code, by .eh_frame, where a part has an entry of its own
 * as a function has. Reads either when it is first asked for.
 */
#ifndef WICK_COLD_PARTS_H
#define WICK_COLD_PARTS_H

#include <stdbool.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"
#include "symbolizer/elf/module.h"

struct cold_parts;

struct code_range {
	uint64_t start, size;	/* ELF virtual address, bytes */
	bool by_symbol;		/* it is a cold part; else it may be a function */
};

/* @mod must outlive it. NULL when there is no memory. */
struct cold_parts *cold_parts_new(struct module *mod);
struct cold_parts *cold_parts_free(struct cold_parts *parts);
DEFINE_CLEANUP(struct cold_parts *, cold_parts_free)
/* What is around @address. Returns 0, -ENOENT when it is not known, -ENOMEM. */
int cold_parts_find(struct cold_parts *parts, uint64_t address, struct code_range *ret);

#endif
