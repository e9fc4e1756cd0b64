/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_symbol_wire.c - any bytes as what a process says that has read hostile files. */
#include "symbolizer/providers/provider.h"
#include "symbolizer/worker/symbol_wire.h"
#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct symbol_wire_reader reader = { .bytes = bytes, .size = size };
	struct frame frames[PROVIDER_FRAMES_MAX];
	size_t before = 0;
	int count;

	while ((count = symbol_wire_next(&reader, frames, PROVIDER_FRAMES_MAX)) > 0) {
		fuzz_check(reader.position > before && reader.position <= size,
			   "frames take no bytes, or some that are not there");
		before = reader.position;
		for (int i = 0; i < count; i++) {
			fuzz_touch_text(frames[i].function);
			fuzz_touch_text(frames[i].system_name);
			if (frames[i].file)
				fuzz_touch_text(frames[i].file);
			fuzz_check(frames[i].origin <= FRAME_UNKNOWN, "an origin that is none");
		}
	}
	return 0;
}
