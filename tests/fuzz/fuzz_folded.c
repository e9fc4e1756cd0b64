/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_folded.c - any bytes as folded stacks. */
#include "formats/readers.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/profile_checks.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	_cleanup_(profile_freep) struct profile *profile = NULL;
	struct error err = { 0 };

	if (!size)
		return 0;
	folded_detect(bytes, size);
	if (folded_read(bytes, size, &profile, &err) == 0)
		profile_check(profile);
	else
		fuzz_touch_text(err.text);
	return 0;
}
