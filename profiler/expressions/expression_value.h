/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * expression_value.h - the values of a site: what is fetched, and how it is shown.
 */
#ifndef WICK_EXPRESSION_VALUE_H
#define WICK_EXPRESSION_VALUE_H

#include "profiler/expressions/expression_place.h"

/* A layout in the making. */
struct expression_compilation {
	struct expression_context context;
	struct probe_layout *layout;
	/* Texts without a size of their own: they share what room there is. */
	uint32_t default_sizes;		/* bits of values */
	size_t constant_count;		/* texts of the filter */
	bool has_room;			/* false: the last refusal was for the number of values */
};

/* What an expression gives, before it has a number. */
struct expression_value {
	struct probe_fetch fetch;
	struct probe_fetch origin;	/* the earlier value that it begins with */
	bool has_origin;
	struct probe_fetch socket;	/* of a packet */
	bool has_socket;
	struct probe_value value;
	struct value_type type;
	bool has_default_size;
};

enum expression_use {
	EXPRESSION_SHOWN,	/* a value of its own, in the order of the list */
	EXPRESSION_HIDDEN,	/* the same as one that is there already, or else a hidden one */
};

/* Each returns 0 (or a number) or a negative errno, with the place in the lexer's error. */
int expression_value_read(struct expression_compilation *compilation,
			  const struct expression_node *node, struct expression_value *ret);
/* As what it lies as: a number, also where a text would be shown. */
int expression_value_number(struct expression_compilation *compilation,
			    const struct expression_node *node, struct expression_value *ret);
int expression_value_from_place(struct expression_compilation *compilation,
				const struct expression_node *node,
				const struct expression_place *place, struct expression_value *ret);
/* Returns the number of the value at the site. */
int expression_value_add(struct expression_compilation *compilation,
			 const struct expression_node *node, const struct expression_value *value,
			 enum expression_use use);
/* Of a number, before it is widened to 64. */
unsigned int expression_value_bits(const struct expression_value *value);
/* Gives texts without a size theirs, once all values are there. */
int expression_sizes_share(struct expression_compilation *compilation);

#endif
