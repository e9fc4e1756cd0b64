/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sideband_parse.h - perf's sideband records, from bytes to notices.
 *
 * Pure: knows no rings and no processes. Understands the layout that
 * sideband.c asks for: sample_id_all with PERF_SAMPLE_TID | PERF_SAMPLE_TIME, so that
 * every record ends with pid, tid and time.
 */
#ifndef WICK_SIDEBAND_PARSE_H
#define WICK_SIDEBAND_PARSE_H

#include <stddef.h>
#include <stdint.h>
#include "profiler/processes/notice.h"

enum sideband_kind {
	SIDEBAND_OTHER,		/* a record nobody needs */
	SIDEBAND_NOTICE,
	SIDEBAND_LOST,		/* the kernel says it dropped records */
};

struct sideband_record {
	enum sideband_kind kind;
	struct notice notice;		/* its path points into the record */
	uint64_t lost;
};

/*
 * Parse the record of @size bytes at @bytes, which begins with its struct
 * perf_event_header. Threads that start or end and names that change without an exec are
 * SIDEBAND_OTHER. Returns 0, or -EBADMSG when it is too short for its type or not
 * what its header says.
 */
int sideband_parse(const void *bytes, size_t size, struct sideband_record *ret);

#endif
