/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * record_output.h - the files of -o: chosen and tried before anything is profiled.
 *
 * The suffix picks the writer; --format does where there is none. What has no
 * name to carry a suffix, as standard output, gets pprof without either, or
 * folded text on a terminal.
 */
#ifndef WICK_RECORD_OUTPUT_H
#define WICK_RECORD_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include "formats/writer.h"
#include "tools/record/record_options.h"

struct record_output {
	const char *path;		/* part of the options, or .default_path below */
	const struct writer *writer;
	bool in_place;			/* standard output, a device or a pipe: cannot be replaced */
};

struct record_outputs {
	struct record_output *items;
	size_t count;
	char *default_path;
};

/*
 * Find a writer for each -o of @options, and see that it can be written to.
 * @options must live as long. Returns 0 or a negative errno with @err;
 * record_outputs_done() is due in any case.
 */
int record_outputs_open(struct record_outputs *outputs, const struct record_options *options,
			struct error *err);
void record_outputs_done(struct record_outputs *outputs);

/* What to call @path when we talk of it. */
const char *record_output_shown(const char *path);
/* Fill @err with why @path cannot be written: @code, a negative errno, which is returned. */
int record_output_refuse(const char *path, int code, struct error *err);

#endif
