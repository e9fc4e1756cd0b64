/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * locations.h - frames of a window as locations of a profile, each named once.
 *
 * Names are looked up module by module (locations_prepare()), so that the
 * symbolizer holds one symbol table at a time; after that a frame is a hash look-up.
 */
#ifndef WICK_LOCATIONS_H
#define WICK_LOCATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"

struct locations;
struct probe_place;
struct probe_values;
struct profile_builder;
struct resolve_options;
struct window;
struct window_sample;
struct window_stack;

struct location_info {
	uint32_t location;
	bool named;		/* by a symbol */
	bool by_fde;		/* by the start of its FDE */
	uint32_t name;		/* profile_string of the innermost function */
};

/* Both are borrowed until locations_free(). */
int locations_new(const struct resolve_options *options, struct profile_builder *builder,
		  struct locations **ret);
struct locations *locations_free(struct locations *locations);
DEFINE_CLEANUP(struct locations *, locations_free)

/* Name every frame of every sample of @window. Returns 0 or -ENOMEM. */
int locations_prepare(struct locations *locations, const struct window *window);
/* The location of frame @index of @stack. @after_call: user code, where a function has returned to. */
int locations_find(struct locations *locations, const struct window_stack *stack, size_t index,
		   bool after_call, struct location_info *ret);
/* The place @sample was taken at; NULL: it is no probe's. @values: of an event; NULL: it has none. */
const struct probe_place *locations_place(const struct resolve_options *options,
					  const struct window_sample *sample,
					  const struct probe_values *values);
/* The function of @place, and nothing that is inlined where it begins. */
int locations_function(struct locations *locations, const struct probe_place *place,
		       struct location_info *ret);
/* A location that is no code: "[incomplete:CAUSE]", "[exiting]". */
int locations_mark(struct locations *locations, const char *name, uint32_t *ret);

#endif
