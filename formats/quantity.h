/* SPDX-License-Identifier: BSD-2-Clause */
/* quantity.h - values of a profile as people read them: "1.23 s", "4.5 MiB", "12,345 samples". */
#ifndef WICK_QUANTITY_H
#define WICK_QUANTITY_H

#include <stdint.h>
#include "profiler/base/strbuf.h"

/*
 * @unit "nanoseconds" and "bytes" are scaled to three digits; anything else is
 * counted in full, with @type after it ("samples").
 */
void quantity_print(struct strbuf *buf, int64_t value, const char *type, const char *unit);
/* "12,345" */
void quantity_print_count(struct strbuf *buf, int64_t value);

#endif
