/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * expression_constant.h - what a filter compares with: numbers, names of numbers, texts.
 *
 * Read in the light of the value on the other side, whose type has names and bounds.
 */
#ifndef WICK_EXPRESSION_CONSTANT_H
#define WICK_EXPRESSION_CONSTANT_H

#include "profiler/expressions/expression_value.h"

struct expression_constant {
	char text[PROBE_CONSTANT_BYTES];
	size_t text_bytes;
	bool is_prefix;
};

/* A number, a text, or a name that is nothing that could be read. */
bool expression_is_constant(const struct expression_context *context,
			    const struct expression_node *node);
/*
 * As the 64 bits that @value is compared with. Numbers it never has are refused, for a comparison
 * that never holds is a slip. Each returns 0 or -EINVAL with the place in the lexer's error.
 */
int expression_constant_number(const struct expression_context *context,
			       const struct expression_node *node,
			       const struct expression_value *value, enum probe_operator op,
			       uint64_t *ret);
int expression_constant_text(const struct expression_context *context,
			     const struct expression_node *node,
			     const struct expression_value *value, struct expression_constant *ret);

#endif
