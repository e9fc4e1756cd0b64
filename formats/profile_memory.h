/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * profile_memory.h - a profile and all that it points to.
 *
 * Only for profile.c and profile_builder.c. The builder fills it in place, so
 * that finishing a profile copies no element.
 */
#ifndef WICK_PROFILE_MEMORY_H
#define WICK_PROFILE_MEMORY_H

#include "formats/profile.h"
#include "profiler/base/intern.h"

struct profile_memory {
	struct profile profile; /* first: profile_free() is given its address */
	/* Lists are interned like texts: number 0 is the empty one, pointers stay valid. */
	struct intern *texts;
	struct intern *lines; /* of struct profile_line */
	struct intern *stacks; /* of uint32_t */
	struct intern *labels; /* of struct profile_label */
	const char **strings;
	struct profile_mapping *mappings;
	struct profile_function *functions;
	struct profile_location *locations;
	struct profile_sample *samples;
	struct profile_value_type *value_types;
	int64_t *values; /* of all samples, one after the other */
	profile_string *comments;
};

struct profile_memory *profile_memory_free(struct profile_memory *memory);
/* Point the public part to the arrays, which must move no more. Returns 0 or -ENOMEM. */
int profile_memory_publish(struct profile_memory *memory);
DEFINE_CLEANUP(struct profile_memory *, profile_memory_free)

#endif
