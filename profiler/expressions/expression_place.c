/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/expressions/expression_place.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "profiler/base/suggest.h"

#define NAME_BYTES 128
/* Offsets in a structure or an array; more is a slip. */
#define OFFSET_MAX ((int64_t)1 << 30)

static int add_offset(const struct expression_context *context, const struct expression_node *node,
		      uint64_t count, uint64_t bytes, struct expression_place *place)
{
	uint64_t distance;

	if (__builtin_mul_overflow(count, bytes, &distance) || distance > (uint64_t)OFFSET_MAX ||
	    place->fetch.offset + (int64_t)distance > OFFSET_MAX)
		return expression_refuse(context->lexer, node->at, "this is too far away");
	place->fetch.offset += (int64_t)distance;
	return 0;
}

/* From here on it is no longer what has a form and a way to be shown of its own. */
static void leave(struct expression_place *place)
{
	place->has_show = false;
	place->fetch.form = PROBE_NUMBER;
	place->fetch.size = 0;
}

void expression_place_split(struct expression_place *place)
{
	struct probe_fetch *origin = &place->origin;

	*origin = place->fetch;
	origin->form = PROBE_NUMBER;
	origin->bytes = sizeof(uint64_t);
	origin->size = origin->size_value = 0;
	origin->bit_shift = origin->bit_count = 0;
	origin->flags = place->is_kept ? PROBE_FETCH_AT_ENTRY : 0;
	if (place->in_memory)
		origin->flags |= PROBE_FETCH_MEMORY;
	if (place->is_user && (place->in_memory || origin->step_count))
		origin->flags |= PROBE_FETCH_USER;
	place->has_origin = true;
	place->fetch = (struct probe_fetch){ .base = PROBE_BASE_VALUE };
	place->in_memory = false;
}

int expression_place_follow(const struct expression_context *context,
			    const struct expression_node *node, struct expression_place *place)
{
	bool is_user = place->is_user || context->scope->is_user ||
		       (!place->type.pointers && place->type.info.is_user);

	if (place->is_fixed)
		return expression_refuse(context->lexer, node->at, "this leads nowhere");
	if (place->bit_count % 64)
		return expression_refuse(context->lexer, node->at, "a bit field is no address");
	if (place->in_memory && is_user != place->is_user)
		expression_place_split(place);
	if (place->in_memory) {
		if (place->fetch.step_count == PROBE_STEPS_MAX)
			return expression_refuse(context->lexer, node->at,
						 "more than %d pointers are followed",
						 PROBE_STEPS_MAX);
		place->fetch.step[place->fetch.step_count++] = place->fetch.offset;
		place->fetch.offset = 0;
	}
	place->in_memory = true;
	place->is_user = is_user;
	place->bit_shift = place->bit_count = 0;
	leave(place);
	return 0;
}

static void write_type(const struct expression_context *context,
		       const struct expression_place *place, char name[NAME_BYTES])
{
	value_type_write(context->scope->types, &place->type, name, NAME_BYTES);
}

int expression_place_dereference(const struct expression_context *context,
				 const struct expression_node *node, struct expression_place *place)
{
	enum type_kind kind = value_type_kind(&place->type);
	struct value_type target;
	char name[NAME_BYTES];

	if (place->is_fixed)
		return expression_refuse(context->lexer, node->at, "this leads nowhere");
	if (kind == TYPE_OTHER) {
		/* Nothing is known: 64 bits there, until something else is said. */
		target = value_type_unknown();
	} else if (value_type_target(context->scope->types, &place->type, &target) < 0) {
		write_type(context, place, name);
		return expression_refuse(context->lexer, node->at,
					 "it is not known where '%s' leads; a cast says it: "
					 "((struct file *)arg1)->f_flags",
					 name);
	}
	if (kind != TYPE_ARRAY) {
		int r = expression_place_follow(context, node, place);

		if (r < 0)
			return r;
	}
	place->type = target;
	leave(place);
	return 0;
}

static int refuse_member(const struct expression_context *context,
			 const struct expression_node *node, const struct type_info *type)
{
	char wanted[NAME_BYTES];
	struct suggestion suggestion = { .wanted = wanted };
	struct type_member member;
	const char *nearest;

	snprintf(wanted, sizeof(wanted), "%.*s", (int)node->size, node->text);
	for (size_t i = 0; type->provider->member_at &&
			   type->provider->member_at(type, i, &member) == 0;
	     i++)
		if (member.name)
			suggestion_offer(&suggestion, member.name);
	nearest = suggestion_get(&suggestion);
	return expression_refuse(context->lexer, node->at, "%s has no member '%s'%s%s%s",
				 type->name && *type->name ? type->name : "this type", wanted,
				 nearest ? "; did you mean '" : "", nearest ? nearest : "",
				 nearest ? "'?" : "");
}

/* The register that has @bytes at the place's offset. NULL: none has all of them. */
static const struct type_piece *find_piece(const struct expression_place *place, uint64_t bytes)
{
	const struct type_argument *argument = place->pieces;

	for (size_t i = 0; i < argument->piece_count; i++) {
		const struct type_piece *piece = &argument->pieces[i];

		if (place->value_offset >= piece->offset && bytes &&
		    place->value_offset + bytes <= (uint64_t)piece->offset + piece->bytes)
			return piece;
	}
	return NULL;
}

/* A number out of a struct in registers, or in words of a context: bits of one of them. */
static int take_register(const struct expression_context *context,
			 const struct expression_node *node, struct expression_place *place)
{
	uint64_t bytes = value_type_bytes(&place->type), begin = place->value_offset % 8;
	const struct type_piece *piece;

	if (place->fetch.base == PROBE_BASE_WORD) {
		place->fetch.index += place->value_offset / 8;
	} else {
		piece = find_piece(place, bytes);
		if (!piece || piece->reg >= PROBE_REGISTER_COUNT)
			return expression_refuse(context->lexer, node->at,
						 "this is not passed in a general register");
		place->fetch.base = PROBE_BASE_REGISTER;
		place->fetch.index = piece->reg;
		begin = place->value_offset - piece->offset;
	}
	if (!bytes || begin + bytes > 8)
		return expression_refuse(context->lexer, node->at,
					 "this is not passed in a general register");
	if (!place->bit_count && bytes < 8)
		place->bit_count = bytes * 8;
	place->bit_shift += begin * 8;
	place->pieces = NULL;
	return 0;
}

int expression_place_enter(const struct expression_context *context,
			   const struct expression_node *node, uint64_t offset,
			   const struct value_type *type, struct expression_place *place)
{
	enum type_kind kind = value_type_kind(type);

	place->type = *type;
	leave(place);
	if (place->in_memory)
		return add_offset(context, node, offset, 1, place);
	place->value_offset += offset;
	if (kind == TYPE_STRUCT || kind == TYPE_ARRAY)
		return 0;
	return take_register(context, node, place);
}

static int find_member(const struct expression_context *context, const struct expression_node *node,
		       struct expression_place *place)
{
	const struct type_info type = place->type.info;
	struct type_member member;
	char name[NAME_BYTES];
	int r;

	if (value_type_kind(&place->type) != TYPE_STRUCT || !type.provider ||
	    !type.provider->member) {
		write_type(context, place, name);
		return expression_refuse(context->lexer, node->at, "'%s' has no members", name);
	}
	snprintf(name, sizeof(name), "%.*s", (int)node->size, node->text);
	r = type.provider->member(&type, name, &member);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return refuse_member(context, node, &type);
	place->bit_shift = member.bit_shift;
	place->bit_count = member.bit_count;
	return expression_place_enter(context, node, member.offset,
				      &(struct value_type){ .info = member.type }, place);
}

static int take_member(const struct expression_context *context, const struct expression_node *node,
		       struct expression_place *place)
{
	enum type_kind kind = value_type_kind(&place->type);
	int r = 0;

	/* "a.b" through a pointer: references of C++ are written so. */
	if (kind == TYPE_POINTER || node->kind == EXPRESSION_ARROW) {
		if (kind == TYPE_STRUCT)
			return expression_refuse(context->lexer, node->at,
						 "expected '.': this is a struct and no pointer");
		if (kind == TYPE_OTHER)
			return expression_refuse(context->lexer, node->at,
						 "its type is not known; a cast says it: "
						 "((struct file *)arg1)->f_flags");
		r = expression_place_dereference(context, node, place);
	}
	return r < 0 ? r : find_member(context, node, place);
}

static int take_index(const struct expression_context *context, const struct expression_node *node,
		      struct expression_place *place)
{
	enum type_kind kind = value_type_kind(&place->type);
	struct value_type element;
	uint64_t bytes;
	int r;

	if (kind == TYPE_ARRAY && place->type.info.count && node->number >= place->type.info.count)
		return expression_refuse(context->lexer, node->at, "it has %llu elements",
					 (unsigned long long)place->type.info.count);
	if (kind == TYPE_ARRAY && !place->in_memory && place->type.info.count &&
	    value_type_target(context->scope->types, &place->type, &element) == 0)
		return expression_place_enter(
			context, node, node->number * value_type_bytes(&element), &element, place);
	r = expression_place_dereference(context, node, place);
	if (r < 0)
		return r;
	bytes = value_type_bytes(&place->type);
	if (!bytes)
		return expression_refuse(context->lexer, node->at,
					 "it is not known how large an element is");
	return add_offset(context, node, node->number, bytes, place);
}

static int take_address(const struct expression_context *context,
			const struct expression_node *node, struct expression_place *place)
{
	if (place->is_fixed || !place->in_memory || place->bit_count)
		return expression_refuse(context->lexer, node->at,
					 "it has no address: it does not lie in memory");
	place->in_memory = false;
	place->type.pointers++;
	leave(place);
	return 0;
}

static int cast(const struct expression_context *context, const struct expression_node *node,
		struct expression_place *place)
{
	struct value_type type;
	int r;

	r = value_type_parse(context->scope->types, node->text, node->size, &type);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		return expression_refuse(
			context->lexer, node->at, "'%.*s' is not known%s", (int)node->size,
			node->text, context->scope->types ? "" : ", there is no debug information");
	if (place->is_fixed || place->pieces)
		return expression_refuse(context->lexer, node->at, "this has a type already");
	if (!place->in_memory && value_type_kind(&type) == TYPE_STRUCT)
		return expression_refuse(context->lexer, node->at,
					 "a cast is to a number or to a pointer: (%.*s *)",
					 (int)node->size, node->text);
	place->type = type;
	leave(place);
	return 0;
}

static int apply(const struct expression_context *context, const struct expression_node *node,
		 struct expression_place *place)
{
	int r;

	if ((node->kind == EXPRESSION_INDEX || node->kind == EXPRESSION_DEREFERENCE) &&
	    value_type_is_reference(&place->type)) {
		r = expression_place_dereference(context, node, place);
		if (r < 0)
			return r;
	}
	switch (node->kind) {
	case EXPRESSION_MEMBER:
	case EXPRESSION_ARROW:
		return take_member(context, node, place);
	case EXPRESSION_INDEX:
		return take_index(context, node, place);
	case EXPRESSION_DEREFERENCE:
		return expression_place_dereference(context, node, place);
	case EXPRESSION_ADDRESS:
		return take_address(context, node, place);
	case EXPRESSION_CAST:
		return cast(context, node, place);
	case EXPRESSION_FORM:
		return expression_refuse(context->lexer, node->at,
					 "how it is read is said at the end");
	default:
		return expression_refuse(context->lexer, node->at, "expected a value to read");
	}
}

int expression_place_find(const struct expression_context *context,
			  const struct expression_node *node, struct expression_place *ret)
{
	struct expression_place place;
	int r;

	if (node->kind == EXPRESSION_NAME && !node->is_negative)
		return expression_place_name(context, node, ret);
	if (!node->left || node->right)
		return expression_refuse(context->lexer, node->at, "expected a value to read");
	r = expression_place_find(context, node->left, &place);
	if (r >= 0)
		r = apply(context, node, &place);
	if (r >= 0)
		*ret = place;
	return r;
}
