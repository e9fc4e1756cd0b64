/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_kallsyms.c - any bytes as /proc/kallsyms, asked for the addresses in it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "symbolizer/kallsyms.h"
#include "tests/fuzz/fuzz.h"

static void check_address(const struct kallsyms *syms, uint64_t address)
{
	struct kallsyms_symbol symbol;

	if (kallsyms_find(syms, address, &symbol) < 0)
		return;
	fuzz_check(symbol.start <= address, "a symbol begins behind an address in it");
	fuzz_touch_text(symbol.name);
	if (symbol.module)
		fuzz_touch_text(symbol.module);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	_cleanup_(kallsyms_freep) struct kallsyms *syms = NULL;
	_cleanup_close_ int fd = fuzz_file(bytes, size);
	_cleanup_free_ char *text = fuzz_text(bytes, size);
	char path[sizeof("/proc/self/fd/-2147483648")], *line;
	uint64_t address;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (kallsyms_read(path, &syms) < 0)
		return 0;
	for (line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		address = strtoull(line, NULL, 16);
		check_address(syms, address - 1);
		check_address(syms, address);
		check_address(syms, address + 1);
	}
	return 0;
}
