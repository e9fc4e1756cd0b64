/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cfi_program.h - run the call frame instructions of an FDE, row by row.
 *
 * A row says, for a range of addresses, where the canonical frame address
 * (CFA), the caller's rbp and rbx and the return address are. Says what the CFI says;
 * what can be done with it is for cfi_rules.h. Allocates nothing; expressions
 * point into the section.
 */
#ifndef WICK_CFI_PROGRAM_H
#define WICK_CFI_PROGRAM_H

#include "profiler/unwind/cfi_reader.h"

/* How deep DW_CFA_remember_state may nest; compilers use one level. */
#define CFI_SAVED_MAX 16

enum cfi_kind {
	CFI_UNSPECIFIED,	/* nothing was said: same value, by the ABI */
	CFI_UNDEFINED,
	CFI_SAME_VALUE,
	CFI_OFFSET,		/* at CFA + offset */
	CFI_VALUE_OFFSET,	/* is CFA + offset */
	CFI_REGISTER,		/* is reg + offset */
	CFI_EXPRESSION,		/* at what the expression gives */
	CFI_VALUE_EXPRESSION,	/* is what the expression gives */
};

/* A register's value, or the CFA's (then CFI_REGISTER or CFI_VALUE_EXPRESSION). */
struct cfi_value {
	enum cfi_kind kind;
	uint32_t reg;		/* DWARF number */
	int64_t offset;
	const uint8_t *expression;	/* its length (ULEB128), then its operations */
};

struct cfi_state {
	struct cfi_value cfa, fp, rbx, return_address;
};

/* A CIE and the state its initial instructions leave, which all its FDEs begin with. */
struct cfi_common {
	struct cfi_cie cie;
	struct cfi_state initial;
};

/* A run of one FDE's program. */
struct cfi_run {
	const struct cfi_section *section;
	const struct cfi_common *common;
	struct cfi_cursor cursor;
	uint64_t function;	/* the FDE's start */
	uint64_t address, end;	/* where the next row starts; the FDE's end */
	struct cfi_state state;
	unsigned int saved_count;
	struct cfi_state saved[CFI_SAVED_MAX];
};

/* Read the CIE at @offset and run its instructions. Returns 0 or -EBADMSG. */
int cfi_common_read(const struct cfi_section *section, size_t offset, struct cfi_common *ret);

/* @section and @common must outlive the run. */
void cfi_run_start(struct cfi_run *run, const struct cfi_section *section,
		   const struct cfi_common *common, const struct cfi_fde *fde);
/*
 * Go to the next row: from *@ret_start to run->address (its end) the state is
 * run->state. Rows are in order, without gaps, never empty. Returns 1, 0
 * behind the last one, or -EBADMSG when the program is damaged from
 * run->address on.
 */
int cfi_run_next(struct cfi_run *run, uint64_t *ret_start);

#endif
