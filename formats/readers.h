/* SPDX-License-Identifier: BSD-2-Clause */
/* readers.h - the functions behind the rows of reader_table.c; everyone else uses the rows. */
#ifndef WICK_READERS_H
#define WICK_READERS_H

#include "formats/reader.h"

bool pprof_detect(const void *bytes, size_t size);
int pprof_read(const void *bytes, size_t size, struct profile **ret, struct error *err);
bool folded_detect(const void *bytes, size_t size);
int folded_read(const void *bytes, size_t size, struct profile **ret, struct error *err);

#endif
