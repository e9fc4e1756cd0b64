/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tracepoint_format.h - fields of a tracepoint's record, from tracefs (events/CATEGORY/NAME/format).
 *
 * Knows tracefs and the text of its files; tracepoint_fields.h makes of them what a probe can name.
 */
#ifndef WICK_TRACEPOINT_FORMAT_H
#define WICK_TRACEPOINT_FORMAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"
#include "profiler/base/error.h"
#include "symbolizer/types/type_info.h"

struct tracepoint_field {
	const char *name, *type;	/* "filename", "const char *"; "char[16]", "__data_loc char[]" */
	uint32_t offset, bytes;		/* bytes 0: to the end of the record */
	bool is_signed;
	bool is_array;			/* also a __data_loc */
	bool is_text;			/* an array of char */
	bool is_data_loc;		/* offset and size of what is elsewhere in the record */
	bool is_pointer;
	bool is_flags;			/* the enumerators are bits, of which it has several */
	/* Of what the kernel prints by name (__print_symbolic, __print_flags), in the order it tries them. */
	size_t enumerator_count;
	const struct type_enumerator *enumerators;
};

struct tracepoint_format;

/*
 * tracefs, where it is mounted; where it is not, mounted on a descriptor of our own, which nobody
 * else sees. The caller closes it. Returns a descriptor or a negative errno.
 */
int tracefs_open(struct error *err);
/* Returns 0, -ENOENT when there is no such tracepoint, -EBADMSG when its format is not understood. */
int tracepoint_format_read(int tracefs, const char *category, const char *name,
			   struct tracepoint_format **ret);
/* The same by the whole name, "sched:sched_switch"; and where the system call @name is entered. */
int tracepoint_format_read_named(int tracefs, const char *name, struct tracepoint_format **ret);
int tracepoint_format_read_syscall(int tracefs, const char *name, struct tracepoint_format **ret);
/* From the text of a format file. */
int tracepoint_format_parse(const char *text, size_t size, struct tracepoint_format **ret);
struct tracepoint_format *tracepoint_format_free(struct tracepoint_format *format);
DEFINE_CLEANUP(struct tracepoint_format *, tracepoint_format_free)
const char *tracepoint_format_name(const struct tracepoint_format *format);
uint32_t tracepoint_format_id(const struct tracepoint_format *format);
/* Common fields left out. */
size_t tracepoint_format_count(const struct tracepoint_format *format);
const struct tracepoint_field *tracepoint_format_at(const struct tracepoint_format *format,
						    size_t index);
const char *tracepoint_format_print(const struct tracepoint_format *format);	/* "print fmt", raw */
/* Knows only the names of numbers: a type's id is the index of its field. Lives as long as the format. */
const struct type_provider *tracepoint_format_types(const struct tracepoint_format *format);
/*
 * Names ("sched:sched_switch") that match the globs, sorted, in *@ret of *@ret_count, which is for
 * tracepoint_names_free().
 */
int tracepoint_names(int tracefs, const char *category_glob, const char *name_glob, char ***ret,
		     size_t *ret_count);
void tracepoint_names_free(char **names, size_t count);

#endif
