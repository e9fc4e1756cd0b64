/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * usdt_notes.h - USDT probes of an ELF file: the notes in .note.stapsdt.
 *
 * The format is that of systemtap's <sys/sdt.h>, version 3, of 64-bit files; arguments are operands of
 * gas for x86-64 with their size, "-4@%edi 8@24(%rsp) -1@$5 4@symbol(%rip)". A probe that was compiled
 * into several places is there once for each, in the order of the file. Probes whose place is not in the
 * file are left out.
 */
#ifndef WICK_USDT_NOTES_H
#define WICK_USDT_NOTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"
#include "symbolizer/elf/module.h"

#define USDT_ARGUMENTS_MAX 12
/* DWARF's number of rip, which at a probe is the address of the probe; the base of symbols. */
#define USDT_RIP 16
#define USDT_NO_REGISTER 0xff

struct usdt_argument {
	uint8_t bytes;		/* 1, 2, 4, 8; else UNKNOWN */
	bool is_signed;
	bool is_float;		/* "8f@%xmm0": UNKNOWN */
	enum usdt_kind {
		USDT_UNKNOWN,	/* not understood, or a symbol that is not found: not to be read */
		USDT_CONSTANT,
		USDT_REGISTER,
		USDT_MEMORY,	/* at reg + index_reg * index_scale + value */
	} kind;
	uint8_t reg;		/* DWARF number; of MEMORY its base, or USDT_RIP or USDT_NO_REGISTER */
	uint8_t reg_bytes;	/* of REGISTER: %al 1, %ax 2, … (with shift 8 for %ah) */
	uint8_t reg_shift;
	uint8_t index_reg, index_scale;	/* "(%rax,%rcx,8)"; scale 0: none */
	int64_t value;		/* CONSTANT: itself; MEMORY: what is added */
};

struct usdt_probe {
	const char *provider, *name;
	const char *arguments_text;
	uint64_t address;	/* ELF virtual address of the nop, prelink (.stapsdt.base) accounted for */
	uint64_t offset;	/* in the file */
	uint64_t semaphore_offset;	/* in the file; 0: it has none */
	uint8_t argument_count;
	struct usdt_argument arguments[USDT_ARGUMENTS_MAX];
};

struct usdt_notes;

/*
 * Those of @mod whose provider and name match the globs (NULL: any). Returns 0, -ENOENT, -EBADMSG when
 * none matches and some are damaged, -EOPNOTSUPP for a 32-bit file, -ENOMEM.
 */
int usdt_notes_read(struct module *mod, const char *provider, const char *name,
		    struct usdt_notes **ret);
struct usdt_notes *usdt_notes_free(struct usdt_notes *notes);
DEFINE_CLEANUP(struct usdt_notes *, usdt_notes_free)
size_t usdt_notes_count(const struct usdt_notes *notes);
const struct usdt_probe *usdt_notes_at(const struct usdt_notes *notes, size_t index);

#endif
