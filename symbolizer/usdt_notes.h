/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * usdt_notes.h - USDT probes of an ELF file: the notes in .note.stapsdt.
 *
 * The format is that of systemtap's <sys/sdt.h>, version 3; arguments are as in gas operands with their
 * size, "-4@%edi 8@24(%rsp) -1@$5 4@symbol(%rip)".
 */
#ifndef WICK_USDT_NOTES_H
#define WICK_USDT_NOTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"
#include "symbolizer/module.h"

#define USDT_ARGUMENTS_MAX 12

struct usdt_argument {
	uint8_t bytes;		/* 1, 2, 4, 8 */
	bool is_signed;
	bool is_float;		/* "8f@%xmm0": not read */
	enum { USDT_CONSTANT, USDT_REGISTER, USDT_MEMORY, USDT_UNKNOWN } kind;
	uint8_t reg;		/* DWARF number; of MEMORY its base */
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

/* Those of @mod whose provider and name match the globs (NULL: any). Returns 0, -ENOENT, -EBADMSG, -ENOMEM. */
int usdt_notes_read(struct module *mod, const char *provider, const char *name,
		    struct usdt_notes **ret);
struct usdt_notes *usdt_notes_free(struct usdt_notes *notes);
DEFINE_CLEANUP(struct usdt_notes *, usdt_notes_free)
size_t usdt_notes_count(const struct usdt_notes *notes);
const struct usdt_probe *usdt_notes_at(const struct usdt_notes *notes, size_t index);

#endif
