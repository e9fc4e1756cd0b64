/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_perf_map.c - any bytes as a perf map, asked for the addresses in it. */
#include <stdlib.h>
#include <string.h>

#include "symbolizer/perf_map.h"
#include "tests/fuzz/fuzz.h"

static void check_address(const struct perf_map *map, uint64_t address)
{
	uint64_t start;
	const char *name = perf_map_find(map, address, &start);

	if (!name)
		return;
	fuzz_touch_text(name);
	fuzz_check(start <= address, "code begins behind an address in it");
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	_cleanup_(perf_map_freep) struct perf_map *map = NULL;
	_cleanup_free_ char *text = fuzz_text(bytes, size);
	uint64_t address;
	char *line;

	if (perf_map_parse((const char *)bytes, size, &map) < 0)
		return 0;
	for (line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		address = strtoull(line, NULL, 16);
		check_address(map, address - 1);
		check_address(map, address);
		check_address(map, address + 1);
	}
	check_address(map, 0);
	check_address(map, UINT64_MAX);
	return 0;
}
