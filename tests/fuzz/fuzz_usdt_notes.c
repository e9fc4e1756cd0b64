/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_usdt_notes.c - any bytes as the .note.stapsdt of a file. */
#include <string.h>

#include "symbolizer/code/usdt_notes.h"
#include "tests/fuzz/elf_checks.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/elf_image.h"

#define NOTES_BYTES_MAX 16384
#define TEXT_BYTES 0x400

static void check_probe(const struct usdt_probe *probe, size_t file_size)
{
	fuzz_touch_text(probe->provider);
	fuzz_touch_text(probe->name);
	fuzz_touch_text(probe->arguments_text);
	fuzz_check(probe->offset < file_size, "a probe is not in the file");
	fuzz_check(probe->semaphore_offset < file_size, "a semaphore is not in the file");
	fuzz_check(probe->argument_count <= USDT_ARGUMENTS_MAX, "too many arguments");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct elf_image img;
	_cleanup_(usdt_notes_freep) struct usdt_notes *notes = NULL;
	_cleanup_(module_putp) struct module *mod = NULL;
	uint64_t text;
	size_t i;

	if (size > NOTES_BYTES_MAX)
		return 0;
	elf_image_init(&img);
	elf_image_segment(&img, PT_LOAD, PF_X);
	text = elf_image_section(&img, ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, NULL,
				 TEXT_BYTES);
	elf_image_section(&img, ".stapsdt.base", SHT_PROGBITS, SHF_ALLOC, "", 1);
	elf_image_section(&img, ".note.stapsdt", SHT_NOTE, 0, bytes, size);
	elf_image_symbol(&img, "counter", text + 0x100, 8, STB_GLOBAL, STT_OBJECT, 1);
	elf_image_symbols(&img, false);
	elf_image_finish(&img, true);
	mod = elf_check_module(img.bytes, img.size);
	if (usdt_notes_read(mod, NULL, NULL, &notes) < 0)
		return 0;
	fuzz_check(usdt_notes_count(notes) > 0, "no notes are no failure");
	for (i = 0; i < usdt_notes_count(notes); i++)
		check_probe(usdt_notes_at(notes, i), img.size);
	return 0;
}
