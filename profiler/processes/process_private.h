/* SPDX-License-Identifier: BSD-2-Clause */
/* process_private.h - what process.c, process_mappings.c and process_maps.c share. */
#ifndef WICK_PROCESS_PRIVATE_H
#define WICK_PROCESS_PRIVATE_H

#include "profiler/base/hashmap.h"
#include "profiler/base/intern.h"
#include "profiler/processes/process.h"

struct process_table {
	struct hashmap *by_pid;		/* uint32_t to struct process * */
	struct intern *paths;
	size_t mapping_bytes;		/* room of all lists */
	bool keeps_all;			/* data, too, and what anonymous memory is called */
};

#endif
