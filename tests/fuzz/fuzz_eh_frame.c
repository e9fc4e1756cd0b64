/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_eh_frame.c - any bytes as the .eh_frame or, if the first one is odd, .debug_frame of a file. */
#include "tests/fuzz/elf_checks.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/elf_image.h"

/* Of the room that elf_image.h has. */
#define FRAME_BYTES_MAX 16384
#define TEXT_BYTES 0x1000

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct elf_image img;
	_cleanup_(elf_file_closep) struct elf_file *elf = NULL;
	_cleanup_close_ int fd = -1;
	bool debug_frame;

	if (!size || size > FRAME_BYTES_MAX)
		return 0;
	debug_frame = bytes[0] & 1;
	elf_image_init(&img);
	elf_image_segment(&img, PT_LOAD, PF_X);
	elf_image_section(&img, ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, NULL, TEXT_BYTES);
	elf_image_segment(&img, PT_LOAD, 0);
	elf_image_section(&img, debug_frame ? ".debug_frame" : ".eh_frame", SHT_PROGBITS,
			  debug_frame ? 0 : SHF_ALLOC, bytes + 1, size - 1);
	elf_image_finish(&img, true);
	fd = fuzz_file(img.bytes, img.size);
	fuzz_check(elf_file_open_fd(fd, &elf) == 0, "our own file is not ELF");
	elf_check_rows(elf);
	return 0;
}
