/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * expression_place.h - where the value of an expression lies, found by walking it through types.
 *
 * Between what is written and what BPF fetches: a place still knows its type, and can be followed
 * further.
 */
#ifndef WICK_EXPRESSION_PLACE_H
#define WICK_EXPRESSION_PLACE_H

#include "profiler/expressions/expression_parser.h"
#include "profiler/expressions/probe_expression.h"
#include "profiler/expressions/value_type.h"

/* What an expression is compiled against; the lexer says where the messages point. */
struct expression_context {
	const struct probe_scope *scope;
	const struct expression_lexer *lexer;
};

struct expression_place {
	/* base, index, steps and offset; the rest is decided by how it is read. */
	struct probe_fetch fetch;
	/* A value of its own that the fetch begins with: memory of two kinds is not read by one. */
	struct probe_fetch origin;
	bool has_origin;
	struct probe_fetch socket;	/* of a packet: the value that is the address of its socket */
	bool has_socket;
	struct value_type type;
	bool in_memory;		/* it lies at the offset; else it is what base and steps give */
	bool is_user;		/* the memory that the next read is of */
	bool is_kept;		/* an argument that is read where its function is entered */
	bool is_fixed;		/* the fetch is ready as it is, and cannot be followed */
	uint8_t bit_shift, bit_count;
	/* It lies in registers from value_offset on: a struct that is passed by value. */
	const struct type_argument *pieces;
	uint64_t value_offset;
	bool has_show;
	enum probe_show show;	/* of the value itself, not of what it points to */
};

/* Each returns 0 or -EINVAL with the place in the lexer's error. */
int expression_place_find(const struct expression_context *context,
			  const struct expression_node *node, struct expression_place *ret);
/* A name: field, argument, "arg1", "ret", "pid" … @node is for the message. */
int expression_place_name(const struct expression_context *context,
			  const struct expression_node *node, struct expression_place *ret);
/* Argument @index of the scope's function, counted from 0. */
int expression_place_argument(const struct expression_context *context,
			      const struct expression_node *node, size_t index,
			      struct expression_place *ret);
int expression_place_field(const struct expression_context *context,
			   const struct probe_field *field, struct expression_place *ret);
/*
 * Which word of a context argument @index begins at, and, of the one behind the last, how many there are:
 * structs of two registers have two, on the kernels that know them.
 */
unsigned int expression_word_index(const struct type_function *function, size_t index);
/* Whether there is anything of that name: what is none may be a constant. */
bool expression_name_exists(const struct probe_scope *scope, const char *name, size_t size);
/* Ends the fetch there, as a value of its own that another one begins with. */
void expression_place_split(struct expression_place *place);
/* From a struct's place to what lies @offset bytes in it, and is of @type. */
int expression_place_enter(const struct expression_context *context,
			   const struct expression_node *node, uint64_t offset,
			   const struct value_type *type, struct expression_place *place);
/* To what a pointer or a reference leads, or an array's first element, with its type. */
int expression_place_dereference(const struct expression_context *context,
				 const struct expression_node *node,
				 struct expression_place *place);
/* To what the place holds the address of; its type is not changed. */
int expression_place_follow(const struct expression_context *context,
			    const struct expression_node *node, struct expression_place *place);

#endif
