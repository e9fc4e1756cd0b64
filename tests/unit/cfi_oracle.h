/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cfi_oracle.h - what libdw makes of a file's CFI, for comparison.
 *
 * To compare meanings and not notations, both sides are run on an imaginary
 * machine: registers of given values, memory whose every word is a hash of its
 * address. Both must come to the same caller.
 */
#ifndef WICK_CFI_ORACLE_H
#define WICK_CFI_ORACLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"

#define MACHINE_RIP 16
#define MACHINE_REGISTERS 17

struct machine {
	uint64_t regs[MACHINE_REGISTERS];	/* by DWARF number */
};

/* Stacks are low and what memory holds is high, so that every caller's frame is above. */
void machine_init(struct machine *m);
uint64_t machine_memory(uint64_t address);

/* A caller, as an unwinder finds it. */
struct oracle_caller {
	uint64_t cfa, fp, ip;
	/* libdw does not know that rbx is preserved (its ABI defaults name rax instead). */
	uint64_t rbx;
	bool fp_known, rbx_known;
	bool ends;		/* the return address is undefined */
	/* Whether the CFI is of the plain form nearly all has: register + offset, ip at CFA - 8. */
	bool plain;
	bool fp_plain;		/* and rbp in place, or at an offset from CFA, rbp or rsp */
	bool rbx_near;		/* and rbx within 14 words below the return address */
};

/* A range of addresses that libdw says the same of. */
struct oracle_row {
	uint64_t start, end;
	void *frame;
};

struct oracle;

/* The .eh_frame of @path, or its .debug_frame. NULL when it has none. */
struct oracle *oracle_open(const char *path, bool debug_frame);
struct oracle *oracle_close(struct oracle *oracle);
DEFINE_CLEANUP(struct oracle *, oracle_close)
/* The code of the @index'th FDE of all that describe code. Returns false behind the last. */
bool oracle_fde(const struct oracle *oracle, size_t index, uint64_t *ret_start,
		uint64_t *ret_end);
size_t oracle_fde_count(const struct oracle *oracle);
/* The row at @address; its frame is to be freed. Returns 0, or -1 when libdw has none. */
int oracle_row(struct oracle *oracle, uint64_t address, struct oracle_row *ret);
/* The caller, at @m's rip in @row. Returns 0, or -1 when libdw or the machine cannot say. */
int oracle_caller(const struct oracle_row *row, const struct machine *m,
		  struct oracle_caller *ret);

#endif
