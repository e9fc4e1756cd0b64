/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/expressions/expression_value.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "profiler/base/suggest.h"

/* Behind ':': how many bytes (0: as many as it has), signed or not (-1: as it is), how it is shown. */
static const struct number_form {
	const char *name;
	uint8_t bytes;
	int8_t is_signed;
	enum probe_show show;
} number_forms[] = {
	{ "x", 0, 0, PROBE_SHOW_HEXADECIMAL },	 { "x8", 1, 0, PROBE_SHOW_HEXADECIMAL },
	{ "x16", 2, 0, PROBE_SHOW_HEXADECIMAL }, { "x32", 4, 0, PROBE_SHOW_HEXADECIMAL },
	{ "x64", 8, 0, PROBE_SHOW_HEXADECIMAL }, { "s8", 1, 1, PROBE_SHOW_SIGNED },
	{ "s16", 2, 1, PROBE_SHOW_SIGNED },	 { "s32", 4, 1, PROBE_SHOW_SIGNED },
	{ "s64", 8, 1, PROBE_SHOW_SIGNED },	 { "u8", 1, 0, PROBE_SHOW_UNSIGNED },
	{ "u16", 2, 0, PROBE_SHOW_UNSIGNED },	 { "u32", 4, 0, PROBE_SHOW_UNSIGNED },
	{ "u64", 8, 0, PROBE_SHOW_UNSIGNED },	 { "char", 1, 1, PROBE_SHOW_CHAR },
	{ "bool", 1, 0, PROBE_SHOW_BOOL },	 { "ns", 0, 0, PROBE_SHOW_NANOSECONDS },
	{ "errno", 0, 1, PROBE_SHOW_ERRNO },
};

static bool is_number_size(uint64_t bytes)
{
	return bytes == 1 || bytes == 2 || bytes == 4 || bytes == 8;
}

static uint8_t memory_flags(const struct expression_compilation *c,
			    const struct expression_place *place, enum probe_form form)
{
	uint8_t flags = place->fetch.flags & PROBE_FETCH_DATA_LOC;

	if (place->is_user)
		flags |= PROBE_FETCH_USER;
	if (place->is_kept)
		flags |= PROBE_FETCH_AT_ENTRY;
	if (place->is_kept && form != PROBE_NUMBER && c->context.scope->is_system_call)
		flags |= PROBE_FETCH_AGAIN;
	return flags;
}

static void set_text(const struct expression_compilation *c, const struct expression_place *place,
		     enum probe_form form, uint64_t size, struct expression_value *value)
{
	struct probe_fetch *fetch = &value->fetch;

	*fetch = place->fetch;
	value->origin = place->origin;
	value->has_origin = place->has_origin;
	fetch->form = form;
	fetch->flags = memory_flags(c, place, form);
	fetch->bytes = fetch->bit_shift = fetch->bit_count = 0;
	value->has_default_size = !size;
	fetch->size = size < PROBE_TEXT_MAX ? size : PROBE_TEXT_MAX;
	value->value.show = form == PROBE_TEXT ? PROBE_SHOW_TEXT : PROBE_SHOW_BYTES;
}

static void set_number(const struct expression_compilation *c, const struct expression_place *place,
		       uint64_t bytes, bool is_signed, enum probe_show show,
		       struct expression_value *value)
{
	struct probe_fetch *fetch = &value->fetch;

	*fetch = place->fetch;
	value->origin = place->origin;
	value->has_origin = place->has_origin;
	fetch->form = PROBE_NUMBER;
	fetch->flags = memory_flags(c, place, PROBE_NUMBER);
	if (place->in_memory)
		fetch->flags |= PROBE_FETCH_MEMORY;
	else if (!fetch->step_count)
		fetch->flags &= ~PROBE_FETCH_USER;
	if (is_signed)
		fetch->flags |= PROBE_FETCH_SIGNED;
	fetch->bytes = bytes;
	fetch->size = 0;
	fetch->bit_shift = place->bit_shift;
	fetch->bit_count = place->bit_count;
	value->value.show = show;
}

/* A number in its own type. */
static int read_number(struct expression_compilation *c, const struct expression_node *node,
		       const struct expression_place *place, struct expression_value *value)
{
	const struct value_type *type = &place->type;
	bool is_signed = value_type_kind(type) != TYPE_POINTER && type->info.is_signed;
	/* The register of a struct is read whole, its bits are then taken. */
	uint64_t bytes = place->bit_count && !place->in_memory ? 8 : value_type_bytes(type);
	enum probe_show show = is_signed ? PROBE_SHOW_SIGNED : PROBE_SHOW_UNSIGNED;

	/* A bit field may be packed across any number of them. */
	if (!is_number_size(bytes) && !(place->bit_count && bytes && bytes < 8))
		return expression_refuse(c->context.lexer, node->at,
					 "it has %llu bytes, and numbers have 1, 2, 4 or 8",
					 (unsigned long long)bytes);
	if (value_type_kind(type) == TYPE_POINTER)
		show = PROBE_SHOW_HEXADECIMAL;
	else if (value_type_is_enum(type))
		show = PROBE_SHOW_ENUM;
	else if (value_type_is_bool(type))
		show = PROBE_SHOW_BOOL;
	else if (type->info.is_char && type->info.kind == TYPE_INTEGER)
		show = PROBE_SHOW_CHAR;
	if (place->has_show && place->show != PROBE_SHOW_TEXT)
		show = place->show;
	set_number(c, place, bytes, is_signed, show, value);
	value->type = place->type;
	return 0;
}

/* Texts of C++, Go and Rust: a pointer and how many bytes are there. */
static int read_text_struct(struct expression_compilation *c, const struct expression_node *node,
			    const struct expression_place *place, uint64_t most,
			    struct expression_value *value)
{
	const struct type_info *type = &place->type.info;
	struct value_type word = value_type_unknown();
	struct expression_place pointer = *place, length = *place;
	struct expression_value size = { 0 };
	int number, r;

	word.info.is_signed = false;
	r = expression_place_enter(&c->context, node, type->length_offset, &word, &length);
	if (r >= 0)
		r = read_number(c, node, &length, &size);
	if (r >= 0)
		r = expression_value_add(c, node, &size, EXPRESSION_HIDDEN);
	if (r < 0)
		return r;
	number = r;
	r = expression_place_enter(&c->context, node, type->text_offset, &word, &pointer);
	if (r >= 0)
		r = expression_place_follow(&c->context, node, &pointer);
	if (r < 0)
		return r;
	set_text(c, &pointer, PROBE_BYTES, most, value);
	value->fetch.size_value = number + 1;
	value->value.show = PROBE_SHOW_TEXT;
	return 0;
}

static int refuse_struct(struct expression_compilation *c, const struct expression_node *node,
			 const struct expression_place *place)
{
	const struct type_info *type = &place->type.info;
	struct type_member member = { 0 };

	if (type->provider && type->provider->member_at &&
	    type->provider->member_at(type, 0, &member) == 0 && member.name && *member.name)
		return expression_refuse(c->context.lexer, node->at,
					 "this is a whole '%s': name one of its members, as in .%s",
					 type->name ? type->name : "struct", member.name);
	return expression_refuse(c->context.lexer, node->at,
				 "this is a whole '%s': name one of its members",
				 type->name ? type->name : "struct");
}

/* An array: texts and bytes are read as such, of others an element must be named. */
static int read_array(struct expression_compilation *c, const struct expression_node *node,
		      const struct expression_place *place, struct expression_value *value)
{
	struct value_type element;
	bool is_bytes;

	if (!place->in_memory)
		return expression_refuse(c->context.lexer, node->at,
					 "it is not known where this lies");
	if (value_type_is_text(c->context.scope->types, &place->type)) {
		set_text(c, place, PROBE_TEXT, place->type.info.bytes, value);
		return 0;
	}
	is_bytes = value_type_target(c->context.scope->types, &place->type, &element) == 0 &&
		   value_type_kind(&element) == TYPE_INTEGER && element.info.bytes == 1;
	if (!is_bytes || !place->type.info.bytes)
		return expression_refuse(c->context.lexer, node->at,
					 "this is an array: name an element, as in [0], or say how "
					 "many bytes, as in :bytes[16]");
	set_text(c, place, PROBE_BYTES, place->type.info.bytes, value);
	return 0;
}

/* As its type says. */
static int read_typed(struct expression_compilation *c, const struct expression_node *node,
		      const struct expression_place *place, struct expression_value *value)
{
	struct expression_place target = *place;
	int r;

	if (value_type_is_reference(&place->type)) {
		r = expression_place_dereference(&c->context, node, &target);
		return r < 0 ? r : read_typed(c, node, &target, value);
	}
	switch (value_type_kind(&place->type)) {
	case TYPE_INTEGER:
	case TYPE_OTHER:
		return read_number(c, node, place, value);
	case TYPE_POINTER:
		if (!value_type_is_text(c->context.scope->types, &place->type) ||
		    (place->has_show && place->show == PROBE_SHOW_HEXADECIMAL))
			return read_number(c, node, place, value);
		r = expression_place_follow(&c->context, node, &target);
		if (r >= 0)
			set_text(c, &target, PROBE_TEXT, 0, value);
		return r;
	case TYPE_ARRAY:
		return read_array(c, node, place, value);
	case TYPE_STRUCT:
		if (place->type.info.is_text)
			return read_text_struct(c, node, place, 0, value);
		return refuse_struct(c, node, place);
	case TYPE_FLOAT:
		return expression_refuse(c->context.lexer, node->at, "floating point is not read");
	case TYPE_VOID:
		return expression_refuse(
			c->context.lexer, node->at,
			"it is not known what lies here; ':u32' and the like say it");
	default:
		return expression_refuse(c->context.lexer, node->at, "this cannot be read");
	}
}

int expression_value_from_place(struct expression_compilation *c,
				const struct expression_node *node,
				const struct expression_place *place, struct expression_value *ret)
{
	struct expression_value value = { .type = place->type };
	int r = 0;

	if (place->is_fixed || place->fetch.form != PROBE_NUMBER) {
		value.fetch = place->fetch;
		value.origin = place->origin;
		value.has_origin = place->has_origin;
		value.socket = place->socket;
		value.has_socket = place->has_socket;
		value.has_default_size = place->fetch.form != PROBE_NUMBER && !place->fetch.size;
		value.fetch.flags |= memory_flags(c, place, place->fetch.form);
		value.value.show = place->show;
	} else {
		r = read_typed(c, node, place, &value);
	}
	if (r < 0)
		return r;
	value_type_write(c->context.scope->types, &place->type, value.value.type,
			 sizeof(value.value.type));
	value.value.type_info = value.type.info;
	*ret = value;
	return 0;
}

/* As what it is meant to be: a reference is what it refers to. */
static int find_place(struct expression_compilation *c, const struct expression_node *node,
		      struct expression_place *place)
{
	int r = expression_place_find(&c->context, node, place);

	if (r >= 0 && value_type_is_reference(&place->type))
		r = expression_place_dereference(&c->context, node, place);
	return r;
}

/* The place whose bytes ':str' and ':bytes' are about: what is pointed to, or what is there. */
static int find_bytes(struct expression_compilation *c, const struct expression_node *node,
		      struct expression_place *place)
{
	enum type_kind kind = value_type_kind(&place->type);

	if (place->fetch.form != PROBE_NUMBER)
		return 0;
	if (kind == TYPE_POINTER || kind == TYPE_OTHER ||
	    (kind == TYPE_INTEGER && place->type.info.bytes == 8))
		return expression_place_follow(&c->context, node, place);
	if (kind == TYPE_INTEGER || kind == TYPE_FLOAT || !place->in_memory)
		return expression_refuse(c->context.lexer, node->at,
					 "this is no address; '&' before it gives its own");
	return 0;
}

/* ":bytes[16]", ":bytes[arg3]". */
static int read_bytes(struct expression_compilation *c, const struct expression_node *node,
		      const struct expression_place *place, struct expression_value *value)
{
	struct expression_place source = *place;
	struct expression_value size;
	int r;

	if (node->has_number) {
		set_text(c, place, PROBE_BYTES, node->number, value);
		return 0;
	}
	if (!node->right)
		return expression_refuse(c->context.lexer, node->at,
					 "expected how many, as in bytes[16] or bytes[arg3]");
	r = expression_value_number(c, node->right, &size);
	if (r >= 0)
		r = expression_value_add(c, node->right, &size, EXPRESSION_HIDDEN);
	if (r < 0)
		return r;
	/* "buf:bytes[ret]": where they lie is known at the entry, how many at the return. */
	if (place->is_kept && !(size.fetch.flags & PROBE_FETCH_AT_ENTRY)) {
		if (place->is_fixed || (place->has_origin && place->fetch.step_count))
			return expression_refuse(c->context.lexer, node->right->at,
						 "this is known only when the function returns");
		source.in_memory = false;
		if (!place->has_origin)
			expression_place_split(&source);
		source.is_kept = false;
	}
	set_text(c, &source, PROBE_BYTES, 0, value);
	value->fetch.size_value = r + 1;
	return 0;
}

static int read_text(struct expression_compilation *c, const struct expression_node *node,
		     struct expression_value *value)
{
	bool is_bytes = node->size == 5;
	struct expression_place place;
	int r;

	r = find_place(c, node->left, &place);
	if (r < 0)
		return r;
	if (node->has_number && (!node->number || node->number > PROBE_TEXT_MAX))
		return expression_refuse(c->context.lexer, node->at, "it can be 1 to %d bytes",
					 PROBE_TEXT_MAX);
	value->type = place.type;
	snprintf(value->value.type, sizeof(value->value.type), "%s", is_bytes ? "bytes" : "char *");
	if (node->right && !is_bytes)
		return expression_refuse(c->context.lexer, node->right->at, "expected a number");
	if (!is_bytes && value_type_kind(&place.type) == TYPE_STRUCT && place.type.info.is_text)
		return read_text_struct(c, node, &place, node->number, value);
	r = find_bytes(c, node->left, &place);
	if (r < 0)
		return r;
	if (is_bytes)
		return read_bytes(c, node, &place, value);
	set_text(c, &place, PROBE_TEXT, node->number, value);
	return 0;
}

static int refuse_form(struct expression_compilation *c, const struct expression_node *node)
{
	char wanted[16];
	struct suggestion suggestion = { .wanted = wanted };
	const char *nearest;

	snprintf(wanted, sizeof(wanted), "%.*s", (int)node->size, node->text);
	for (size_t i = 0; i < ARRAY_SIZE(number_forms); i++)
		suggestion_offer(&suggestion, number_forms[i].name);
	suggestion_offer(&suggestion, "str");
	suggestion_offer(&suggestion, "bytes");
	nearest = suggestion_get(&suggestion);
	return expression_refuse(
		c->context.lexer, node->at,
		"there is str, bytes[N], x, s8 to s64, u8 to u64, x8 to x64, char, "
		"bool, ns and errno%s%s%s",
		nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
}

static int read_number_form(struct expression_compilation *c, const struct expression_node *node,
			    const struct number_form *form, struct expression_value *value)
{
	struct expression_place place;
	enum type_kind kind;
	uint64_t bytes;
	int r;

	if (node->has_number || node->right)
		return expression_refuse(c->context.lexer, node->at, "no '[' belongs to '%s'",
					 form->name);
	r = find_place(c, node->left, &place);
	if (r < 0)
		return r;
	kind = value_type_kind(&place.type);
	bytes = value_type_bytes(&place.type);
	if ((place.is_fixed && place.fetch.form != PROBE_NUMBER) ||
	    (!place.in_memory && (kind == TYPE_STRUCT || kind == TYPE_ARRAY)))
		return expression_refuse(c->context.lexer, node->at, "this is no number");
	/* Never more than there is; of memory whose type is not known, what is asked for. */
	if (form->bytes && (kind == TYPE_OTHER || kind == TYPE_VOID || form->bytes < bytes))
		bytes = form->bytes;
	if (kind == TYPE_VOID && !form->bytes)
		bytes = 8;
	if (!is_number_size(bytes))
		return expression_refuse(
			c->context.lexer, node->at,
			"it has %llu bytes; ':u32' and the like say how many to read",
			(unsigned long long)bytes);
	if (place.bit_count && !place.in_memory)
		bytes = 8;
	value->type = place.type;
	set_number(c, &place, bytes,
		   form->is_signed < 0 ? place.type.info.is_signed : form->is_signed, form->show,
		   value);
	snprintf(value->value.type, sizeof(value->value.type), "%c%u",
		 value->fetch.flags & PROBE_FETCH_SIGNED ? 's' : 'u', value->fetch.bytes * 8u);
	return 0;
}

int expression_value_read(struct expression_compilation *c, const struct expression_node *node,
			  struct expression_value *ret)
{
	struct expression_value value = { 0 };
	struct expression_place place;
	size_t i;
	int r;

	if (node->kind != EXPRESSION_FORM) {
		r = expression_place_find(&c->context, node, &place);
		return r < 0 ? r : expression_value_from_place(c, node, &place, ret);
	}
	for (i = 0; i < ARRAY_SIZE(number_forms); i++)
		if (strlen(number_forms[i].name) == node->size &&
		    !memcmp(number_forms[i].name, node->text, node->size))
			break;
	if (i < ARRAY_SIZE(number_forms))
		r = read_number_form(c, node, &number_forms[i], &value);
	else if ((node->size == 3 && !memcmp(node->text, "str", 3)) ||
		 (node->size == 5 && !memcmp(node->text, "bytes", 5)))
		r = read_text(c, node, &value);
	else
		r = refuse_form(c, node);
	if (r >= 0)
		*ret = value;
	return r;
}

int expression_value_number(struct expression_compilation *c, const struct expression_node *node,
			    struct expression_value *ret)
{
	struct expression_value value = { 0 };
	struct expression_place place;
	int r;

	if (node->kind != EXPRESSION_FORM) {
		r = find_place(c, node, &place);
		if (r >= 0 && value_type_kind(&place.type) == TYPE_POINTER && !place.is_fixed) {
			value.type = place.type;
			r = read_number(c, node, &place, &value);
		} else if (r >= 0) {
			r = expression_value_from_place(c, node, &place, &value);
		}
	} else {
		r = expression_value_read(c, node, &value);
	}
	if (r < 0)
		return r;
	if (value.fetch.form != PROBE_NUMBER)
		return expression_refuse(c->context.lexer, node->at,
					 "expected a number, this is a text");
	*ret = value;
	return 0;
}
