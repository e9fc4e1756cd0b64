/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reader.h - one row per format that can be read: bytes into a profile.
 *
 * The opposite of writer.h. Which row fits is seen by the content, not by a
 * name; gzip and zstd around it are taken off before. The input may be hostile:
 * it is checked before it is believed, and what it may make us allocate is
 * limited. Rows are in reader_table.c; --help and `wick list` print them.
 */
#ifndef WICK_READER_H
#define WICK_READER_H

#include <stdbool.h>
#include <stddef.h>
#include "formats/profile.h"
#include "profiler/base/error.h"

/* Of the content, uncompressed, and of the profile it becomes. */
#define READER_CONTENT_BYTES_MAX ((size_t)512 << 20)
#define READER_PROFILE_BYTES_MAX ((size_t)2 << 30)

struct reader {
	const char *name; /* "pprof" */
	const char *help; /* one line */
	/* Whether the content, which has at least one byte, looks like it. */
	bool (*detect)(const void *bytes, size_t size);
	/*
	 * Returns 0; -EBADMSG, with what is wrong and where it is in @err ("byte
	 * 17: …", "line 3: …"); -EFBIG; or -ENOMEM.
	 */
	int (*read)(const void *bytes, size_t size, struct profile **ret, struct error *err);
};

extern const struct reader reader_table[]; /* ends with .name NULL */

/*
 * The profile in these bytes, compressed or not. As a row's read; what no row
 * knows is -EBADMSG too. @ret_reader, which may be NULL: the row.
 */
int reader_read(const void *bytes, size_t size, struct profile **ret,
		const struct reader **ret_reader, struct error *err);
/*
 * The profile in the file @path; "-" is standard input. Returns 0 or a negative
 * errno, with "cannot read: PATH: reason" in @err.
 */
int reader_read_file(const char *path, struct profile **ret, const struct reader **ret_reader,
		     struct error *err);

#endif
