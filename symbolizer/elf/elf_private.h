/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * elf_private.h - what the files behind elf_file.h share; nobody else includes it.
 */
#ifndef WICK_ELF_PRIVATE_H
#define WICK_ELF_PRIVATE_H

#include <gelf.h>
#include <libelf.h>

#include "symbolizer/elf/elf_file.h"

/*
 * The most that is read into memory at once. A sparse file costs its maker
 * nothing and could claim sections of terabytes.
 */
#define ELF_BYTES_MAX ((uint64_t)1 << 30)

struct elf_file {
	Elf *elf;
	int fd;			/* -1 for an image in memory */
	uint64_t file_bytes;	/* when it was opened */
	GElf_Ehdr header;
	struct elf_build_id build_id;
	struct elf_segment *segments;
	size_t segment_count;
	struct elf_place eh_frame_hdr;	/* by PT_GNU_EH_FRAME; size 0: none */
	GElf_Shdr *sections;	/* a copy: libelf changes its own when it decompresses */
	size_t section_count;
	bool sections_loaded;
};

/*
 * Why a libelf call failed that was made after errno = 0: libelf's own codes
 * are private to it, so anything but lack of memory or a bad disk is damage.
 */
int elf_failure(void);
/* @size bytes at file @offset, alive until the file is closed. */
int elf_chunk(struct elf_file *elf, uint64_t offset, uint64_t size, Elf_Type type,
	      Elf_Data **ret);
/* The first section called @name that has bytes in the file. Returns 0, -ENOENT, or an error. */
int elf_section_find(struct elf_file *elf, const char *name, size_t *ret_index);
/* The section headers, read at the first call. */
int elf_sections_load(struct elf_file *elf);

#endif
