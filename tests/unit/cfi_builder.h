/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cfi_builder.h - .eh_frame and .debug_frame, assembled by hand.
 *
 * CIEs have a code factor of 1, a data factor of -8, return address register
 * 16 and begin with CFA = rsp + 8, return address at CFA - 8, as all do.
 */
#ifndef WICK_CFI_BUILDER_H
#define WICK_CFI_BUILDER_H

#include "profiler/unwind/cfi_reader.h"

/* DW_CFA_* */
#define CFA_ADVANCE(n) (0x40 | (n))
#define CFA_OFFSET(reg) (0x80 | (reg))
#define CFA_RESTORE(reg) (0xc0 | (reg))
enum {
	CFA_NOP, CFA_SET_LOC, CFA_ADVANCE1, CFA_ADVANCE2, CFA_ADVANCE4, CFA_OFFSET_EXTENDED,
	CFA_RESTORE_EXTENDED, CFA_UNDEFINED, CFA_SAME_VALUE, CFA_REGISTER, CFA_REMEMBER_STATE,
	CFA_RESTORE_STATE, CFA_DEF_CFA, CFA_DEF_CFA_REGISTER, CFA_DEF_CFA_OFFSET,
	CFA_DEF_CFA_EXPRESSION, CFA_EXPRESSION, CFA_OFFSET_EXTENDED_SF, CFA_DEF_CFA_SF,
	CFA_DEF_CFA_OFFSET_SF, CFA_VAL_OFFSET, CFA_VAL_OFFSET_SF, CFA_VAL_EXPRESSION,
	CFA_GNU_ARGS_SIZE = 0x2e, CFA_GNU_NEGATIVE_OFFSET_EXTENDED = 0x2f,
};

/* DWARF numbers of registers */
enum { RAX, RDX, RCX, RBX, RSI, RDI, RBP, RSP, R8, R9, R10, R11, R12, R13, R14, R15, RIP };

/* DW_OP_* */
#define OP_LIT(n) (0x30 + (n))
#define OP_BREG(n) (0x70 + (n))
enum {
	OP_DEREF = 0x06, OP_AND = 0x1a, OP_MUL = 0x1e, OP_PLUS = 0x22, OP_PLUS_UCONST = 0x23,
	OP_SHL = 0x24, OP_GE = 0x2a, OP_BREGX = 0x92,
};

/* DW_EH_PE_pcrel | DW_EH_PE_sdata4: what gcc, clang and all linkers use. */
#define POINTER_USUAL 0x1b

/* An array and its size, for the two fields of a case. */
#define BYTES(...) (const uint8_t[]){ __VA_ARGS__ }, sizeof((const uint8_t[]){ __VA_ARGS__ })

struct cfi_builder {
	uint8_t bytes[32768];
	size_t size;
	uint64_t address;	/* of bytes[0] */
	bool debug_frame;
	bool wide;		/* 64-bit DWARF */
	uint8_t encoding;	/* of the next CIE's FDEs */
	uint8_t version;	/* of the next CIE */
	bool augmented;		/* it has 'z', its FDEs a length; by default in .eh_frame */
};

void cfi_builder_init(struct cfi_builder *b, uint64_t address, bool debug_frame);
/* Plain bytes, for what is not an entry. */
void cfi_builder_add(struct cfi_builder *b, const void *bytes, size_t size);
/*
 * A CIE with @letters ("R" is written by itself; 'S', 'P', 'L', 'B' besides)
 * and @program after the usual beginning. Returns its offset.
 */
size_t cfi_builder_cie(struct cfi_builder *b, const char *letters, const uint8_t *program,
		       size_t size);
/* An FDE for the code of @length bytes at @start. Returns its offset. */
size_t cfi_builder_fde(struct cfi_builder *b, size_t cie, uint64_t start, uint64_t length,
		       const uint8_t *program, size_t size);
struct cfi_section cfi_builder_section(const struct cfi_builder *b);

#endif
