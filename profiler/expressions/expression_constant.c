/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/expressions/expression_constant.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "profiler/base/suggest.h"
#include "profiler/probes/probe_names.h"

#define NAME_BYTES 64
#define ADDRESS4_BYTES 4
#define ADDRESS6_BYTES 16

static const struct {
	const char *name;
	uint64_t number;
} words[] = { { "true", 1 }, { "false", 0 }, { "NULL", 0 } };

bool expression_is_constant(const struct expression_context *context,
			    const struct expression_node *node)
{
	switch (node->kind) {
	case EXPRESSION_NUMBER:
	case EXPRESSION_TEXT:
		return true;
	case EXPRESSION_NAME:
		return node->is_negative ||
		       !expression_name_exists(context->scope, node->text, node->size);
	default:
		return false;
	}
}

static int find_enumerator(const struct type_info *type, const char *name,
			   struct suggestion *suggestion, uint64_t *ret)
{
	struct type_enumerator enumerator;

	if (!type->provider || !type->provider->enumerator)
		return -ENOENT;
	for (size_t i = 0; type->provider->enumerator(type, i, &enumerator) == 0; i++) {
		if (!strcmp(enumerator.name, name)) {
			*ret = (uint64_t)enumerator.value;
			return 0;
		}
		suggestion_offer(suggestion, enumerator.name);
	}
	return -ENOENT;
}

static int read_name(const struct expression_context *context, const struct expression_node *node,
		     const struct expression_value *value, uint64_t *ret)
{
	char name[NAME_BYTES];
	struct suggestion suggestion = { .wanted = name };
	const char *nearest;

	snprintf(name, sizeof(name), "%.*s", (int)node->size, node->text);
	if (find_enumerator(&value->type.info, name, &suggestion, ret) == 0 ||
	    probe_name_find(value->value.show, name, ret) == 0)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!strcmp(words[i].name, name)) {
			*ret = words[i].number;
			return 0;
		}
	}
	nearest = suggestion_get(&suggestion);
	if (nearest)
		return expression_refuse(context->lexer, node->at,
					 "there is no '%s'; did you mean '%s'?", name, nearest);
	/* It may have been meant as a value. */
	if (!node->is_negative)
		return expression_place_name(context, node, &(struct expression_place){ 0 });
	return expression_refuse(context->lexer, node->at, "there is no '%s'", name);
}

static int refuse_range(const struct expression_context *context,
			const struct expression_node *node, const struct expression_value *value)
{
	bool is_signed = value->fetch.flags & PROBE_FETCH_SIGNED;

	return expression_refuse(
		context->lexer, node->at,
		"a%s number of %u bits is never that; ':%c64' and the like read it "
		"otherwise",
		is_signed ? " signed" : "n unsigned", expression_value_bits(value),
		is_signed ? 'u' : 's');
}

/* As in C, "== -1" is also true of an unsigned number with all bits set, and "== 0xffffffff" of an int's -1. */
static int fit(const struct expression_context *context, const struct expression_node *node,
	       const struct expression_value *value, enum probe_operator op, uint64_t number,
	       bool is_negative, uint64_t *ret)
{
	unsigned int bits = expression_value_bits(value);
	uint64_t mask = bits < 64 ? (1ULL << bits) - 1 : UINT64_MAX;
	uint64_t top = 1ULL << (bits - 1);
	bool is_equality = op == PROBE_EQUAL || op == PROBE_NOT_EQUAL || op == PROBE_ANY_BIT;
	bool is_signed = value->fetch.flags & PROBE_FETCH_SIGNED;

	if (is_negative && number > top)
		return refuse_range(context, node, value);
	if (is_negative && is_signed) {
		*ret = -number;
		return 0;
	}
	if (is_negative)
		number = -number & mask;
	if (number > mask || ((is_negative || (is_signed && number >= top)) && !is_equality))
		return refuse_range(context, node, value);
	*ret = is_signed && number >= top ? number | ~mask : number;
	return 0;
}

int expression_constant_number(const struct expression_context *context,
			       const struct expression_node *node,
			       const struct expression_value *value, enum probe_operator op,
			       uint64_t *ret)
{
	uint64_t number = node->number;
	bool is_negative = node->is_negative;
	int r;

	if (node->kind == EXPRESSION_NAME) {
		r = read_name(context, node, value, &number);
		if (r < 0)
			return r;
		/* An enumerator may be negative itself. */
		if ((int64_t)number < 0) {
			is_negative = !is_negative;
			number = -number;
		}
		if (op == PROBE_ANY_BIT && !number)
			return expression_refuse(context->lexer, node->at,
						 "this is 0, and has no bits; '==' compares");
	}
	return fit(context, node, value, op, number, is_negative && number, ret);
}

/* Addresses of the network are written as people write them, and compared as bytes. */
static int read_address(const struct expression_context *context,
			const struct expression_node *node, const struct expression_value *value,
			struct expression_constant *constant)
{
	char text[PROBE_CONSTANT_BYTES + 1] = "";

	memcpy(text, constant->text, constant->text_bytes);
	if (!constant->is_prefix && inet_pton(AF_INET, text, constant->text) == 1) {
		constant->text_bytes = ADDRESS4_BYTES;
		if (value->fetch.base == PROBE_BASE_PACKET || value->fetch.size != ADDRESS6_BYTES)
			return 0;
		/* A field with room for both has it mapped. */
		snprintf(text, sizeof(text), "::ffff:%.*s", (int)node->size - 2, node->text + 1);
	}
	if (!constant->is_prefix && inet_pton(AF_INET6, text, constant->text) == 1) {
		constant->text_bytes = ADDRESS6_BYTES;
		return 0;
	}
	return expression_refuse(context->lexer, node->at,
				 "expected an address, as in \"10.0.0.1\" or \"fe80::1\"");
}

int expression_constant_text(const struct expression_context *context,
			     const struct expression_node *node,
			     const struct expression_value *value, struct expression_constant *ret)
{
	struct expression_constant constant = { 0 };
	struct expression_lexer lexer = *context->lexer;
	uint16_t size = value->fetch.size;
	int r;

	if (value->fetch.form == PROBE_NUMBER)
		return expression_refuse(
			context->lexer, node->at,
			"it is a number that is compared; ':str' reads the text that "
			"lies at it");
	r = expression_text_read(&lexer, node->at, node->size, constant.text, sizeof(constant.text),
				 &constant.is_prefix);
	if (r < 0)
		return r;
	constant.text_bytes = r;
	if (value->value.show == PROBE_SHOW_ADDRESS || value->value.show == PROBE_SHOW_ADDRESS4) {
		r = read_address(context, node, value, &constant);
		if (r < 0)
			return r;
	}
	if (!value->has_default_size && constant.text_bytes > size)
		return expression_refuse(context->lexer, node->at,
					 "only %u bytes are read, which are never that", size);
	*ret = constant;
	return 0;
}
