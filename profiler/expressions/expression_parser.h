/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * expression_parser.h - an expression as a tree.
 *
 * Knows how things are written, and neither types nor what can be named. A tree lives in the
 * caller's struct expression and points into the text; nothing is allocated.
 */
#ifndef WICK_EXPRESSION_PARSER_H
#define WICK_EXPRESSION_PARSER_H

#include "profiler/expressions/expression_lexer.h"

#define EXPRESSION_NODES_MAX 160
#define EXPRESSION_ITEMS_MAX 16

enum expression_kind {
	EXPRESSION_NAME,
	EXPRESSION_NUMBER,
	EXPRESSION_TEXT,
	EXPRESSION_MEMBER,	/* left.text */
	EXPRESSION_ARROW,	/* left->text */
	EXPRESSION_INDEX,	/* left[number] */
	EXPRESSION_DEREFERENCE,	/* *left */
	EXPRESSION_ADDRESS,	/* &left */
	EXPRESSION_CAST,	/* (text)left */
	EXPRESSION_FORM,	/* left:text, left:text[number], left:text[right] */
	EXPRESSION_COMPARE,	/* left operator right */
	EXPRESSION_AND,
	EXPRESSION_OR,
	EXPRESSION_NOT,
};

struct expression_node {
	enum expression_kind kind;
	const char *at;		/* where it is written, for messages */
	const char *text;
	size_t size;
	uint64_t number;
	bool is_negative;	/* a NAME or NUMBER with '-' before it */
	bool has_number;	/* FORM */
	char operator[3];
	const struct expression_node *left, *right;
};

/* Of a list: "name=root", or only a root, which was written as text. */
struct expression_item {
	const char *name, *text;
	size_t name_size, text_size;
	const struct expression_node *root;
};

struct expression {
	struct expression_lexer lexer;
	struct expression_token token;	/* the next one */
	unsigned int depth;
	size_t node_count, item_count;
	struct expression_node nodes[EXPRESSION_NODES_MAX];
	struct expression_item items[EXPRESSION_ITEMS_MAX];
};

/*
 * Values, with @separator between them, into @ret->items; one at least. @what says what they are
 * for. Returns 0, or -EINVAL with the place in @err, as each of these.
 */
int expression_parse_values(const char *what, const char *text, char separator,
			    struct expression *ret, struct error *err);
/* A filter, whose root is that of items[0]. */
int expression_parse_filter(const char *text, struct expression *ret, struct error *err);

#endif
