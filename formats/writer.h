/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * writer.h - one row per output format.
 *
 * A writer turns a finished profile into bytes. Rows are in writer_table.c;
 * --help, completion and the README's table are printed from them.
 */
#ifndef WICK_WRITER_H
#define WICK_WRITER_H

#include <stdbool.h>
#include "formats/profile.h"
#include "formats/sink.h"

struct writer_options {
	uint32_t value_type; /* which value a one-value format shows */
	/*
	 * Label keys to add as frames after comm (NULL-terminated, at most 15), or
	 * NULL: a label's text, "KEY NUMBER" for a number, "[unknown]" without one.
	 */
	const char *const *by;
	bool icicle; /* flame graphs upside down, the root on top */
};

struct writer {
	const char *name; /* "pprof", for --format */
	const char *suffix; /* ".pb.gz" */
	const char *help; /* one line */
	bool one_value; /* shows one value type: one file per source */
	/*
	 * Returns 0 or a negative errno, -ENOENT when the profile has no such
	 * value. NULL @options: the profile's default value, no more frames.
	 * @sink stays the caller's, to close or to abort.
	 */
	int (*write)(const struct profile *profile, const struct writer_options *options,
		     struct sink *sink);
};

extern const struct writer writer_table[]; /* ends with .name NULL */

/* By name, or by the longest matching suffix of a path; NULL when there is none. */
const struct writer *writer_find_name(const char *name);
const struct writer *writer_find_suffix(const char *path);
/* The index of the main value type of @source (NULL: of the profile), or -ENOENT. */
int writer_main_value(const struct profile *profile, const char *source);
/* How many samples a one-value format leaves out because their value is negative. */
uint64_t writer_negative_count(const struct profile *profile, uint32_t value_type);

#endif
