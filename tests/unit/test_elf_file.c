/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "symbolizer/elf/elf_file.h"
#include "tests/unit/elf_image.h"

/* What the dynamic loader knows of this program. */
struct self {
	uint64_t bias;
	const uint8_t *build_id;	/* 20 bytes */
};

static int self_visit(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct self *self = arg;
	const Elf64_Nhdr *note;
	int i;

	self->bias = info->dlpi_addr;
	for (i = 0; i < info->dlpi_phnum; i++) {
		note = (const void *)(info->dlpi_addr + info->dlpi_phdr[i].p_vaddr);
		if (info->dlpi_phdr[i].p_type == PT_NOTE && note->n_type == NT_GNU_BUILD_ID)
			self->build_id = (const uint8_t *)note + 16;
	}
	return 1;	/* the program itself comes first */
}

static struct elf_file *open_self(struct self *self)
{
	_cleanup_close_ int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct elf_file *elf = NULL;

	memset(self, 0, sizeof(*self));
	dl_iterate_phdr(self_visit, self);
	assert_int_equal(elf_file_open_fd(fd, &elf), 0);
	return elf;
}

static struct elf_file *open_image(const struct elf_image *img)
{
	struct elf_file *elf = NULL;

	assert_int_equal(elf_file_open_memory(img->bytes, img->size, &elf), 0);
	return elf;
}

__attribute__((noinline, used)) void elf_file_test_marker(void);
void elf_file_test_marker(void)
{
}

static void test_self(void **state)
{
	_cleanup_free_ struct elf_symbol *symbols = NULL;
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	const struct elf_build_id *id;
	uint64_t marker;
	struct self self;
	long count, i;

	elf = open_self(&self);
	assert_int_equal(elf_file_class(elf), ELFCLASS64);
	assert_true(elf_file_machine(elf) != EM_NONE);
	assert_true(elf_file_entry(elf) != 0);
	id = elf_file_build_id(elf);
	if (self.build_id) {
		assert_int_equal(id->size, 20);
		assert_memory_equal(id->bytes, self.build_id, 20);
	}
	marker = (uintptr_t)elf_file_test_marker - self.bias;
	count = elf_file_symbols(elf, ".symtab", &symbols);
	assert_true(count > 0);
	for (i = 0; i < count && strcmp(symbols[i].name, "elf_file_test_marker"); i++)
		;
	assert_true(i < count);
	assert_int_equal(symbols[i].address, marker);
	assert_int_equal(symbols[i].type, STT_FUNC);
	assert_int_equal(symbols[i].binding, STB_GLOBAL);
	assert_true(symbols[i].size > 0 && symbols[i].limit >= marker + symbols[i].size);
}

static void test_self_offsets(void **state)
{
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	const struct elf_segment *segments;
	struct elf_section text;
	uint64_t address, marker, offset;
	struct self self;
	size_t count, i;

	elf = open_self(&self);
	marker = (uintptr_t)elf_file_test_marker - self.bias;
	segments = elf_file_segments(elf, &count);
	for (i = 0; i < count && !segments[i].executable; i++)
		;
	assert_true(i < count);
	offset = marker - segments[i].address + segments[i].offset;
	assert_int_equal(elf_file_offset_to_address(elf, offset, &address), 0);
	assert_int_equal(address, marker);
	assert_int_equal(elf_file_text(elf, 0, &text), 0);
	assert_int_equal(text.address, segments[i].address);
	assert_memory_equal(text.bytes + (marker - text.address), (void *)elf_file_test_marker, 1);
	assert_int_equal(elf_file_text(elf, 9, &text), -ENOENT);
}

static const struct not_elf_case {
	const char *name;
	const char *path;	/* NULL: a file with @content */
	const char *content;
	int expected;
} not_elf_cases[] = {
	{ "a text is not ELF", NULL, "#!/bin/sh\n", -ENOEXEC },
	{ "an empty file is not ELF", NULL, "", -ENOEXEC },
	{ "half of the magic number is not ELF", NULL, "\177E", -ENOEXEC },
	{ "the magic number alone is a damaged ELF file", NULL, "\177ELF", -EBADMSG },
	{ "a class that there is not is damage", NULL, "\177ELF\7\7\7aaaaaaaaaaaaaaaaaaaaaaaaaaaa",
	  -EBADMSG },
	{ "a device is not ELF", "/dev/zero", NULL, -ENOEXEC },
	{ "a directory is not ELF", "/", NULL, -ENOEXEC },
};

static void not_elf_row(void **state)
{
	const struct not_elf_case *c = *state;
	struct elf_file *elf = (void *)1;
	_cleanup_close_ int fd = -1;

	if (c->path) {
		fd = open(c->path, O_RDONLY | O_CLOEXEC);
	} else {
		fd = memfd_create("elf", MFD_CLOEXEC);
		assert_int_equal(write(fd, c->content, strlen(c->content)), strlen(c->content));
	}
	assert_true(fd >= 0);
	assert_int_equal(elf_file_open_fd(fd, &elf), c->expected);
	assert_ptr_equal(elf, (void *)1);
	if (!c->content)
		return;
	assert_int_equal(elf_file_open_memory(c->content, strlen(c->content), &elf), c->expected);
	assert_ptr_equal(elf, (void *)1);
}

static void test_closed(void **state)
{
	struct elf_file *elf = NULL;

	assert_int_equal(elf_file_open_fd(-1, &elf), -EBADF);
	assert_null(elf_file_close(NULL));
}

static const struct build_id_case {
	const char *name;
	uint32_t size;
	uint8_t expected;
} build_id_cases[] = {
	{ "a SHA-1 is a build ID", 20, 20 },
	{ "eight bytes are a build ID", 8, 8 },
	{ "one byte is a build ID", 1, 1 },
	{ "no bytes are none", 0, 0 },
	{ "longer ones than the kernel's are none, not cut ones", 21, 0 },
};

static void build_id_row(void **state)
{
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	const struct build_id_case *c = *state;
	const struct elf_build_id *id;
	struct elf_image img;
	uint8_t i;

	elf_image_init(&img);
	elf_image_build_id(&img, c->size);
	elf_image_finish(&img, true);
	elf = open_image(&img);
	id = elf_file_build_id(elf);
	assert_int_equal(id->size, c->expected);
	for (i = 0; i < id->size; i++)
		assert_int_equal(id->bytes[i], i + 1);
}

static void test_sections(void **state)
{
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	struct elf_section section = { 0 };
	struct elf_place place = { 0 };
	struct elf_image img;
	uint64_t text;

	elf_image_init(&img);
	text = elf_image_code(&img, true);
	elf_image_section(&img, ".bss", SHT_NOBITS, SHF_ALLOC, NULL, 64);
	elf_image_section(&img, ".comment", SHT_PROGBITS, 0, "hello", 6);
	elf_image_section(&img, ".empty", SHT_PROGBITS, 0, NULL, 0);
	elf_image_finish(&img, true);
	elf = open_image(&img);
	assert_int_equal(elf_file_section(elf, ".bss", &section), -ENOENT);
	assert_int_equal(elf_file_section(elf, ".nothing", &section), -ENOENT);
	assert_int_equal(elf_file_place(elf, ".nothing", &place), -ENOENT);
	assert_null(section.bytes);
	assert_int_equal(elf_file_section(elf, ".comment", &section), 0);
	assert_string_equal(section.bytes, "hello");
	assert_int_equal(section.size, 6);
	assert_int_equal(section.address, 0);
	assert_int_equal(elf_file_section(elf, ".empty", &section), 0);
	assert_int_equal(section.size, 0);
	assert_int_equal(elf_file_section(elf, ".text", &section), 0);
	assert_int_equal(section.address, text);
	assert_int_equal(section.size, 0x1000);
	assert_int_equal(elf_file_place(elf, ".text", &place), 0);
	assert_int_equal(place.address, text);
	assert_int_equal(place.offset, text - ELF_IMAGE_BASE);
	assert_int_equal(place.size, 0x1000);
}

static void test_compressed(void **state)
{
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	struct {
		Elf64_Chdr header;
		uint8_t bytes[16];
	} data = { { ELFCOMPRESS_ZLIB, 0, 5, 1 }, {
		/* A block that is stored, not packed: "hello". */
		0x78, 0x01, 0x01, 5, 0, 0xfa, 0xff, 'h', 'e', 'l', 'l', 'o', 0x06, 0x2c, 0x02, 0x15,
	} };
	struct elf_section section, again;
	struct elf_place place;
	struct elf_image img;

	elf_image_init(&img);
	elf_image_section(&img, ".debug_a", SHT_PROGBITS, SHF_COMPRESSED, &data, sizeof(data));
	elf_image_section(&img, ".debug_cut", SHT_PROGBITS, SHF_COMPRESSED, &data,
			  sizeof(data) - 8);
	data.header.ch_size = UINT64_MAX;
	elf_image_section(&img, ".debug_huge", SHT_PROGBITS, SHF_COMPRESSED, &data, sizeof(data));
	data.header.ch_type = 77;
	data.header.ch_size = 5;
	elf_image_section(&img, ".debug_other", SHT_PROGBITS, SHF_COMPRESSED, &data, sizeof(data));
	elf_image_finish(&img, true);
	elf = open_image(&img);
	assert_int_equal(elf_file_place(elf, ".debug_a", &place), -ENOENT);
	assert_int_equal(elf_file_section(elf, ".debug_a", &section), 0);
	assert_int_equal(section.size, 5);
	assert_memory_equal(section.bytes, "hello", 5);
	assert_int_equal(elf_file_section(elf, ".debug_a", &again), 0);
	assert_ptr_equal(again.bytes, section.bytes);
	assert_int_equal(elf_file_place(elf, ".debug_a", &place), -ENOENT);
	assert_int_equal(elf_file_section(elf, ".debug_cut", &section), -EBADMSG);
	assert_int_equal(elf_file_section(elf, ".debug_huge", &section), -EFBIG);
	assert_int_equal(elf_file_section(elf, ".debug_other", &section), -EBADMSG);
}

static void test_no_section_headers(void **state)
{
	_cleanup_(elf_file_closep) struct elf_file *whole = NULL, *stripped = NULL;
	struct elf_section wanted, section;
	struct elf_image img, bare;

	elf_image_init(&img);
	elf_image_code(&img, true);
	bare = img;
	elf_image_finish(&img, true);
	elf_image_finish(&bare, false);
	whole = open_image(&img);
	stripped = open_image(&bare);
	assert_int_equal(elf_file_section(stripped, ".text", &section), -ENOENT);
	assert_int_equal(elf_file_section(whole, ".eh_frame_hdr", &wanted), 0);
	assert_int_equal(elf_file_section(stripped, ".eh_frame_hdr", &section), 0);
	assert_int_equal(section.size, wanted.size);
	assert_int_equal(section.address, wanted.address);
	assert_memory_equal(section.bytes, wanted.bytes, wanted.size);
	assert_int_equal(elf_file_section(whole, ".eh_frame", &wanted), 0);
	assert_int_equal(elf_file_section(stripped, ".eh_frame", &section), 0);
	assert_int_equal(section.address, wanted.address);
	assert_true(section.size >= wanted.size);
	assert_memory_equal(section.bytes, wanted.bytes, wanted.size);
}

static const struct offset_case {
	const char *name;
	uint64_t offset;
	int expected;
	uint64_t address;
} offset_cases[] = {
	{ "an offset inside of the executable segment", 0x1234, 0, 0x401234 },
	{ "the page of its first bytes belongs to it too", 0x1000, 0, 0x401000 },
	{ "its last page belongs to it too", 0x1fff, 0, 0x401fff },
	{ "an offset of another segment", 0x10, 0, 0x10 },
	{ "an offset behind all segments", 0x9000, -ENOENT, 0 },
	{ "an offset near the end of the numbers", UINT64_MAX, -ENOENT, 0 },
};

static void offset_row(void **state)
{
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	const struct offset_case *c = *state;
	struct elf_image img;
	uint64_t address = 77;

	elf_image_init(&img);
	elf_image_segment(&img, PT_LOAD, 0);
	img.segments[0] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_filesz = 0x1100 };
	elf_image_segment(&img, PT_LOAD, PF_X);
	img.segments[1] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_X, .p_offset = 0x1100,
					.p_filesz = 0xd00, .p_vaddr = 0x401100, .p_memsz = 0xd00 };
	elf_image_finish(&img, true);
	elf = open_image(&img);
	assert_int_equal(elf_file_offset_to_address(elf, c->offset, &address), c->expected);
	assert_int_equal(address, c->expected ? 77 : c->address);
}

static void test_address_to_offset(void **state)
{
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	uint64_t offset = 77;
	struct elf_image img;

	elf_image_init(&img);
	elf_image_segment(&img, PT_LOAD, 0);
	img.segments[0] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_filesz = 0x1100, .p_memsz = 0x3000 };
	elf_image_segment(&img, PT_LOAD, PF_X);
	img.segments[1] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_flags = PF_X, .p_offset = 0x1100,
					.p_filesz = 0x100, .p_vaddr = 0x1080, .p_memsz = 0x100 };
	elf_image_finish(&img, true);
	elf = open_image(&img);
	assert_int_equal(elf_file_address_to_offset(elf, 0x1180, &offset), -ENOENT);
	assert_int_equal(elf_file_address_to_offset(elf, UINT64_MAX, &offset), -ENOENT);
	assert_int_equal(offset, 77);
	assert_int_equal(elf_file_address_to_offset(elf, 0x107f, &offset), 0);
	assert_int_equal(offset, 0x107f);
	/* In both: code it is. */
	assert_int_equal(elf_file_address_to_offset(elf, 0x1080, &offset), 0);
	assert_int_equal(offset, 0x1100);
	assert_int_equal(elf_file_address_to_offset(elf, 0x117f, &offset), 0);
	assert_int_equal(offset, 0x11ff);
}

static const struct symbol_case {
	const char *name;
	uint64_t offset;	/* from .text, which is section 1 and has 0x1000 bytes */
	uint64_t size;
	uint8_t type;
	uint16_t section;
	long count;
	uint64_t expected_size;
} symbol_cases[] = {
	{ "a function is code", 0x10, 16, STT_FUNC, 1, 1, 16 },
	{ "an indirect function is code", 0x10, 16, STT_GNU_IFUNC, 1, 1, 16 },
	{ "a label in code is code", 0x10, 0, STT_NOTYPE, 1, 1, 0 },
	{ "a label in data is not", 0x10, 0, STT_NOTYPE, 2, 0, 0 },
	{ "an object is not", 0x10, 16, STT_OBJECT, 1, 0, 0 },
	{ "an undefined function is not", 0x10, 16, STT_FUNC, SHN_UNDEF, 0, 0 },
	{ "an absolute label is not", 0x10, 0, STT_NOTYPE, SHN_ABS, 0, 0 },
	{ "a section that there is not holds none", 0x10, 16, STT_FUNC, 99, 0, 0 },
	{ "a label at the section's end names nothing", 0x1000, 0, STT_NOTYPE, 1, 0, 0 },
	{ "a function outside of its section is damage", 0x2000, 16, STT_FUNC, 1, 0, 0 },
	{ "a function ends with its section", 0xff0, 0x1000, STT_FUNC, 1, 1, 0x10 },
};

static void symbol_row(void **state)
{
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	_cleanup_free_ struct elf_symbol *symbols = NULL;
	const struct symbol_case *c = *state;
	struct elf_image img;
	uint64_t text;

	elf_image_init(&img);
	text = elf_image_code(&img, false);
	elf_image_symbol(&img, "f", text + c->offset, c->size, STB_LOCAL, c->type, c->section);
	elf_image_symbols(&img, false);
	elf_image_finish(&img, true);
	elf = open_image(&img);
	assert_int_equal(elf_file_symbols(elf, ".dynsym", &symbols), -ENOENT);
	assert_int_equal(elf_file_symbols(elf, ".symtab", &symbols), c->count);
	if (!c->count)
		return;
	assert_string_equal(symbols[0].name, "f");
	assert_int_equal(symbols[0].address, text + c->offset);
	assert_int_equal(symbols[0].size, c->expected_size);
	assert_int_equal(symbols[0].limit, text + 0x1000);
}

static void test_symbols_without_names(void **state)
{
	_cleanup_free_ struct elf_symbol *symbols = NULL;
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	struct elf_image img;

	elf_image_init(&img);
	elf_image_code(&img, false);
	elf_image_symbols(&img, false);
	img.sections[img.section_count - 2].sh_link = 1;
	elf_image_finish(&img, true);
	elf = open_image(&img);
	assert_int_equal(elf_file_symbols(elf, ".symtab", &symbols), -EBADMSG);
	assert_int_equal(elf_file_symbols(elf, ".text", &symbols), -EBADMSG);
	assert_null(symbols);
}

static void test_class32(void **state)
{
	struct {
		Elf32_Ehdr header;
		Elf32_Phdr segment;
	} file = {
		.header = {
			.e_ident = { 0x7f, 'E', 'L', 'F', ELFCLASS32, ELFDATA2LSB, EV_CURRENT },
			.e_type = ET_EXEC, .e_machine = EM_386, .e_version = EV_CURRENT,
			.e_ehsize = sizeof(Elf32_Ehdr), .e_phoff = sizeof(Elf32_Ehdr),
			.e_phentsize = sizeof(Elf32_Phdr), .e_phnum = 1, .e_entry = 0x8048000,
		},
		.segment = {
			.p_type = PT_LOAD, .p_flags = PF_X, .p_vaddr = 0x8048000, .p_filesz = 84,
			.p_memsz = 84,
		},
	};
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	const struct elf_segment *segments;
	size_t count;

	assert_int_equal(elf_file_open_memory(&file, sizeof(file), &elf), 0);
	assert_int_equal(elf_file_class(elf), ELFCLASS32);
	assert_int_equal(elf_file_machine(elf), EM_386);
	assert_int_equal(elf_file_type(elf), ET_EXEC);
	assert_int_equal(elf_file_entry(elf), 0x8048000);
	segments = elf_file_segments(elf, &count);
	assert_int_equal(count, 1);
	assert_int_equal(segments[0].address, 0x8048000);
	assert_true(segments[0].executable);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("an address has an offset where the file has its byte",
			  test_address_to_offset),
		UNIT_TEST("this program has its build ID and its functions", test_self),
		UNIT_TEST("this program's text is where its offsets say", test_self_offsets),
		UNIT_TEST("a closed descriptor is an error", test_closed),
		UNIT_TEST("sections are found by name", test_sections),
		UNIT_TEST("compressed sections are expanded", test_compressed),
		UNIT_TEST("without section headers .eh_frame is still found",
			  test_no_section_headers),
		UNIT_TEST("a symbol table without names is damage", test_symbols_without_names),
		UNIT_TEST("a 32-bit object has an identity and segments", test_class32),
	};

	return unit_run_rows("not ELF", not_elf_row, UNIT_ROWS(not_elf_cases)) +
	       unit_run_rows("build ID", build_id_row, UNIT_ROWS(build_id_cases)) +
	       unit_run_rows("offset to address", offset_row, UNIT_ROWS(offset_cases)) +
	       unit_run_rows("symbols", symbol_row, UNIT_ROWS(symbol_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
