/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tracepoint_format.h - fields of a tracepoint's record, from tracefs (events/CATEGORY/NAME/format).
 *
 * tracefs is found where it is mounted; where it is not, it is mounted on a descriptor of our own
 * (fsopen), which nobody else sees.
 */
#ifndef WICK_TRACEPOINT_FORMAT_H
#define WICK_TRACEPOINT_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"
#include "profiler/base/error.h"

struct tracepoint_field {
	const char *name, *type;	/* "filename", "const char *" */
	uint32_t offset, bytes;
	bool is_signed, is_array, is_text, is_data_loc, is_pointer;
};

struct tracepoint_format;

/* A folder of tracefs, opened; the caller closes it. Returns a descriptor or a negative errno. */
int tracefs_open(struct error *err);
int tracepoint_format_read(int tracefs, const char *category, const char *name,
			   struct tracepoint_format **ret);
/* From the text of a format file. */
int tracepoint_format_parse(const char *text, size_t size, struct tracepoint_format **ret);
struct tracepoint_format *tracepoint_format_free(struct tracepoint_format *format);
DEFINE_CLEANUP(struct tracepoint_format *, tracepoint_format_free)
uint32_t tracepoint_format_id(const struct tracepoint_format *format);
/* Common fields left out. */
size_t tracepoint_format_count(const struct tracepoint_format *format);
const struct tracepoint_field *tracepoint_format_at(const struct tracepoint_format *format,
						    size_t index);
const char *tracepoint_format_print(const struct tracepoint_format *format);	/* "print fmt", raw */
/*
 * Names ("sched:sched_switch") that match the globs, sorted, each malloc'ed in *@ret of *@ret_count.
 */
int tracepoint_names(int tracefs, const char *category_glob, const char *name_glob, char ***ret,
		     size_t *ret_count);

#endif
