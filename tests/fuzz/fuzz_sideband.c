/* SPDX-License-Identifier: BSD-2-Clause */
/* fuzz_sideband.c - any bytes as a record of perf, with the size they say and with their own. */
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/processes/sideband_parse.h"
#include "tests/fuzz/fuzz.h"

static void check_record(const void *bytes, size_t size)
{
	struct sideband_record record;
	const char *path, *end = (const char *)bytes + size;
	_cleanup_(notice_batch_freep) struct notice_batch *batch = NULL;

	if (sideband_parse(bytes, size, &record) < 0 || record.kind != SIDEBAND_NOTICE)
		return;
	path = record.notice.path;
	/* What starts or ends has an empty one. */
	fuzz_check(!*path || (path >= (const char *)bytes && path < end &&
			      memchr(path, '\0', (size_t)(end - path))),
		   "a path is not in its record");
	fuzz_check(record.notice.build_id.size <= ELF_BUILD_ID_MAX, "a build ID is too long");
	batch = notice_batch_new();
	fuzz_check(batch && notice_batch_add(batch, &record.notice) == 0, "no memory");
	notice_batch_sort(batch);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	_cleanup_free_ uint8_t *record = malloc(size + !size);
	struct perf_event_header header;

	fuzz_check(record != NULL, "no memory");
	memcpy(record, bytes, size);
	check_record(record, size);
	if (size < sizeof(header) || size > UINT16_MAX)
		return 0;
	memcpy(&header, record, sizeof(header));
	header.size = (uint16_t)size;
	memcpy(record, &header, sizeof(header));
	check_record(record, size);
	return 0;
}
