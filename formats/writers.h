/* SPDX-License-Identifier: BSD-2-Clause */
/* writers.h - the functions behind the rows of writer_table.c; everyone else uses the rows. */
#ifndef WICK_WRITERS_H
#define WICK_WRITERS_H

#include "formats/writer.h"

int pprof_write(const struct profile *profile, const struct writer_options *options,
		struct sink *sink);
int pprof_write_gzip(const struct profile *profile, const struct writer_options *options,
		     struct sink *sink);
int folded_write(const struct profile *profile, const struct writer_options *options,
		 struct sink *sink);
int svg_write(const struct profile *profile, const struct writer_options *options,
	      struct sink *sink);

#endif
