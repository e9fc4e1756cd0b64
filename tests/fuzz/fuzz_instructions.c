/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_instructions.c - any bytes as the code of a function, the second half of them its cold part. */
#include <string.h>

#include "symbolizer/code/go_prologue.h"
#include "symbolizer/code/instructions.h"
#include "tests/fuzz/elf_checks.h"
#include "tests/fuzz/fuzz.h"
#include "tests/unit/elf_image.h"

#define CODE_BYTES_MAX 8192

static struct elf_image img;

static void check_returns(struct instructions *code, uint64_t address, uint64_t size)
{
	struct function_returns returns;
	uint64_t offset = 0;
	bool begins = false;
	size_t i;

	if (instructions_returns(code, address, size, &returns) < 0)
		return;
	fuzz_check(!instructions_begin_at(code, address, size, 0, &begins) && begins,
		   "a function does not begin at its begin");
	for (i = 0; i < returns.count; i++) {
		fuzz_check(!i || returns.offsets[i] > offset, "returns are not in order");
		offset = returns.offsets[i];
		fuzz_check(offset < img.size, "a return is not in the file");
		if (offset + ELF_IMAGE_BASE - address >= size)
			continue;
		fuzz_check(!instructions_begin_at(code, address, size,
						  offset + ELF_IMAGE_BASE - address, &begins) &&
				   begins,
			   "a return is no instruction");
	}
	free(returns.offsets);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	_cleanup_(instructions_closep) struct instructions *code = NULL;
	_cleanup_(module_putp) struct module *mod = NULL;
	uint64_t text, half = size / 2, i;
	bool begins;

	if (size > CODE_BYTES_MAX)
		return 0;
	elf_image_init(&img);
	elf_image_segment(&img, PT_LOAD, PF_X);
	text = elf_image_section(&img, ".text", SHT_PROGBITS, SHF_ALLOC | SHF_EXECINSTR, bytes,
				 size);
	elf_image_symbol(&img, "f", text, half, STB_GLOBAL, STT_FUNC, 1);
	elf_image_symbol(&img, "f.cold", text + half, size - half, STB_LOCAL, STT_FUNC, 1);
	elf_image_symbols(&img, false);
	elf_image_finish(&img, true);
	mod = elf_check_module(img.bytes, img.size);
	fuzz_check(instructions_open(mod, &code) == 0, "our own file cannot be opened");
	check_returns(code, text, half);
	check_returns(code, text, size);
	for (i = 0; i < size && i < 64; i++)
		instructions_begin_at(code, text, 0, i, &begins);
	fuzz_check(go_prologue_bytes(bytes, size) <= size,
		   "a prologue is longer than its function");
	return 0;
}
