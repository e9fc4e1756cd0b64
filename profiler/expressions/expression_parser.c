/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * By recursive descent, a function per rule:
 *
 *	filter     and { "||" and }
 *	and        not { "&&" not }
 *	not        "!" not | formed [ ("==" | "!=" | "<" | "<=" | ">" | ">=" | "&") formed ]
 *	formed     unary [ ":" NAME [ "[" (NUMBER | formed) "]" ] ]
 *	unary      ("*" | "&" | "-" | "(" type ")") unary | postfix
 *	postfix    primary { "->" NAME | "." NAME | "[" NUMBER "]" }
 *	primary    NAME | NUMBER | TEXT | "(" filter ")"
 *	type       NAME { NAME } { "*" }
 */
#include "profiler/expressions/expression_parser.h"

#include <errno.h>
#include <string.h>

/* Parentheses, stars and the like in each other. */
#define DEPTH_MAX 40

static int parse_filter(struct expression *e, const struct expression_node **ret);
static int parse_formed(struct expression *e, const struct expression_node **ret);
static int parse_unary(struct expression *e, const struct expression_node **ret);

static int advance(struct expression *e)
{
	return expression_lexer_read(&e->lexer, &e->token);
}

static int refuse_token(struct expression *e, const char *expected)
{
	return expression_refuse(&e->lexer, e->token.at, "expected %s", expected);
}

/* Moves on if @operator is next. Returns 1, 0 when it is not, or a negative errno. */
static int accept_operator(struct expression *e, const char *operator)
{
	int r;

	if (!expression_token_is(&e->token, operator))
		return 0;
	r = advance(e);
	return r < 0 ? r : 1;
}

static int expect_operator(struct expression *e, const char *operator, const char * expected)
{
	if (!expression_token_is(&e->token, operator))
		return refuse_token(e, expected);
	return advance(e);
}

static int add_node(struct expression *e, const struct expression_node *node,
		    const struct expression_node **ret)
{
	if (e->node_count == EXPRESSION_NODES_MAX)
		return expression_refuse(&e->lexer, node->at, "it is too long from here on");
	e->nodes[e->node_count] = *node;
	*ret = &e->nodes[e->node_count++];
	return 0;
}

static int enter(struct expression *e)
{
	if (++e->depth > DEPTH_MAX)
		return expression_refuse(&e->lexer, e->token.at, "more than %d levels deep",
					 DEPTH_MAX);
	return 0;
}

static int parse_primary(struct expression *e, const struct expression_node **ret)
{
	struct expression_node node = { .at = e->token.at, .text = e->token.at,
					.size = e->token.size, .number = e->token.number };
	int r;

	r = accept_operator(e, "(");
	if (r < 0)
		return r;
	if (r) {
		r = parse_filter(e, ret);
		return r < 0 ? r : expect_operator(e, ")", "')'");
	}
	if (e->token.kind == TOKEN_NAME)
		node.kind = EXPRESSION_NAME;
	else if (e->token.kind == TOKEN_NUMBER)
		node.kind = EXPRESSION_NUMBER;
	else if (e->token.kind == TOKEN_TEXT)
		node.kind = EXPRESSION_TEXT;
	else
		return refuse_token(e, "a value");
	r = advance(e);
	return r < 0 ? r : add_node(e, &node, ret);
}

static int parse_member(struct expression *e, struct expression_node *node)
{
	node->kind = expression_token_is(&e->token, ".") ? EXPRESSION_MEMBER : EXPRESSION_ARROW;
	node->at = e->token.at;
	if (advance(e) < 0)
		return -EINVAL;
	if (e->token.kind != TOKEN_NAME)
		return refuse_token(e, "the name of a member");
	node->text = e->token.at;
	node->size = e->token.size;
	return advance(e);
}

static int parse_index(struct expression *e, struct expression_node *node)
{
	node->kind = EXPRESSION_INDEX;
	node->at = e->token.at;
	if (advance(e) < 0)
		return -EINVAL;
	if (e->token.kind != TOKEN_NUMBER)
		return refuse_token(e, "a number");
	node->number = e->token.number;
	if (advance(e) < 0)
		return -EINVAL;
	return expect_operator(e, "]", "']'");
}

static int parse_postfix(struct expression *e, const struct expression_node **ret)
{
	int r;

	r = parse_primary(e, ret);
	while (r >= 0) {
		struct expression_node node = { .left = *ret };

		if (expression_token_is(&e->token, ".") || expression_token_is(&e->token, "->"))
			r = parse_member(e, &node);
		else if (expression_token_is(&e->token, "["))
			r = parse_index(e, &node);
		else
			return 0;
		if (r >= 0)
			r = add_node(e, &node, ret);
	}
	return r;
}

/*
 * Whether "(" begins a cast: words, stars, ")", and then something that is cast. "(a) & b" is not one.
 * Moves behind the ")" and fills @node when it is; otherwise nothing is moved.
 */
static bool parse_cast(struct expression *e, struct expression_node *node)
{
	struct expression_lexer lexer = e->lexer;
	struct expression_token token = { 0 };
	size_t words = 0, stars = 0;

	lexer.err = NULL;
	if (!expression_token_is(&e->token, "(") || expression_lexer_read(&lexer, &token) < 0)
		return false;
	node->kind = EXPRESSION_CAST;
	node->at = e->token.at;
	node->text = token.at;
	for (;; words += token.kind == TOKEN_NAME, stars += token.kind != TOKEN_NAME) {
		if (words || stars) {
			if (expression_lexer_read(&lexer, &token) < 0)
				return false;
		}
		if (!(token.kind == TOKEN_NAME && !stars) &&
		    !(expression_token_is(&token, "*") && words))
			break;
	}
	if (!words || !expression_token_is(&token, ")"))
		return false;
	node->size = token.at - node->text;
	if (expression_lexer_read(&lexer, &token) < 0)
		return false;
	if (words == 1 && !stars && token.kind != TOKEN_NAME && !expression_token_is(&token, "("))
		return false;
	lexer.err = e->lexer.err;
	e->lexer = lexer;
	e->token = token;
	return true;
}

/* "-1", "-ENOENT". */
static int parse_negative(struct expression *e, const struct expression_node **ret)
{
	const char *at = e->token.at;
	const struct expression_node *node;
	int r;

	if (advance(e) < 0)
		return -EINVAL;
	if (e->token.kind != TOKEN_NUMBER && e->token.kind != TOKEN_NAME)
		return refuse_token(e, "a number");
	r = parse_primary(e, &node);
	if (r < 0)
		return r;
	e->nodes[e->node_count - 1].is_negative = true;
	e->nodes[e->node_count - 1].at = at;
	*ret = node;
	return 0;
}

static int parse_unary(struct expression *e, const struct expression_node **ret)
{
	struct expression_node node = { .at = e->token.at };
	int r;

	if (expression_token_is(&e->token, "-"))
		return parse_negative(e, ret);
	if (expression_token_is(&e->token, "*"))
		node.kind = EXPRESSION_DEREFERENCE;
	else if (expression_token_is(&e->token, "&"))
		node.kind = EXPRESSION_ADDRESS;
	else if (!parse_cast(e, &node))
		return parse_postfix(e, ret);
	r = node.kind == EXPRESSION_CAST ? 0 : advance(e);
	if (r >= 0)
		r = enter(e);
	if (r >= 0)
		r = parse_unary(e, &node.left);
	e->depth--;
	return r < 0 ? r : add_node(e, &node, ret);
}

/* Behind ":": "str", "bytes[16]", "bytes[arg3]". */
static int parse_form(struct expression *e, struct expression_node *node)
{
	int r;

	node->kind = EXPRESSION_FORM;
	node->at = node->text = e->token.at;
	node->size = e->token.size;
	if (e->token.kind != TOKEN_NAME)
		return refuse_token(e, "how it is read: str, bytes[N], x, s32, u64 and the like");
	r = advance(e);
	if (r >= 0)
		r = accept_operator(e, "[");
	if (r <= 0)
		return r;
	if (e->token.kind == TOKEN_NUMBER) {
		node->number = e->token.number;
		node->has_number = true;
		r = advance(e);
	} else {
		r = parse_formed(e, &node->right);
	}
	return r < 0 ? r : expect_operator(e, "]", "']'");
}

static int parse_formed(struct expression *e, const struct expression_node **ret)
{
	struct expression_node node = { 0 };
	int r;

	r = enter(e);
	if (r >= 0)
		r = parse_unary(e, ret);
	if (r >= 0)
		r = accept_operator(e, ":");
	if (r > 0) {
		node.left = *ret;
		r = parse_form(e, &node);
		if (r >= 0)
			r = add_node(e, &node, ret);
	}
	e->depth--;
	return r < 0 ? r : 0;
}

static bool is_condition(const struct expression_node *node)
{
	return node->kind >= EXPRESSION_COMPARE;
}

static int parse_comparison(struct expression *e, const struct expression_node **ret)
{
	static const char *const comparisons[] = { "==", "!=", "<", "<=", ">", ">=", "&" };
	struct expression_node node = { .kind = EXPRESSION_COMPARE };
	size_t i;
	int r;

	r = parse_formed(e, ret);
	if (r < 0)
		return r;
	node.left = *ret;
	node.at = e->token.at;
	if (expression_token_is(&e->token, "="))
		return refuse_token(e, "'==' for a comparison");
	for (i = 0; i < ARRAY_SIZE(comparisons); i++)
		if (expression_token_is(&e->token, comparisons[i]))
			break;
	if (i == ARRAY_SIZE(comparisons))
		return 0;
	if (is_condition(node.left))
		return expression_refuse(&e->lexer, node.at, "expected && or || after a condition");
	strcpy(node.operator, comparisons[i]);
	r = advance(e);
	if (r >= 0)
		r = parse_formed(e, &node.right);
	if (r < 0)
		return r;
	if (is_condition(node.right))
		return expression_refuse(&e->lexer, node.right->at,
					 "expected a value, this is a condition");
	return add_node(e, &node, ret);
}

static int parse_not(struct expression *e, const struct expression_node **ret)
{
	struct expression_node node = { .kind = EXPRESSION_NOT, .at = e->token.at };
	int r;

	r = accept_operator(e, "!");
	if (r < 0)
		return r;
	if (!r)
		return parse_comparison(e, ret);
	r = enter(e);
	if (r >= 0)
		r = parse_not(e, &node.left);
	e->depth--;
	return r < 0 ? r : add_node(e, &node, ret);
}

/* Conditions with @operator between them; && binds more than ||. */
static int parse_joined(struct expression *e, enum expression_kind kind,
			const struct expression_node **ret)
{
	struct expression_node node = { .kind = kind };
	const char *operator= kind == EXPRESSION_OR ? "||" : "&&";
	int r;

	for (;;) {
		if (kind == EXPRESSION_OR)
			r = parse_joined(e, EXPRESSION_AND, ret);
		else
			r = parse_not(e, ret);
		if (r >= 0 && node.left) {
			node.right = *ret;
			r = add_node(e, &node, ret);
		}
		node.left = *ret;
		node.at = e->token.at;
		if (r >= 0)
			r = accept_operator(e, operator);
		if (r <= 0)
			return r;
	}
}

static int parse_filter(struct expression *e, const struct expression_node **ret)
{
	int r;

	r = enter(e);
	if (r >= 0)
		r = parse_joined(e, EXPRESSION_OR, ret);
	e->depth--;
	return r;
}

static int begin(struct expression *e, const char *what, const char *text, struct error *err)
{
	memset(e, 0, sizeof(*e));
	e->lexer = (struct expression_lexer){ .what = what, .text = text, .next = text,
					      .err = err };
	return advance(e);
}

/* "name=" before a value; "name==" is none. */
static int parse_item_name(struct expression *e, struct expression_item *item)
{
	struct expression_lexer lexer = e->lexer;
	struct expression_token token;

	lexer.err = NULL;
	if (e->token.kind != TOKEN_NAME || expression_lexer_read(&lexer, &token) < 0 ||
	    !expression_token_is(&token, "="))
		return 0;
	item->name = e->token.at;
	item->name_size = e->token.size;
	lexer.err = e->lexer.err;
	e->lexer = lexer;
	return advance(e);
}

/* Conditions have no place in lists of values, where only parentheses can hide them. */
static int check_no_condition(struct expression *e)
{
	for (size_t i = 0; i < e->node_count; i++)
		if (is_condition(&e->nodes[i]))
			return expression_refuse(&e->lexer, e->nodes[i].at,
						 "expected a value, this is a condition");
	return 0;
}

int expression_parse_values(const char *what, const char *text, char separator,
			    struct expression *ret, struct error *err)
{
	const char separators[2] = { separator };
	struct expression *e = ret;
	int r;

	r = begin(e, what, text, err);
	while (r >= 0) {
		struct expression_item *item = &e->items[e->item_count];

		if (e->item_count == EXPRESSION_ITEMS_MAX)
			return expression_refuse(&e->lexer, e->token.at, "more than %d values",
						 EXPRESSION_ITEMS_MAX);
		r = parse_item_name(e, item);
		if (r < 0)
			return r;
		item->text = e->token.at;
		r = parse_formed(e, &item->root);
		if (r < 0)
			return r;
		item->text_size = e->token.at - item->text;
		while (item->text_size && item->text[item->text_size - 1] == ' ')
			item->text_size--;
		e->item_count++;
		if (e->token.kind == TOKEN_END)
			return check_no_condition(e);
		r = expect_operator(e, separators, separator == ',' ? "','" : "'+'");
	}
	return r;
}

int expression_parse_filter(const char *text, struct expression *ret, struct error *err)
{
	struct expression *e = ret;
	int r;

	r = begin(e, "filter", text, err);
	if (r >= 0)
		r = parse_filter(e, &e->items[0].root);
	if (r < 0)
		return r;
	if (e->token.kind != TOKEN_END)
		return refuse_token(e, "&& or ||");
	/* A value and nothing else: that it is not zero. */
	e->item_count = 1;
	return 0;
}
