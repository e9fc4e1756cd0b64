/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * elf_image.h - small ELF files, built by hand in memory.
 *
 * Sections lie one after the other from offset 0x1000 on; what is loaded has
 * the address of its offset plus ELF_IMAGE_BASE. Sections that are added
 * between elf_image_segment() and the next one are in that segment.
 */
#ifndef WICK_ELF_IMAGE_H
#define WICK_ELF_IMAGE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "symbolizer/elf/module.h"

#define ELF_IMAGE_BASE 0x400000ul

struct elf_image {
	uint8_t bytes[32768];
	size_t size;
	Elf64_Phdr segments[8];
	Elf64_Half segment_count;
	Elf64_Shdr sections[24];
	Elf64_Half section_count;
	char names[512];	/* of sections */
	uint32_t names_size;
	Elf64_Sym symbols[64];
	size_t symbol_count;
	char strings[4096];	/* of symbols */
	uint32_t strings_size;
};

void elf_image_init(struct elf_image *img);
/* Begin a segment of @type (PT_LOAD, PT_NOTE, PT_GNU_EH_FRAME) and @flags (PF_X). */
void elf_image_segment(struct elf_image *img, uint32_t type, uint32_t flags);
/* Add a section; returns its ELF address. Its index is then section_count - 1. */
uint64_t elf_image_section(struct elf_image *img, const char *name, uint32_t type, uint64_t flags,
			   const void *bytes, size_t size);
/* Where the next section will be. */
uint64_t elf_image_next_address(const struct elf_image *img);
void elf_image_symbol(struct elf_image *img, const char *name, uint64_t address, uint64_t size,
		      uint8_t binding, uint8_t type, uint16_t section);
/* Write the symbols added so far as ".symtab" or ".dynsym", with ".strtab" or ".dynstr". */
void elf_image_symbols(struct elf_image *img, bool dynamic);
/* Write the headers; without @sections as after sstrip. */
void elf_image_finish(struct elf_image *img, bool sections);

/* ".note.gnu.build-id" of @size bytes 1, 2, 3 …, in a segment of its own. */
void elf_image_build_id(struct elf_image *img, uint32_t size);
/*
 * ".text" of 0x1000 bytes, and ".eh_frame" about it with FDEs for
 * [0x10, 0x40), [0x40, 0x50) and [0x80, 0x100); with @table also
 * ".eh_frame_hdr". Returns the address of ".text".
 */
uint64_t elf_image_code(struct elf_image *img, bool table);

/*
 * A whole file with something for every reader: elf_image_code() with its
 * table, a build ID of 20 bytes, "exported" [0x10, 0x20) and "hidden" [0x200,
 * 0x210) in .dynsym, "local.part.0" [0x20, 0x30) and "_ZN3foo3barEv" [0x200,
 * 0x210) in .symtab. Returns the address of ".text".
 */
uint64_t elf_image_sample(struct elf_image *img);

/* A module called "/lib/x.so" over the first @size bytes of the image. */
struct module *elf_image_module(const void *bytes, size_t size);

#endif
