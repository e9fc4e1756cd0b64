/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record_write.h - the finished profile into every output.
 *
 * A format that shows one value gets a file per source when the profile has
 * several, x.cpu.folded and x.offcpu.folded, unless --value picks one.
 */
#ifndef WICK_RECORD_WRITE_H
#define WICK_RECORD_WRITE_H

#include <stdbool.h>
#include <stdint.h>
#include "formats/profile.h"
#include "tools/record/record_output.h"
#include "tools/signals.h"

struct record_file {
	char *path;
	const struct writer *writer;
	uint64_t bytes;
	bool in_place;
};

/* What was written, for the summary. */
struct record_files {
	struct record_file *files;
	size_t count, capacity;
};

/*
 * Write @profile to each of @outputs. What fails is said at once, and the
 * others are still written. Returns 0, or the last failure. @signals may be
 * NULL; @ret holds what was written in any case.
 */
int record_write(const struct record_outputs *outputs, const struct record_options *options,
		 const struct profile *profile, struct signals *signals, struct record_files *ret);
void record_files_done(struct record_files *files);

/*
 * @path with @source before the @suffix of its format, or at its end when it
 * has another one. The caller frees it; NULL: no memory.
 */
char *record_source_path(const char *path, const char *suffix, const char *source);

#endif
