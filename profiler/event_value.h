/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * event_value.h - what a probe sent with an event, value by value.
 */
#ifndef WICK_EVENT_VALUE_H
#define WICK_EVENT_VALUE_H

#include "profiler/events.h"
#include "profiler/expressions/probe_expression.h"

/*
 * Value number @index of @layout as @values has it, of the system call @call, or NULL. Returns false for
 * one that is not shown. @ret points into both.
 */
bool event_value_fill(const struct probe_layout *layout, const struct probe_values *values,
		      size_t index, const char *call, struct event_value *ret);
/* Whether it is the result of a call that failed: a negative number that is no address. */
bool event_value_is_failure(const struct event_value *value);

/* Leave out arguments that the call does not take. Returns how many remain. */
size_t event_values_drop_unused(struct event_value *values, size_t count);

#endif
