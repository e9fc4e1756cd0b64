/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * expression_filter.h - a filter as a list of comparisons, each of which says where to go on.
 */
#ifndef WICK_EXPRESSION_FILTER_H
#define WICK_EXPRESSION_FILTER_H

#include "profiler/expressions/expression_value.h"

/* Adds terms, and the values they compare. Returns 0 or a negative errno. */
int expression_filter_compile(struct expression_compilation *compilation,
			      const struct expression_node *root);

#endif
