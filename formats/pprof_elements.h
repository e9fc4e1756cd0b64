/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pprof_elements.h - one element of a pprof into a builder; only for pprof_read.c.
 *
 * Elements refer to each other by ids and string numbers. Each function wants
 * what its element refers to read before.
 */
#ifndef WICK_PPROF_ELEMENTS_H
#define WICK_PPROF_ELEMENTS_H

#include "formats/profile.h"
#include "formats/wire.h"
#include "profiler/base/hashmap.h"
#include "profiler/base/strbuf.h"

#define PPROF_FIELDS_MAX 16 /* no message has more, 0 being none */

enum profile_field {
	PROFILE_SAMPLE_TYPE = 1, PROFILE_SAMPLE, PROFILE_MAPPING, PROFILE_LOCATION,
	PROFILE_FUNCTION, PROFILE_STRING, PROFILE_DROP, PROFILE_KEEP, PROFILE_TIME,
	PROFILE_DURATION, PROFILE_PERIOD_TYPE, PROFILE_PERIOD, PROFILE_COMMENT, PROFILE_DEFAULT,
	PROFILE_DOC_URL,
};

struct pprof_reader {
	const uint8_t *element; /* that is being read, for the message */
	const char *why; /* after -EBADMSG */
	struct profile_builder *builder;
	struct strbuf text;
	profile_string *strings;
	size_t string_count, string_capacity;
	struct hashmap *mappings, *functions, *locations; /* id to index */
	struct hashmap *kinds; /* mapping index to enum frame_kind */
	struct hashmap *marks; /* indexes of functions that are no code */
	struct profile_value_type *types; /* sources and main ones are not set */
	size_t type_count, type_capacity;
	struct profile_value_type period_type;
	/* Of the element being read. */
	struct profile_line *lines;
	uint32_t *stack;
	int64_t *values; /* of as many as there are types */
	struct profile_label *labels;
	size_t line_capacity, stack_capacity, value_capacity, label_capacity;
};

/* Each returns 0, -EBADMSG with reader->why, or -ENOMEM. */
typedef int pprof_element_fn(struct pprof_reader *reader, const struct wire_field *field);
pprof_element_fn pprof_read_string, pprof_read_sample_type, pprof_read_mapping,
	pprof_read_function, pprof_read_location, pprof_read_sample;

int pprof_read_value_type(struct pprof_reader *reader, const struct wire_field *field,
			  struct profile_value_type *ret);
/* The numbers in a message, by field; what is not there is 0, what we do not know is skipped. */
int pprof_read_numbers(struct pprof_reader *reader, const struct wire_field *message,
		       uint64_t numbers[PPROF_FIELDS_MAX]);
int pprof_read_text(struct pprof_reader *reader, uint64_t index, profile_string *ret);
/* Sets reader->why. Returns -EBADMSG. */
int pprof_refuse(struct pprof_reader *reader, const char *why);

#endif
