/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fde_reader.h - which code an entry of .eh_frame is about.
 *
 * Reads only the headers of entries, never the unwind instructions. The
 * content may be hostile. 64-bit entries (which no linker writes, and which
 * the runtime does not know) are passed over.
 */
#ifndef WICK_FDE_READER_H
#define WICK_FDE_READER_H

#include <stdbool.h>
#include <stdint.h>
#include "symbolizer/elf/module.h"

struct fde_reader {
	struct module *mod;
	struct elf_place place;	/* of .eh_frame */
	const uint8_t *bytes;	/* the section in memory; NULL: read from the module's file */
	bool class32;
	/* The last CIE seen: thousands of FDEs share one. */
	uint64_t cie_address;	/* 0: none */
	uint8_t cie_encoding;	/* DW_EH_PE_* of the addresses in its FDEs */
};

struct fde {
	uint64_t start;		/* ELF address of the code; meaningless when size is 0 */
	uint64_t size;		/* 0: the entry is not an FDE, or is about nothing */
	uint64_t next;		/* address of the next entry */
};

/*
 * Decode the entry at @address of .eh_frame. Returns 0, -ENOENT at the end,
 * -EOPNOTSUPP for a form we do not know (next is still set then), -EBADMSG.
 */
int fde_read(struct fde_reader *reader, uint64_t address, struct fde *ret);

#endif
