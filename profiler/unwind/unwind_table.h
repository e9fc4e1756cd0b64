/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unwind_table.h - .eh_frame, .debug_frame and .gopclntab of one ELF file as compact rows.
 *
 * A pure function of the file: knows no BPF maps, no processes. Input may be
 * hostile; a damaged section gives the rows before the damage and a count. The
 * table is what bpf/unwind_step.h's rules are looked up in, in the form
 * described here, both in the kernel and on the host.
 *
 * Form: 32-bit cells. First a directory of one cell per 4 KiB page of text,
 * then rows.
 *   directory cell   bits 31..10: index of the page's first row, in pairs of
 *                    cells, counted from the first cell after the directory;
 *                    bits 9..0: how many rows the page has
 *   row              bits 31..12: rule number; bits 11..0: offset in the page
 * A page that has rows starts with one at offset 0 (what governs its first
 * byte is repeated there), so that a look-up never leaves its page; rows of a
 * page never cross a block of UNWIND_BLOCK_CELLS, counted from the start of
 * the table, which is where the kernel's blocks begin. Rows hold until the next one; code
 * without unwind information has rule 0.
 */
#ifndef WICK_UNWIND_TABLE_H
#define WICK_UNWIND_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "bpf/unwind_abi.h"
#include "profiler/base/cleanup.h"
#include "symbolizer/elf/elf_file.h"

#define UNWIND_PAGE_SHIFT 12
#define UNWIND_BLOCK_CELLS 1024u
#define UNWIND_PAGE_ROWS_MAX 1023u
#define UNWIND_RULE_NUMBER_MAX ((1u << 20) - 1)

/* Rules of all modules, each once. Number 0 is UNWIND_NONE. Not thread-safe. */
struct rule_pool;

/* At most @limit rules, rule 0 included. NULL: no memory. */
struct rule_pool *rule_pool_new(uint32_t limit);
struct rule_pool *rule_pool_free(struct rule_pool *pool);
DEFINE_CLEANUP(struct rule_pool *, rule_pool_free)
/* The number of @rule, new or old. Returns 0, -ENOSPC when the pool is full, -ENOMEM. */
int rule_pool_add(struct rule_pool *pool, struct unwind_rule rule, uint32_t *ret);
struct unwind_rule rule_pool_rule(const struct rule_pool *pool, uint32_t number);
uint32_t rule_pool_count(const struct rule_pool *pool);
/* All rules as numbers, in order, for copying into the kernel. */
const uint64_t *rule_pool_numbers(const struct rule_pool *pool);

struct unwind_table_stats {
	uint64_t cfi_bytes;		/* of .eh_frame and .debug_frame read */
	uint32_t fdes, fdes_damaged, fdes_overlapping;
	uint32_t rows, rows_unsupported;
	uint32_t pages_overfull;	/* pages with more rows than fit: the rest has rule 0 */
	uint32_t rules_dropped;		/* rows given rule 0 because the pool was full */
};

struct unwind_table {
	uint64_t start;			/* ELF address of the first page, page-aligned */
	uint32_t page_count;		/* 0: the file has no unwind information */
	uint32_t *cells;
	size_t cell_count;
	struct unwind_table_stats stats;
};

/*
 * Build the table of @elf, adding its rules to @pool. A file without unwind
 * information gives an empty table and 0. Returns 0, -EBADMSG (not even the
 * headers could be read), -EFBIG (more rows than the form can hold), -ENOMEM.
 */
int unwind_table_build(struct elf_file *elf, struct rule_pool *pool, struct unwind_table *ret);
void unwind_table_done(struct unwind_table *table);

/* The rule for ELF @address, as in the kernel; rule 0 when there is none. */
uint32_t unwind_table_find(const struct unwind_table *table, uint64_t address);

#endif
