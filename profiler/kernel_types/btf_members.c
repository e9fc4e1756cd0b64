/* SPDX-License-Identifier: BSD-2-Clause */
/* btf_members.c - what is inside of types of BTF and behind them. */
#include <errno.h>
#include <string.h>

#include "profiler/kernel_types/btf_types_private.h"

/* Structs without a name in structs. */
#define NESTING_MAX 16
#define POINTERS_MAX 8

static struct btf_types *types_of(const struct type_info *type)
{
	return (struct btf_types *)type->provider->context;
}

static struct btf_place place_of(const struct type_info *type)
{
	return (struct btf_place){
		.module = (uint32_t)(type->id >> BTF_MODULE_SHIFT) & 0xffffff,
		.id = (uint32_t)type->id,
	};
}

/* @type with @pointers put on top. */
static int put_pointers(struct btf_types *types, struct type_info *type, unsigned int pointers)
{
	_cleanup_strbuf_ struct strbuf name = STRBUF_INIT;
	uint64_t id = type->id & (((uint64_t)1 << BTF_POINTERS_SHIFT) - 1);
	uint32_t number;
	unsigned int i;
	int r;

	if (!pointers)
		return 0;
	if (pointers > POINTERS_MAX)
		return -ENOENT;
	strbuf_printf(&name, "%s ", type->name);
	for (i = 0; i < pointers; i++)
		strbuf_add_char(&name, '*');
	r = name.error ? name.error : intern_add_text(types->names, name.data, &number);
	if (r < 0)
		return r;
	*type = (struct type_info){
		.kind = TYPE_POINTER,
		.name = intern_text(types->names, number),
		.bytes = BTF_POINTER_BYTES,
		.provider = &types->provider,
		.id = id | (uint64_t)pointers << BTF_POINTERS_SHIFT,
	};
	return 0;
}

static int btf_target(const struct type_info *type, struct type_info *ret)
{
	unsigned int pointers = (unsigned int)(type->id >> BTF_POINTERS_SHIFT);
	struct btf_types *types = types_of(type);
	struct btf_place place = place_of(type);
	const struct btf_type *t = btf_types_at(types, place);
	struct type_info info;
	int r;

	if (!pointers) {
		if (!t || (!btf_is_ptr(t) && !btf_is_array(t)))
			return -ENOENT;
		place.id = btf_is_ptr(t) ? t->type : btf_array(t)->type;
	}
	r = btf_type_info_read(types, place, &info);
	if (r < 0)
		return r;
	if (pointers) {
		r = put_pointers(types, &info, pointers - 1);
		if (r < 0)
			return r;
	}
	*ret = info;
	return 0;
}

/* By name or, where that is NULL, as the one that @index more come before. */
struct search {
	const char *name;
	size_t index;
	struct type_member *ret;
};

/* Set offset and bits of the member that begins at @bits of its struct and has @count of them, 0: all. */
static int member_set_bits(struct type_member *member, uint64_t bits, unsigned int count)
{
	uint64_t unit = member->type.bytes * 8;

	member->offset = bits / 8;
	if (!count)
		return 0;
	/* As the compiler reads it, in a whole number of its type; else from the byte it begins in. */
	if (unit && bits % unit + count <= unit)
		member->offset = bits / unit * member->type.bytes;
	member->bit_shift = (uint8_t)(bits - member->offset * 8);
	member->bit_count = (uint8_t)count;
	if (member->bit_shift + count > unit)
		member->type.bytes = 8;
	return member->bit_shift + count > 64 ? -EOPNOTSUPP : 0;
}

static int find_member(struct btf_types *types, struct btf_place place, uint64_t bits,
		       struct search *search, unsigned int depth);

/* Returns 0 when it is what is searched for or has it inside, -ENOENT, or a negative errno. */
static int try_member(struct btf_types *types, struct btf_place place, const struct btf_type *type,
		      uint32_t index, uint64_t bits, struct search *search, unsigned int depth)
{
	const struct btf_member *m = &btf_members(type)[index];
	struct type_member member = { .name = btf_types_text(types, place, m->name_off) };
	struct btf_place at = { place.module, m->type };
	bool is_user;
	int r;

	bits += btf_member_bit_offset(type, index);
	if (!*member.name) {
		/* An anonymous struct, or a bit field that only takes room. */
		type = btf_types_skip_names(types, &at, &is_user);
		return type && btf_is_composite(type) ?
			       find_member(types, at, bits, search, depth + 1) :
			       -ENOENT;
	}
	if (search->name ? strcmp(search->name, member.name) : search->index-- > 0)
		return -ENOENT;
	r = btf_type_info_read(types, at, &member.type);
	if (r < 0)
		return r;
	r = member_set_bits(&member, bits, btf_member_bitfield_size(type, index));
	if (r < 0)
		return r;
	*search->ret = member;
	return 0;
}

static int find_member(struct btf_types *types, struct btf_place place, uint64_t bits,
		       struct search *search, unsigned int depth)
{
	const struct btf_type *type = btf_types_at(types, place);
	uint32_t i, count;
	int r;

	if (!type || !btf_is_composite(type))
		return -ENOENT;
	if (depth >= NESTING_MAX)
		return -EBADMSG;
	count = btf_vlen(type);
	for (i = 0; i < count; i++) {
		r = try_member(types, place, type, i, bits, search, depth);
		if (r != -ENOENT)
			return r;
	}
	return -ENOENT;
}

static int btf_member_by_name(const struct type_info *type, const char *name,
			      struct type_member *ret)
{
	struct search search = { .name = name, .ret = ret };

	return type->kind == TYPE_STRUCT ?
		       find_member(types_of(type), place_of(type), 0, &search, 0) :
		       -ENOENT;
}

static int btf_member_by_index(const struct type_info *type, size_t index, struct type_member *ret)
{
	struct search search = { .index = index, .ret = ret };

	return type->kind == TYPE_STRUCT ?
		       find_member(types_of(type), place_of(type), 0, &search, 0) :
		       -ENOENT;
}

static int btf_enumerator(const struct type_info *type, size_t index, struct type_enumerator *ret)
{
	struct btf_types *types = types_of(type);
	struct btf_place place = place_of(type);
	const struct btf_type *t = btf_types_at(types, place);

	if (!type->is_enum || !t || index >= btf_vlen(t))
		return -ENOENT;
	if (btf_is_enum(t)) {
		const struct btf_enum *e = &btf_enum(t)[index];

		ret->name = btf_types_text(types, place, e->name_off);
		ret->value = type->is_signed ? e->val : (int64_t)(uint32_t)e->val;
		return 0;
	}
	ret->name = btf_types_text(types, place, btf_enum64(t)[index].name_off);
	ret->value = (int64_t)btf_enum64_value(&btf_enum64(t)[index]);
	return 0;
}

#define STRUCT_KINDS (BTF_BIT(BTF_KIND_STRUCT) | BTF_BIT(BTF_KIND_UNION))
#define ENUM_KINDS (BTF_BIT(BTF_KIND_ENUM) | BTF_BIT(BTF_KIND_ENUM64))
#define PLAIN_KINDS \
	(BTF_BIT(BTF_KIND_INT) | BTF_BIT(BTF_KIND_TYPEDEF) | BTF_BIT(BTF_KIND_FLOAT))

/* Without qualifiers and keyword, as it is looked up; sets what kinds it may be of. */
static const char *skip_keywords(const char *name, unsigned int *ret_kinds)
{
	static const struct {
		const char *word;
		unsigned int kinds;
	} words[] = {
		{ "const ", 0 },
		{ "volatile ", 0 },
		{ "struct ", BTF_BIT(BTF_KIND_STRUCT) },
		{ "union ", BTF_BIT(BTF_KIND_UNION) },
		{ "enum ", ENUM_KINDS },
	};
	size_t i;

	*ret_kinds = 0;
	for (i = 0; i < ARRAY_SIZE(words); i++) {
		name += strspn(name, " ");
		if (strncmp(name, words[i].word, strlen(words[i].word)))
			continue;
		name += strlen(words[i].word);
		*ret_kinds |= words[i].kinds;
	}
	return name + strspn(name, " ");
}

/* Plain types first: "file" is struct file only where no typedef is called so. */
static int find_type(struct btf_types *types, const char *name, unsigned int kinds,
		     struct btf_place *ret)
{
	const char *spelling;
	size_t i;
	int r;

	if (kinds)
		return btf_types_find(types, name, kinds, ret);
	r = btf_types_find(types, name, PLAIN_KINDS, ret);
	for (i = 0; r == -ENOENT && (spelling = type_text_spelling(name, i)); i++)
		r = btf_types_find(types, spelling, PLAIN_KINDS, ret);
	return r == -ENOENT ? btf_types_find(types, name, STRUCT_KINDS | ENUM_KINDS, ret) : r;
}

static int btf_by_name(const void *context, const char *name, struct type_info *ret)
{
	struct btf_types *types = (struct btf_types *)context;
	struct btf_place place = { 0 };
	_cleanup_free_ char *plain = NULL;
	unsigned int pointers, kinds;
	struct type_info info;
	size_t end;
	int r;

	name = skip_keywords(name, &kinds);
	for (end = strlen(name), pointers = 0; end && strchr(" *", name[end - 1]); end--)
		pointers += name[end - 1] == '*';
	plain = strndup(name, end);
	if (!plain)
		return -ENOMEM;
	if (strcmp(plain, "void")) {
		r = find_type(types, plain, kinds, &place);
		if (r < 0)
			return r;
	}
	r = btf_type_info_read(types, place, &info);
	if (r < 0)
		return r;
	r = put_pointers(types, &info, pointers);
	if (r < 0)
		return r;
	*ret = info;
	return 0;
}

const struct type_provider btf_type_provider = {
	.target = btf_target,
	.member = btf_member_by_name,
	.member_at = btf_member_by_index,
	.by_name = btf_by_name,
	.enumerator = btf_enumerator,
};
