/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * elf_file.h - one opened ELF object: its identity, segments and sections.
 *
 * The only reader of ELF files. Knows nothing of processes, BPF or output
 * formats. Everything it returns points into the file's image or into memory
 * of its own and lives until elf_file_close(). The content may be hostile: a
 * damaged file gives -EBADMSG, never a read outside of it; sizes and offsets
 * are checked against the real file size, and a file that shrinks while open
 * must not crash the reader (sections are read by pread into memory, or the
 * image is copied). One thread at a time per object. x86-64 and 64-bit ELF
 * are decoded; a 32-bit object opens, has an identity and segments, and its
 * elf_file_class() says so.
 */
#ifndef WICK_ELF_FILE_H
#define WICK_ELF_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"

struct elf_file;

#define ELF_BUILD_ID_MAX 20

struct elf_build_id {
	uint8_t size;		/* 0: the object has none */
	uint8_t bytes[ELF_BUILD_ID_MAX];
};

/* A PT_LOAD segment. */
struct elf_segment {
	uint64_t offset;	/* in the file */
	uint64_t address;	/* ELF virtual address */
	uint64_t file_bytes;
	uint64_t memory_bytes;
	bool executable;
};

struct elf_section {
	const uint8_t *bytes;	/* decompressed when the file has it compressed */
	size_t size;
	uint64_t address;	/* ELF virtual address of the first byte, 0 when not loaded */
};

/*
 * Open the ELF object behind @fd, which is duplicated. Returns 0, -ENOEXEC
 * when it is not ELF, -EBADMSG when it is damaged, or a negative errno.
 */
int elf_file_open_fd(int fd, struct elf_file **ret);
/* The same for an image in memory (the vDSO); @image must outlive it. */
int elf_file_open_memory(const void *image, size_t size, struct elf_file **ret);
/* Returns NULL; elf_file_close(NULL) does nothing. */
struct elf_file *elf_file_close(struct elf_file *elf);
DEFINE_CLEANUP(struct elf_file *, elf_file_close)

const struct elf_build_id *elf_file_build_id(const struct elf_file *elf);
/* ELFCLASS64 or ELFCLASS32; EM_* ; ET_*; e_entry. */
int elf_file_class(const struct elf_file *elf);
int elf_file_machine(const struct elf_file *elf);
int elf_file_type(const struct elf_file *elf);
uint64_t elf_file_entry(const struct elf_file *elf);
const struct elf_segment *elf_file_segments(const struct elf_file *elf, size_t *ret_count);
/*
 * The ELF address of byte @offset of the file, by the PT_LOAD segment that
 * covers it (page-rounded as the kernel maps it; prefers an executable one).
 * Returns 0 or -ENOENT.
 */
int elf_file_offset_to_address(const struct elf_file *elf, uint64_t offset, uint64_t *ret);
/*
 * Where in the file the byte at ELF address @address is, by the PT_LOAD segment that has it there; an
 * executable one first. What uprobes are attached by. Returns 0 or -ENOENT.
 */
int elf_file_address_to_offset(const struct elf_file *elf, uint64_t address, uint64_t *ret);
/*
 * A section by name (".eh_frame", ".gopclntab"). When section headers are
 * missing, ".eh_frame_hdr" and ".eh_frame" are found through PT_GNU_EH_FRAME, and
 * ".gopclntab" by how it begins; it then goes on to the end of its segment.
 * Returns 0, -ENOENT, -EBADMSG, -EFBIG (more than 1 GiB), -ENOMEM. SHT_NOBITS
 * sections are -ENOENT.
 */
int elf_file_section(struct elf_file *elf, const char *name, struct elf_section *ret);

/* Where bytes are, for those who read only some of them. */
struct elf_place {
	uint64_t offset;	/* in the file */
	uint64_t size;		/* bytes in the file */
	uint64_t address;	/* ELF virtual address, 0 when not loaded */
};
/* As elf_file_section(), but reads nothing; a compressed section is -ENOENT. */
int elf_file_place(struct elf_file *elf, const char *name, struct elf_place *ret);
/* Whether there is such a section with bytes in the file, compressed or not: 1, 0 or -ENOMEM. */
int elf_file_has(struct elf_file *elf, const char *name);
/*
 * How many bytes of memory the sections of debug information take when all are
 * read and decompressed: a small file can hold gigabytes of zeros. Returns as
 * elf_file_section(), and -EFBIG too when one claims more than that allows.
 */
int elf_file_debug_bytes(struct elf_file *elf, uint64_t *ret);
/* For libdw, which reads by libelf; it must be done with it before elf_file_close(). */
struct Elf *elf_file_handle(struct elf_file *elf);
/*
 * The bytes of the @index'th executable PT_LOAD segment, counted from 0, for
 * byte pattern searches. Returns as elf_file_section(), -ENOENT past the last.
 */
int elf_file_text(struct elf_file *elf, size_t index, struct elf_section *ret);

/* A code symbol of .symtab or .dynsym: it is defined, and in an executable section. */
struct elf_symbol {
	uint64_t address;	/* ELF virtual address */
	uint64_t size;		/* bytes, not beyond @limit; 0 when the file does not say */
	uint64_t limit;		/* ELF virtual address of its section's end */
	const char *name;	/* not demangled; lives as long as @elf; NULL in a walk */
	uint32_t name_offset;	/* in the names of the walk */
	uint8_t binding;	/* STB_* */
	uint8_t type;		/* STT_FUNC, STT_GNU_IFUNC, STT_NOTYPE */
};
/*
 * All code symbols of ".symtab" or ".dynsym" (@section), unsorted. The array
 * is malloc'ed, the caller frees it. Returns how many, -ENOENT, -EBADMSG,
 * -EFBIG, -ENOMEM.
 */
long elf_file_symbols(struct elf_file *elf, const char *section, struct elf_symbol **ret);

/*
 * The same one by one, without reading the names: a program uses few of a
 * large library's symbols, and names are most of their bytes.
 */
struct elf_symbol_walk {
	struct elf_place names;	/* NUL-terminated texts; elf_symbol.name_offset counts from here */
	/* The rest is elf_symbols_next()'s. */
	struct elf_file *elf;
	void *symbols;
	size_t index, count, names_section;
};
/* Returns 0, -ENOENT, -EBADMSG, -EFBIG, -ENOMEM. */
int elf_symbols_begin(struct elf_file *elf, const char *section, struct elf_symbol_walk *ret);
bool elf_symbols_next(struct elf_symbol_walk *walk, struct elf_symbol *ret);

/* Any symbol with a name, of code or data, defined or imported. */
struct elf_name {
	const char *name;	/* lives as long as the file */
	uint64_t address;
	bool has_address;	/* it is in a section: neither imported nor absolute nor of a thread */
};
/* The same walk, from elf_symbols_begin() on, over those. */
bool elf_symbols_next_name(struct elf_symbol_walk *walk, struct elf_name *ret);

#endif
