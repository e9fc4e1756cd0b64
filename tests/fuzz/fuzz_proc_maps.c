/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_proc_maps.c - any text as a line of /proc/PID/maps, and as a path of the kernel. */
#include <string.h>

#include "profiler/processes/proc_maps.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	_cleanup_free_ char *line = fuzz_text(bytes, size), *path = fuzz_text(bytes, size);
	size_t length = strlen(line);
	struct proc_map map;

	if (proc_maps_parse(line, &map) == 0) {
		fuzz_check(map.start < map.end, "a mapping is empty");
		fuzz_check(!*map.path || (map.path >= line && map.path < line + length),
			   "a path is not in its line");
		fuzz_touch_text(map.path);
	}
	proc_maps_clean_path(path);
	fuzz_check(strlen(path) <= length, "a path grew");
	return 0;
}
