/* SPDX-License-Identifier: BSD-2-Clause */
/* source_probe_private.h - what a probe's row is made of; for source_probe.c and attach_probe.c only. */
#ifndef WICK_SOURCE_PROBE_PRIVATE_H
#define WICK_SOURCE_PROBE_PRIVATE_H

#include "profiler/probes/probe_finding.h"
#include "profiler/sources/source_probe.h"

struct source_probe {
	struct source row;
	struct probe_finding *finding;
	char names[2][SOURCE_PROBE_VALUE_BYTES];	/* of its values */
	char units[2][32];
	bool is_multi;			/* many functions are attached at once */
};

#endif
