/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_reader.c - any bytes as a file to read a profile from: gzip and zstd, then what is inside. */
#include "formats/decompress.h"
#include "formats/reader.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/profile_checks.h"

/* Small: what may be large is only slow to make. */
#define CONTENT_BYTES_MAX ((size_t)1 << 18)

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	_cleanup_(profile_freep) struct profile *profile = NULL;
	_cleanup_free_ uint8_t *content = NULL;
	struct error err = { 0 };
	size_t content_size;

	if (decompress(bytes, size, CONTENT_BYTES_MAX, &content, &content_size) == 0) {
		fuzz_check(content_size <= CONTENT_BYTES_MAX, "a content is above its limit");
		fuzz_touch(content, content_size);
	} else if (decompress_detect(bytes, size)) {
		return 0;
	}
	if (reader_read(bytes, size, &profile, NULL, &err) == 0)
		profile_check(profile);
	else
		fuzz_touch_text(err.text);
	return 0;
}
