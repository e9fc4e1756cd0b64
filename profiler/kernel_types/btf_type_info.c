/* SPDX-License-Identifier: BSD-2-Clause */
/* btf_type_info.c - types of BTF as type_info.h describes types, and what they are called. */
#include <errno.h>
#include <string.h>

#include "profiler/kernel_types/btf_types_private.h"

/* Typedefs, qualifiers, pointers and parameters around a type. */
#define DEPTH_MAX 64

const char *btf_types_text(const struct btf_types *types, struct btf_place place, uint32_t offset)
{
	return btf__name_by_offset(types->modules[place.module].btf, offset) ?: "";
}

/* ---- names ---- */

static int add_text(struct btf_types *types, struct type_text *text, struct btf_place place,
		    unsigned int depth);

/* The parameters of a prototype, with commas between them. */
static int add_parameters(struct btf_types *types, struct type_text *text, struct btf_place place,
			  unsigned int depth)
{
	const struct btf_type *prototype = btf_types_at(types, place);
	_cleanup_strbuf_ struct strbuf list = STRBUF_INIT;
	size_t i, count = btf_vlen(prototype);
	int r;

	for (i = 0; i < count; i++) {
		_cleanup_type_text_ struct type_text one = TYPE_TEXT_INIT;
		struct btf_place at = { place.module, btf_params(prototype)[i].type };

		if (i)
			strbuf_add_text(&list, ", ");
		if (!at.id) {
			strbuf_add_text(&list, "...");
			continue;
		}
		r = add_text(types, &one, at, depth);
		if (r < 0)
			return r;
		strbuf_add_text(&list, type_text_join(&one) ?: "");
		if (one.before.error)
			return one.before.error;
	}
	type_text_function(text, count ? list.data : "void");
	return list.error;
}

static void add_named(struct btf_types *types, struct type_text *text, struct btf_place place,
		      const struct btf_type *type)
{
	const char *name = btf_types_text(types, place, type->name_off), *keyword = "";

	switch (btf_kind(type)) {
	case BTF_KIND_STRUCT:
		keyword = "struct";
		break;
	case BTF_KIND_UNION:
		keyword = "union";
		break;
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
		keyword = "enum";
		break;
	case BTF_KIND_FWD:
		keyword = btf_kflag(type) ? "union" : "struct";
		break;
	}
	type_text_base(text, keyword, *name ? name : "{...}");
}

static int add_text(struct btf_types *types, struct type_text *text, struct btf_place place,
		    unsigned int depth)
{
	const struct btf_type *type = btf_types_at(types, place);
	struct btf_place target = place;
	int r;

	if (!type || depth >= DEPTH_MAX)
		return -EBADMSG;
	if (!place.id) {
		type_text_base(text, "", "void");
		return 0;
	}
	target.id = btf_is_array(type) ? btf_array(type)->type : type->type;
	switch (btf_kind(type)) {
	case BTF_KIND_PTR:
	case BTF_KIND_ARRAY:
	case BTF_KIND_FUNC_PROTO:
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG:
		r = add_text(types, text, target, depth + 1);
		if (r < 0)
			return r;
		break;
	default:
		add_named(types, text, place, type);
		return 0;
	}
	switch (btf_kind(type)) {
	case BTF_KIND_PTR:
		type_text_pointer(text, "*");
		break;
	case BTF_KIND_ARRAY:
		type_text_array(text, btf_array(type)->nelems);
		break;
	case BTF_KIND_CONST:
		type_text_qualify(text, "const");
		break;
	case BTF_KIND_VOLATILE:
		type_text_qualify(text, "volatile");
		break;
	case BTF_KIND_FUNC_PROTO:
		return add_parameters(types, text, place, depth + 1);
	}
	return 0;
}

/* In types->names. NULL: no memory; "": there is none. */
static int name_read(struct btf_types *types, struct btf_place place, const char **ret)
{
	const struct btf_type *type = btf_types_at(types, place);
	const char *text;
	uint32_t number;
	int r;

	if (btf_is_composite(type) || btf_is_any_enum(type)) {
		if (!type->name_off) {
			*ret = "";
			return 0;
		}
	} else if (btf_is_typedef(type) || btf_is_int(type)) {
		*ret = btf_types_text(types, place, type->name_off);
		return 0;
	}
	type_text_reset(&types->text);
	r = add_text(types, &types->text, place, 0);
	if (r < 0)
		return r;
	text = type_text_join(&types->text);
	r = text ? intern_add_text(types->names, text, &number) : -ENOMEM;
	if (r < 0)
		return r;
	*ret = intern_text(types->names, number);
	return 0;
}

/* ---- types ---- */

const struct btf_type *btf_types_skip_names(const struct btf_types *types, struct btf_place *place,
					    bool *ret_user)
{
	const struct btf_type *type = btf_types_at(types, *place);
	unsigned int depth;

	*ret_user = false;
	for (depth = 0; type && depth < DEPTH_MAX; depth++) {
		if (btf_is_type_tag(type))
			*ret_user |= !strcmp(btf_types_text(types, *place, type->name_off), "user");
		else if (!btf_is_mod(type) && !btf_is_typedef(type))
			return type;
		place->id = type->type;
		type = btf_types_at(types, *place);
	}
	return NULL;
}

/* Before there was a flag for it (Linux 6.0, pahole 1.24) negative enumerators were the only sign. */
static bool has_negative(const struct btf_type *type)
{
	uint32_t i, count = btf_is_enum(type) ? btf_vlen(type) : 0;

	for (i = 0; i < count; i++) {
		if (btf_enum(type)[i].val < 0 && btf_enum(type)[i].val > -4096)
			return true;
	}
	return false;
}

static void fill_integer(const struct btf_types *types, struct btf_place place,
			 const struct btf_type *type, struct type_info *ret)
{
	ret->kind = TYPE_INTEGER;
	ret->bytes = type->size;
	if (!btf_is_int(type)) {
		ret->is_enum = true;
		ret->is_signed = btf_kflag(type) || has_negative(type);
		return;
	}
	ret->is_signed = btf_int_encoding(type) & BTF_INT_SIGNED;
	ret->is_bool = btf_int_encoding(type) & BTF_INT_BOOL;
	ret->is_char = type->size == 1 &&
		       !strcmp(btf_types_text(types, place, type->name_off), "char");
}

/* A pointer is to user memory when the tag is between it and what it points to. */
static void fill_pointer(const struct btf_types *types, struct btf_place place,
			 const struct btf_type *type, struct type_info *ret)
{
	struct btf_place target = { place.module, type->type };

	ret->kind = TYPE_POINTER;
	ret->bytes = BTF_POINTER_BYTES;
	btf_types_skip_names(types, &target, &ret->is_user);
}

static void fill_array(const struct btf_types *types, struct btf_place place,
		       const struct btf_type *type, struct type_info *ret)
{
	int64_t bytes = btf__resolve_size(types->modules[place.module].btf, place.id);

	ret->kind = TYPE_ARRAY;
	ret->count = btf_array(type)->nelems;
	ret->bytes = bytes > 0 ? (uint64_t)bytes : 0;
}

/* Everything but its name. Module types may know of a struct only that vmlinux, or another module, has it. */
static int fill(struct btf_types *types, struct btf_place place, struct type_info *ret)
{
	const struct btf_type *type;
	struct btf_place whole;
	bool is_user;

	type = btf_types_skip_names(types, &place, &is_user);
	if (!type)
		return -EBADMSG;
	if (btf_is_fwd(type)) {
		ret->kind = TYPE_STRUCT;
		if (btf_types_find(types, btf_types_text(types, place, type->name_off),
				   BTF_BIT(btf_kflag(type) ? BTF_KIND_UNION : BTF_KIND_STRUCT),
				   &whole) == 0) {
			place = whole;
			type = btf_types_at(types, place);
		}
	}
	if (place.id < types->modules[0].first || place.id < types->modules[place.module].first)
		place.module = 0;
	ret->id = (uint64_t)place.module << BTF_MODULE_SHIFT | place.id;
	ret->provider = &types->provider;
	if (!place.id)
		ret->kind = TYPE_VOID;
	else if (btf_is_int(type) || btf_is_any_enum(type))
		fill_integer(types, place, type, ret);
	else if (btf_is_ptr(type))
		fill_pointer(types, place, type, ret);
	else if (btf_is_array(type))
		fill_array(types, place, type, ret);
	else if (btf_is_composite(type))
		*ret = (struct type_info){ TYPE_STRUCT, .bytes = type->size, .id = ret->id,
					   .provider = ret->provider };
	else if (btf_is_float(type))
		*ret = (struct type_info){ TYPE_FLOAT, .bytes = type->size, .id = ret->id,
					   .provider = ret->provider };
	else if (btf_is_func_proto(type))
		ret->kind = TYPE_FUNCTION;
	else if (!btf_is_fwd(type))
		ret->kind = TYPE_OTHER;
	return 0;
}

int btf_type_info_read(struct btf_types *types, struct btf_place place, struct type_info *ret)
{
	struct type_info info = { 0 };
	int r;

	r = fill(types, place, &info);
	if (r < 0)
		return r;
	r = name_read(types, place, &info.name);
	if (r < 0)
		return r;
	*ret = info;
	return 0;
}
