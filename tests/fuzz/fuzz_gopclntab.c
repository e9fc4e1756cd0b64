/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_gopclntab.c - any bytes as the .gopclntab of a file: rows, names and lines of Go code. */
#include <string.h>

#include "tests/fuzz/elf_checks.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/elf_image.h"

/* Of the room that elf_image.h has. */
#define TABLE_BYTES_MAX 16384
#define TEXT_BYTES 0x400

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	/* push %rbp; mov %rsp,%rbp: what a function with a frame begins with. */
	static const uint8_t prologue[] = { 0x55, 0x48, 0x89, 0xe5, 0x90, 0x90, 0x90, 0xc3 };
	static struct elf_image img;
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	_cleanup_(module_putp) struct module *mod = NULL;
	uint8_t text[TEXT_BYTES];
	size_t i;

	if (size > TABLE_BYTES_MAX)
		return 0;
	for (i = 0; i < sizeof(text); i += sizeof(prologue))
		memcpy(text + i, prologue, sizeof(prologue));
	elf_image_init(&img);
	elf_image_segment(&img, PT_LOAD, PF_X);
	elf_image_section(&img, ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, text,
			  sizeof(text));
	elf_image_segment(&img, PT_LOAD, 0);
	elf_image_section(&img, ".gopclntab", SHT_PROGBITS, SHF_ALLOC, bytes, size);
	elf_image_finish(&img, true);
	mod = elf_check_module(img.bytes, img.size);
	fuzz_check(module_open(mod, &elf) == 0, "our own file is not ELF");
	elf_check_rows(elf);
	elf_check_names(mod);
	return 0;
}
