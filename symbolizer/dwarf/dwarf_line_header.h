/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dwarf_line_header.h - what stands before a line program: its settings, folders and files.
 *
 * dwarf_lines.c's; the texts point into the sections.
 */
#ifndef WICK_DWARF_LINE_HEADER_H
#define WICK_DWARF_LINE_HEADER_H

#include "symbolizer/dwarf/dwarf_lines.h"
#include "symbolizer/elf/byte_reader.h"

struct dwarf_line_file {
	const char *name;
	uint64_t folder;	/* number */
};

struct dwarf_line_header {
	uint16_t version;
	uint8_t offset_bytes;	/* 4, or 8 in the 64-bit format */
	uint8_t address_bytes;
	uint8_t min_instruction_bytes;
	uint8_t line_range, opcode_base;
	int8_t line_base;
	const uint8_t *opcode_lengths;	/* of opcodes 1 to opcode_base - 1 */
	struct byte_reader program;
	/* Numbered from 0 in version 5, where folder 0 is the compilation's; before from 1. */
	struct dwarf_line_file *files;
	size_t file_count, file_capacity;
	const char **folders;
	size_t folder_count, folder_capacity;
};

/* @ret is zeroed; dwarf_line_header_done() it also after an error. */
int dwarf_line_header_read(const struct dwarf_line_source *source, uint64_t offset,
			   struct dwarf_line_header *ret);
void dwarf_line_header_done(struct dwarf_line_header *header);

/* For DW_LNE_define_file too. */
int dwarf_line_header_add_file(struct dwarf_line_header *header, const char *name,
			       uint64_t folder);

#endif
