/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/elf_image.h"

#include <assert.h>
#include <string.h>

/* Headers go before, as in every linked file. */
#define FIRST_OFFSET 0x1000
#define SECTION_ALIGN 16
#define TEXT_BYTES 0x1000

void elf_image_init(struct elf_image *img)
{
	memset(img, 0, sizeof(*img));
	img->size = FIRST_OFFSET;
	img->section_count = 1;
	img->names_size = 1;
	img->symbol_count = 1;
	img->strings_size = 1;
}

uint64_t elf_image_next_address(const struct elf_image *img)
{
	return ELF_IMAGE_BASE + img->size;
}

void elf_image_segment(struct elf_image *img, uint32_t type, uint32_t flags)
{
	assert(img->segment_count < sizeof(img->segments) / sizeof(img->segments[0]));
	img->segments[img->segment_count++] = (Elf64_Phdr){
		.p_type = type,
		.p_flags = flags,
		.p_offset = img->size,
		.p_vaddr = elf_image_next_address(img),
		.p_align = 4,
	};
}

uint64_t elf_image_section(struct elf_image *img, const char *name, uint32_t type, uint64_t flags,
			   const void *bytes, size_t size)
{
	uint64_t address = elf_image_next_address(img);
	Elf64_Phdr *segment;

	assert(img->section_count < sizeof(img->sections) / sizeof(img->sections[0]));
	assert(img->names_size + strlen(name) < sizeof(img->names));
	assert(img->size + size + SECTION_ALIGN <= sizeof(img->bytes));
	img->sections[img->section_count++] = (Elf64_Shdr){
		.sh_name = img->names_size,
		.sh_type = type,
		.sh_flags = flags,
		.sh_addr = flags & SHF_ALLOC ? address : 0,
		.sh_offset = img->size,
		.sh_size = size,
		.sh_addralign = SECTION_ALIGN,
	};
	strcpy(img->names + img->names_size, name);
	img->names_size += strlen(name) + 1;
	if (bytes)
		memcpy(img->bytes + img->size, bytes, size);
	if (type != SHT_NOBITS)
		img->size += (size + SECTION_ALIGN - 1) & ~(size_t)(SECTION_ALIGN - 1);
	if (img->segment_count && flags & SHF_ALLOC) {
		segment = &img->segments[img->segment_count - 1];
		segment->p_filesz = address + size - segment->p_vaddr;
		segment->p_memsz = segment->p_filesz;
	}
	return address;
}

void elf_image_symbol(struct elf_image *img, const char *name, uint64_t address, uint64_t size,
		      uint8_t binding, uint8_t type, uint16_t section)
{
	assert(img->symbol_count < sizeof(img->symbols) / sizeof(img->symbols[0]));
	assert(img->strings_size + strlen(name) < sizeof(img->strings));
	img->symbols[img->symbol_count++] = (Elf64_Sym){
		.st_name = img->strings_size,
		.st_info = ELF64_ST_INFO(binding, type),
		.st_shndx = section,
		.st_value = address,
		.st_size = size,
	};
	strcpy(img->strings + img->strings_size, name);
	img->strings_size += strlen(name) + 1;
}

void elf_image_symbols(struct elf_image *img, bool dynamic)
{
	uint64_t flags = dynamic ? SHF_ALLOC : 0;

	elf_image_section(img, dynamic ? ".dynsym" : ".symtab", dynamic ? SHT_DYNSYM : SHT_SYMTAB,
			  flags, img->symbols, img->symbol_count * sizeof(img->symbols[0]));
	img->sections[img->section_count - 1].sh_link = img->section_count;
	img->sections[img->section_count - 1].sh_entsize = sizeof(img->symbols[0]);
	elf_image_section(img, dynamic ? ".dynstr" : ".strtab", SHT_STRTAB, flags, img->strings,
			  img->strings_size);
	img->symbol_count = 1;
	img->strings_size = 1;
}

void elf_image_finish(struct elf_image *img, bool sections)
{
	Elf64_Ehdr header = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64, ELFDATA2LSB,
			     EV_CURRENT },
		.e_type = ET_DYN,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_entry = ELF_IMAGE_BASE + FIRST_OFFSET,
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phoff = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = img->segment_count,
		.e_shentsize = sizeof(Elf64_Shdr),
	};

	if (sections) {
		elf_image_section(img, ".shstrtab", SHT_STRTAB, 0, img->names,
				  img->names_size + sizeof(".shstrtab"));
		header.e_shoff = img->size;
		header.e_shnum = img->section_count;
		header.e_shstrndx = img->section_count - 1;
		assert(img->size + sizeof(img->sections) <= sizeof(img->bytes));
		memcpy(img->bytes + img->size, img->sections,
		       img->section_count * sizeof(img->sections[0]));
		img->size += img->section_count * sizeof(img->sections[0]);
	}
	memcpy(img->bytes, &header, sizeof(header));
	memcpy(img->bytes + sizeof(header), img->segments,
	       img->segment_count * sizeof(img->segments[0]));
}

void elf_image_build_id(struct elf_image *img, uint32_t size)
{
	struct {
		Elf64_Nhdr header;
		char name[4];
		uint8_t id[64];
	} note = { { 4, size, NT_GNU_BUILD_ID }, "GNU", { 0 } };
	uint32_t i;

	for (i = 0; i < size; i++)
		note.id[i] = (uint8_t)(i + 1);
	elf_image_segment(img, PT_NOTE, 0);
	elf_image_section(img, ".note.gnu.build-id", SHT_NOTE, SHF_ALLOC, &note,
			  16 + ((size + 3) & ~3u));
}

static const struct {
	uint32_t start, size;
} code[] = { { 0x10, 0x30 }, { 0x40, 0x10 }, { 0x80, 0x80 } };

#define CODE_COUNT (sizeof(code) / sizeof(code[0]))
#define CIE_BYTES 24
#define FDE_BYTES 24

/* Fills @ret with .eh_frame for @address; returns its size. */
static size_t eh_frame_fill(uint8_t *ret, uint64_t address, uint64_t text)
{
	static const uint8_t cie[CIE_BYTES] = {
		CIE_BYTES - 4, 0, 0, 0,			/* length */
		0, 0, 0, 0,				/* it is a CIE */
		1, 'z', 'R', 0, 1, 0x78, 16, 1,		/* version … size of augmentation */
		0x1b,					/* pcrel, sdata4 */
	};
	size_t position = CIE_BYTES, i;
	uint32_t fde[4];

	memcpy(ret, cie, CIE_BYTES);
	for (i = 0; i < CODE_COUNT; i++) {
		fde[0] = FDE_BYTES - 4;
		fde[1] = (uint32_t)position + 4;
		fde[2] = (uint32_t)(text + code[i].start - (address + position + 8));
		fde[3] = code[i].size;
		memset(ret + position, 0, FDE_BYTES);
		memcpy(ret + position, fde, sizeof(fde));
		position += FDE_BYTES;
	}
	memset(ret + position, 0, 4);
	return position + 4;
}

static void eh_frame_hdr_add(struct elf_image *img, uint64_t frames, uint64_t text)
{
	struct {
		uint8_t encodings[4];
		int32_t frames;
		uint32_t count;
		int32_t rows[CODE_COUNT][2];
	} hdr = { { 1, 0x1b, 0x03, 0x3b }, 0, CODE_COUNT, { { 0 } } };
	uint64_t address;
	size_t i;

	elf_image_segment(img, PT_GNU_EH_FRAME, 0);
	address = elf_image_next_address(img);
	hdr.frames = (int32_t)(frames - (address + 4));
	for (i = 0; i < CODE_COUNT; i++) {
		hdr.rows[i][0] = (int32_t)(text + code[i].start - address);
		hdr.rows[i][1] = (int32_t)(frames + CIE_BYTES + i * FDE_BYTES - address);
	}
	elf_image_section(img, ".eh_frame_hdr", SHT_PROGBITS, SHF_ALLOC, &hdr, sizeof(hdr));
}

uint64_t elf_image_code(struct elf_image *img, bool table)
{
	uint8_t frames[CIE_BYTES + CODE_COUNT * FDE_BYTES + 4];
	uint64_t text, address;
	size_t size;

	elf_image_segment(img, PT_LOAD, PF_X);
	text = elf_image_section(img, ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, NULL,
				 TEXT_BYTES);
	elf_image_segment(img, PT_LOAD, 0);
	address = elf_image_next_address(img);
	size = eh_frame_fill(frames, address, text);
	elf_image_section(img, ".eh_frame", SHT_PROGBITS, SHF_ALLOC, frames, size);
	if (table)
		eh_frame_hdr_add(img, address, text);
	return text;
}

uint64_t elf_image_sample(struct elf_image *img)
{
	uint64_t text;

	elf_image_init(img);
	text = elf_image_code(img, true);
	elf_image_symbol(img, "exported", text + 0x10, 0x10, STB_GLOBAL, STT_FUNC, 1);
	elf_image_symbol(img, "hidden", text + 0x200, 0x10, STB_GLOBAL, STT_FUNC, 1);
	elf_image_symbols(img, true);
	elf_image_build_id(img, 20);
	elf_image_symbol(img, "local.part.0", text + 0x20, 0x10, STB_LOCAL, STT_FUNC, 1);
	elf_image_symbol(img, "_ZN3foo3barEv", text + 0x200, 0x10, STB_GLOBAL, STT_FUNC, 1);
	elf_image_symbols(img, false);
	elf_image_finish(img, true);
	return text;
}

struct module *elf_image_module(const void *bytes, size_t size)
{
	struct module_info info = { .id = 1, .path = "/lib/x.so" };

	return module_new_memory(&info, bytes, size);
}
