/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * store_maps.h - the maps of a table store without any BPF program, and the kernel's view of them.
 *
 * Look-ups go through system calls: they see what a program would see, not
 * what our own mapping of the memory says.
 */
#ifndef WICK_STORE_MAPS_H
#define WICK_STORE_MAPS_H

#include <stdint.h>
#include "profiler/tables/table_store.h"

/*
 * Make maps for @options, which has the limits, and fill in their descriptors. Skips the
 * whole program with status 77, saying why, when that is not permitted.
 */
void store_maps_open(struct table_store_options *options);
void store_maps_close(struct table_store_options *options);

/* As the kernel side does for a process it sees first. */
void store_maps_request(const struct table_store_options *options, uint32_t pid,
			uint64_t start_ns, uint32_t exec_id);
/* Returns whether there is an entry. */
bool store_maps_process(const struct table_store_options *options, uint32_t pid,
			struct wick_process *ret);
void store_maps_mapping(const struct table_store_options *options, uint32_t index,
			struct wick_mapping *ret);
void store_maps_module(const struct table_store_options *options, uint32_t id,
		       struct wick_module *ret);
/* What is known of the file with @identity; returns false when it is another one, or none. */
bool store_maps_file(const struct table_store_options *options, uint64_t identity,
		     struct wick_known_file *ret);
/* The rule for ELF @address of module @id, looked up as bpf/unwind.bpf.h does it. */
uint64_t store_maps_rule(const struct table_store_options *options, uint32_t id,
			 uint64_t address);

#endif
