/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/expressions/expression_filter.h"

#include <errno.h>
#include <string.h>

#include "profiler/expressions/expression_constant.h"

/* Where a condition leads: numbers of terms, PROBE_ACCEPT or PROBE_REJECT. */
struct targets {
	uint8_t if_true, if_false;
};

static const struct comparison {
	const char *text;
	enum probe_operator op;
	enum probe_operator negated;	/* says the opposite of what could be read */
	enum probe_operator mirrored;	/* sides exchanged */
} comparisons[] = {
	{ "==", PROBE_EQUAL, PROBE_NOT_EQUAL, PROBE_EQUAL },
	{ "!=", PROBE_NOT_EQUAL, PROBE_EQUAL, PROBE_NOT_EQUAL },
	{ "<", PROBE_LESS, PROBE_GREATER_EQUAL, PROBE_GREATER },
	{ "<=", PROBE_LESS_EQUAL, PROBE_GREATER, PROBE_GREATER_EQUAL },
	{ ">", PROBE_GREATER, PROBE_LESS_EQUAL, PROBE_LESS },
	{ ">=", PROBE_GREATER_EQUAL, PROBE_LESS, PROBE_LESS_EQUAL },
	{ "&", PROBE_ANY_BIT, PROBE_ANY_BIT, PROBE_ANY_BIT },
};

/* A value on its own: that it is not zero. */
static const struct comparison is_not_zero = { "", PROBE_NOT_EQUAL, PROBE_EQUAL,
					       PROBE_NOT_EQUAL };

static const struct comparison *find_comparison(const struct expression_node *node)
{
	if (node->kind != EXPRESSION_COMPARE)
		return &is_not_zero;
	for (size_t i = 0; i < ARRAY_SIZE(comparisons); i++)
		if (!strcmp(comparisons[i].text, node->operator))
			return &comparisons[i];
	return &is_not_zero;
}

/* How many terms the condition takes. */
static size_t count_terms(const struct expression_node *node, bool negated)
{
	switch (node->kind) {
	case EXPRESSION_AND:
	case EXPRESSION_OR:
		return count_terms(node->left, negated) + count_terms(node->right, negated);
	case EXPRESSION_NOT:
		return count_terms(node->left, !negated);
	default:
		return negated && find_comparison(node)->op == PROBE_ANY_BIT ? 2 : 1;
	}
}

/* Texts that are compared with, each kept once. Returns its index. */
static int add_constant(struct expression_compilation *c, const struct expression_node *node,
			const struct expression_constant *constant)
{
	struct probe_site *site = &c->layout->site;
	size_t i;

	for (i = 0; i < c->constant_count; i++)
		if (site->constant_bytes[i] == constant->text_bytes &&
		    !memcmp(site->constants[i], constant->text, constant->text_bytes))
			return i;
	if (i == PROBE_CONSTANTS_MAX)
		return expression_refuse(c->context.lexer, node->at, "more than %d texts",
					 PROBE_CONSTANTS_MAX);
	memcpy(site->constants[i], constant->text, constant->text_bytes);
	site->constant_bytes[i] = constant->text_bytes;
	return c->constant_count++;
}

static void add_term(struct expression_compilation *c, struct probe_term term,
		     struct targets targets)
{
	struct probe_site *site = &c->layout->site;

	term.if_true = targets.if_true;
	term.if_false = targets.if_false;
	site->terms[site->term_count++] = term;
}

/*
 * "!(x & 4)": no operator says that no bit is set, and where x cannot be read the exchanged targets
 * would make it true. x == x is false only then.
 */
static void add_negated_bits(struct expression_compilation *c, struct probe_term term,
			     struct targets targets)
{
	struct probe_term readable = { .left = term.left, .right = term.left, .op = PROBE_EQUAL };
	uint8_t next = c->layout->site.term_count + 1;

	add_term(c, readable, (struct targets){ next, targets.if_false });
	add_term(c, term, (struct targets){ targets.if_false, targets.if_true });
}

static bool is_signed(const struct expression_value *value)
{
	/* The numbers of less than 64 bits are the same as signed ones. */
	return (value->fetch.flags & PROBE_FETCH_SIGNED) || expression_value_bits(value) < 64;
}

static int compare_values(struct expression_compilation *c, const struct expression_node *left,
			  const struct expression_node *right, struct probe_term *term)
{
	struct expression_value values[2];
	int r;

	r = expression_value_number(c, left, &values[0]);
	if (r >= 0)
		r = expression_value_add(c, left, &values[0], EXPRESSION_HIDDEN);
	if (r < 0)
		return r;
	term->left = r;
	r = expression_value_number(c, right, &values[1]);
	if (r >= 0)
		r = expression_value_add(c, right, &values[1], EXPRESSION_HIDDEN);
	if (r < 0)
		return r;
	term->right = r;
	if (is_signed(&values[0]) && is_signed(&values[1]))
		term->flags |= PROBE_TERM_SIGNED;
	return 0;
}

static int compare_text(struct expression_compilation *c, const struct expression_node *node,
			const struct expression_node *right, struct probe_term *term)
{
	struct expression_constant constant;
	struct expression_value value;
	int r;

	r = expression_value_read(c, node, &value);
	if (r >= 0)
		r = expression_constant_text(&c->context, right, &value, &constant);
	if (r < 0)
		return r;
	if (term->op != PROBE_EQUAL && term->op != PROBE_NOT_EQUAL)
		return expression_refuse(c->context.lexer, right->at,
					 "texts are compared by == and != only");
	r = add_constant(c, right, &constant);
	if (r < 0)
		return r;
	term->right = PROBE_RIGHT_CONSTANT;
	term->constant = r;
	term->flags |= PROBE_TERM_TEXT | (constant.is_prefix ? PROBE_TERM_PREFIX : 0);
	r = expression_value_add(c, node, &value, EXPRESSION_HIDDEN);
	if (r >= 0)
		term->left = r;
	return r;
}

static int compare_number(struct expression_compilation *c, const struct expression_node *node,
			  const struct expression_node *right, struct probe_term *term)
{
	struct expression_value value;
	int r;

	r = expression_value_number(c, node, &value);
	if (r < 0)
		return r;
	term->right = PROBE_RIGHT_CONSTANT;
	if (right)
		r = expression_constant_number(&c->context, right, &value, term->op,
					       &term->constant);
	if (r < 0)
		return r;
	if (value.fetch.flags & PROBE_FETCH_SIGNED)
		term->flags |= PROBE_TERM_SIGNED;
	r = expression_value_add(c, node, &value, EXPRESSION_HIDDEN);
	if (r >= 0)
		term->left = r;
	return r;
}

/* Two constants: one of them was meant as a value. */
static int refuse_constants(struct expression_compilation *c, const struct expression_node *left,
			    const struct expression_node *right)
{
	const struct expression_node *sides[] = { left, right };
	struct expression_place place;

	for (size_t i = 0; i < ARRAY_SIZE(sides); i++)
		if (sides[i] && sides[i]->kind == EXPRESSION_NAME && !sides[i]->is_negative)
			return expression_place_name(&c->context, sides[i], &place);
	return expression_refuse(c->context.lexer, left->at,
				 "nothing is read here that could be compared");
}

static int compile_comparison(struct expression_compilation *c, const struct expression_node *node,
			      bool negated, struct targets targets)
{
	const struct comparison *comparison = find_comparison(node);
	const struct expression_node *left = node, *right = NULL;
	struct probe_term term = { .op = negated ? comparison->negated : comparison->op };
	int r;

	if (node->kind == EXPRESSION_COMPARE) {
		bool swapped = expression_is_constant(&c->context, node->left);

		left = swapped ? node->right : node->left;
		right = swapped ? node->left : node->right;
		for (size_t i = 0; swapped && i < ARRAY_SIZE(comparisons); i++) {
			if (comparisons[i].op == term.op) {
				term.op = comparisons[i].mirrored;
				break;
			}
		}
	}
	if (expression_is_constant(&c->context, left))
		return refuse_constants(c, node->left ? node->left : node, node->right);
	if (right && right->kind == EXPRESSION_TEXT)
		r = compare_text(c, left, right, &term);
	else if (right && !expression_is_constant(&c->context, right))
		r = compare_values(c, left, right, &term);
	else
		r = compare_number(c, left, right, &term);
	if (r < 0)
		return r;
	if (negated && term.op == PROBE_ANY_BIT)
		add_negated_bits(c, term, targets);
	else
		add_term(c, term, targets);
	return 0;
}

/* Negations are carried down to the comparisons, where "cannot be read" stays false. */
static int compile_condition(struct expression_compilation *c, const struct expression_node *node,
			     bool negated, struct targets targets)
{
	struct targets first = targets;
	uint8_t second;
	int r;

	if (node->kind == EXPRESSION_NOT)
		return compile_condition(c, node->left, !negated, targets);
	if (node->kind != EXPRESSION_AND && node->kind != EXPRESSION_OR)
		return compile_comparison(c, node, negated, targets);
	second = c->layout->site.term_count + count_terms(node->left, negated);
	if ((node->kind == EXPRESSION_AND) != negated)
		first.if_true = second;
	else
		first.if_false = second;
	r = compile_condition(c, node->left, negated, first);
	return r < 0 ? r : compile_condition(c, node->right, negated, targets);
}

int expression_filter_compile(struct expression_compilation *c, const struct expression_node *root)
{
	size_t count = count_terms(root, false);

	if (count > PROBE_TERMS_MAX)
		return expression_refuse(c->context.lexer, root->at,
					 "%zu comparisons, and at most %d can be made", count,
					 PROBE_TERMS_MAX);
	return compile_condition(c, root, false, (struct targets){ PROBE_ACCEPT, PROBE_REJECT });
}
