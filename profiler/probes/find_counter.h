/* SPDX-License-Identifier: BSD-2-Clause */
/* find_counter.h - the counters of perf events by name, for lists. */
#ifndef WICK_FIND_COUNTER_H
#define WICK_FIND_COUNTER_H

#include <stddef.h>

/* Of "hw" or "sw"; NULL after the last. */
const char *counter_name(const char *scheme, size_t index);

#endif
