/* SPDX-License-Identifier: BSD-2-Clause */
/* dwarf_type_info.c - types of DWARF as type_info.h describes types, and what they are called. */
#include <dwarf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "symbolizer/types/dwarf_types_private.h"

/* type_info.id: above the offset, what tells where it is an offset in, and what was put on top. */
#define ID_OFFSET ((UINT64_C(1) << 56) - 1)
#define ID_ALTERNATE (UINT64_C(1) << 56)
#define ID_TYPES (UINT64_C(1) << 57)	/* in .debug_types */
#define ID_DIMENSIONS_SHIFT 58	/* of an array, how many were taken off */
#define ID_POINTERS_SHIFT 61
#define ID_POINTERS_MAX 3

#define DIMENSIONS(id) ((unsigned int)((id) >> ID_DIMENSIONS_SHIFT) & (DWARF_DIMENSIONS_MAX - 1))
#define POINTERS(id) ((unsigned int)((id) >> ID_POINTERS_SHIFT) & ID_POINTERS_MAX)

static uint64_t id_of(const struct dwarf_types *types, Dwarf_Die *die)
{
	uint64_t id = dwarf_dieoffset(die) & ID_OFFSET;
	Dwarf_Half version = 0;
	uint8_t unit_type = 0;

	if (dwarf_cu_getdwarf(die->cu) != types->dwarf->file->dwarf)
		id |= ID_ALTERNATE;
	if (dwarf_cu_info(die->cu, &version, &unit_type, NULL, NULL, NULL, NULL, NULL) == 0 &&
	    unit_type == DW_UT_type && version < 5)
		id |= ID_TYPES;
	return id;
}

bool dwarf_type_die(const struct type_info *type, Dwarf_Die *ret)
{
	const struct dwarf_file *file = dwarf_types_of(type)->dwarf->file;
	Dwarf *dwarf = type->id & ID_ALTERNATE ? (file->alternate ? file->alternate->dwarf : NULL) :
						 file->dwarf;
	uint64_t offset = type->id & ID_OFFSET;

	if (!offset || !dwarf)
		return false;
	return type->id & ID_TYPES ? dwarf_offdie_types(dwarf, offset, ret) :
				     dwarf_offdie(dwarf, offset, ret);
}

/* Down through typedefs and qualifiers. Returns 1, 0 for void, -EBADMSG when there is no end to them. */
static int skip_names(Dwarf_Die *die)
{
	unsigned int depth;
	int tag;

	for (depth = 0; depth < DWARF_CHAIN_MAX; depth++) {
		tag = dwarf_tag(die);
		if (!dwarf_tag_is_qualifier(tag) && tag != DW_TAG_typedef &&
		    tag != DW_TAG_template_alias)
			return 1;
		if (dwarf_types_refer(die, DW_AT_type, die) < 0)
			return 0;
	}
	return -EBADMSG;
}

static void fill_base(struct dwarf_types *types, Dwarf_Die *die, struct type_info *ret)
{
	const char *name = dwarf_types_text(types, die, DW_AT_name) ?: "";
	uint64_t encoding = 0;

	dwarf_types_number(die, DW_AT_encoding, &encoding);
	ret->kind = TYPE_INTEGER;
	switch (encoding) {
	case DW_ATE_boolean:
		ret->is_bool = true;
		break;
	case DW_ATE_signed:
	case DW_ATE_signed_char:
		ret->is_signed = true;
		break;
	case DW_ATE_float:
	case DW_ATE_decimal_float:
		/* One register of 16 bytes, and not the x87's. */
		ret->kind = strstr(name, "128") || encoding == DW_ATE_decimal_float ? TYPE_OTHER :
										      TYPE_FLOAT;
		break;
	case DW_ATE_complex_float:
		ret->kind = TYPE_FLOAT;
		ret->count = 2;
		break;
	case 0:
		ret->kind = TYPE_OTHER;
		break;
	}
	ret->is_char = ret->bytes == 1 && (!strcmp(name, "char") || !strcmp(name, "char8_t"));
	if (encoding != DW_ATE_complex_float && ret->kind != TYPE_FLOAT && ret->bytes > 16)
		ret->kind = TYPE_OTHER;
}

static void fill_enum(struct dwarf_types *types, Dwarf_Die *die, struct type_info *ret)
{
	Dwarf_Attribute attribute;
	struct type_info base;
	Dwarf_Die child;
	Dwarf_Sword value;
	int next, budget = 4096;

	ret->kind = TYPE_INTEGER;
	ret->is_enum = true;
	if (dwarf_hasattr(die, DW_AT_type) && dwarf_type_info_of(types, die, &base) == 0 &&
	    base.kind == TYPE_INTEGER && !base.is_enum) {
		ret->is_signed = base.is_signed;
		ret->bytes = ret->bytes ?: base.bytes;
		return;
	}
	for (next = dwarf_child(die, &child); next == 0 && budget--;
	     next = dwarf_siblingof(&child, &child)) {
		if (dwarf_attr(&child, DW_AT_const_value, &attribute) &&
		    dwarf_whatform(&attribute) == DW_FORM_sdata &&
		    !dwarf_formsdata(&attribute, &value) && value < 0)
			ret->is_signed = true;
	}
}

static int fill_array(struct dwarf_types *types, Dwarf_Die *die, unsigned int dimensions,
		      struct type_info *ret)
{
	uint64_t counts[DWARF_DIMENSIONS_MAX], bytes;
	struct type_info element;
	size_t count, i;
	int r;

	r = dwarf_type_info_of(types, die, &element);
	if (r < 0)
		return r;
	if (dwarf_types_flag(die, DW_AT_GNU_vector)) {
		ret->kind = TYPE_OTHER;
		return 0;
	}
	ret->kind = TYPE_ARRAY;
	count = dwarf_type_dimensions(die, dimensions, counts, ARRAY_SIZE(counts));
	ret->count = count ? counts[0] : 0;
	bytes = element.bytes;
	for (i = 0; i < count; i++) {
		if (__builtin_mul_overflow(bytes, counts[i], &bytes))
			return -EBADMSG;
	}
	ret->bytes = bytes;
	return 0;
}

/* A declaration becomes what it declares, where there is that. */
static int find_whole(struct dwarf_types *types, Dwarf_Die *die, struct type_info *info)
{
	Dwarf_Die whole;
	int r;

	if (!dwarf_tag_is_struct(dwarf_tag(die)) && dwarf_tag(die) != DW_TAG_enumeration_type)
		return 0;
	if (!dwarf_types_flag(die, DW_AT_declaration))
		return 0;
	r = dwarf_types_define(types, die, &whole);
	if (r < 0)
		return r == -ENOMEM ? r : 0;
	*die = whole;
	info->id = id_of(types, die);
	return 0;
}

/* To a function it is a pair of words. */
static void fill_member_pointer(Dwarf_Die *die, struct type_info *ret)
{
	Dwarf_Die target;

	ret->kind = TYPE_INTEGER;
	ret->bytes = DWARF_POINTER_BYTES;
	if (dwarf_types_refer(die, DW_AT_type, &target) == 0 && skip_names(&target) > 0 &&
	    dwarf_tag(&target) == DW_TAG_subroutine_type)
		ret->bytes *= 2;
}

static int fill(struct dwarf_types *types, Dwarf_Die *die, unsigned int dimensions,
		struct type_info *ret)
{
	int r;

	r = find_whole(types, die, ret);
	if (r < 0)
		return r;
	dwarf_types_number(die, DW_AT_byte_size, &ret->bytes);
	switch (dwarf_tag(die)) {
	case DW_TAG_base_type:
		fill_base(types, die, ret);
		return 0;
	case DW_TAG_reference_type:
	case DW_TAG_rvalue_reference_type:
		ret->is_reference = true;
		/* fallthrough */
	case DW_TAG_pointer_type:
		ret->kind = TYPE_POINTER;
		ret->bytes = DWARF_POINTER_BYTES;
		return 0;
	case DW_TAG_ptr_to_member_type:
		fill_member_pointer(die, ret);
		return 0;
	case DW_TAG_enumeration_type:
		fill_enum(types, die, ret);
		return 0;
	case DW_TAG_array_type:
		return fill_array(types, die, dimensions, ret);
	case DW_TAG_structure_type:
	case DW_TAG_class_type:
	case DW_TAG_union_type:
	case DW_TAG_interface_type:
		ret->kind = TYPE_STRUCT;
		dwarf_type_find_text(types, die, ret);
		return 0;
	case DW_TAG_subroutine_type:
		/* Where Go writes a function it means a pointer to one. */
		ret->kind = dwarf_language(die) == DWARF_LANG_GO ? TYPE_POINTER : TYPE_FUNCTION;
		ret->bytes = ret->kind == TYPE_POINTER ? DWARF_POINTER_BYTES : 0;
		return 0;
	case DW_TAG_unspecified_type:
		/* decltype(nullptr) is passed as the pointer it is; others are never there. */
		if (strstr(dwarf_types_text(types, die, DW_AT_name) ?: "", "nullptr"))
			*ret = (struct type_info){ TYPE_POINTER, .bytes = DWARF_POINTER_BYTES };
		else
			*ret = (struct type_info){ TYPE_VOID };
		return 0;
	}
	ret->kind = TYPE_OTHER;
	return 0;
}

/* One with @dimensions taken off. */
static int info_read(struct dwarf_types *types, Dwarf_Die *die, unsigned int dimensions,
		     struct type_info *ret)
{
	struct type_info info = { 0 };
	Dwarf_Die named = *die, bare;
	int r;

	dwarf_type_follow_signature(&named);
	bare = named;
	r = skip_names(&bare);
	if (r < 0)
		return r;
	if (r > 0) {
		dwarf_type_follow_signature(&bare);
		info.id = id_of(types, &bare) | (uint64_t)dimensions << ID_DIMENSIONS_SHIFT;
		r = fill(types, &bare, dimensions, &info);
		if (r < 0)
			return r;
	}
	r = dwarf_type_name_read(types, &named, dimensions, &info.name);
	if (r < 0)
		return r;
	info.provider = &types->provider;
	*ret = info;
	return 0;
}

int dwarf_type_info_read(struct dwarf_types *types, Dwarf_Die *die, struct type_info *ret)
{
	int r;

	if (!die) {
		*ret = (struct type_info){ TYPE_VOID, .name = "void",
					   .provider = &types->provider };
		return 0;
	}
	/* Types that say they are elements of themselves. */
	if (types->depth >= DWARF_CHAIN_MAX)
		return -EBADMSG;
	types->depth++;
	r = info_read(types, die, 0, ret);
	types->depth--;
	return r;
}

int dwarf_type_info_of(struct dwarf_types *types, Dwarf_Die *die, struct type_info *ret)
{
	Dwarf_Attribute attribute;
	Dwarf_Die target;

	if (!dwarf_attr_integrate(die, DW_AT_type, &attribute))
		return dwarf_type_info_read(types, NULL, ret);
	if (!dwarf_formref_die(&attribute, &target))
		return -EBADMSG;
	return dwarf_type_info_read(types, &target, ret);
}

int dwarf_type_point(struct dwarf_types *types, struct type_info *type, unsigned int pointers,
		     bool is_reference)
{
	_cleanup_strbuf_ struct strbuf name = STRBUF_INIT;
	unsigned int i, whole = POINTERS(type->id) + pointers;
	uint32_t number;
	int r;

	if (!pointers)
		return 0;
	if (whole > ID_POINTERS_MAX)
		return -ENOENT;
	strbuf_printf(&name, "%s%s", type->name, is_reference ? "" : POINTERS(type->id) ? "" : " ");
	for (i = 0; i < pointers && !is_reference; i++)
		strbuf_add_char(&name, '*');
	r = name.error ? name.error : intern_add_text(types->names, name.data, &number);
	if (r < 0)
		return r;
	*type = (struct type_info){
		.kind = TYPE_POINTER,
		.name = intern_text(types->names, number),
		.bytes = DWARF_POINTER_BYTES,
		.is_reference = is_reference,
		.provider = &types->provider,
		.id = (type->id & ~((uint64_t)ID_POINTERS_MAX << ID_POINTERS_SHIFT)) |
		      (uint64_t)whole << ID_POINTERS_SHIFT,
	};
	return 0;
}

/* A type as it was before @type was put on top of it. */
static int unpoint(struct dwarf_types *types, const struct type_info *type, struct type_info *ret)
{
	unsigned int pointers = POINTERS(type->id);
	struct type_info bare = { .provider = &types->provider,
				  .id = type->id &
					~((uint64_t)ID_POINTERS_MAX << ID_POINTERS_SHIFT) };
	struct type_info info;
	Dwarf_Die die;
	int r;

	r = dwarf_type_info_read(types, dwarf_type_die(&bare, &die) ? &die : NULL, &info);
	if (r < 0)
		return r;
	r = dwarf_type_point(types, &info, pointers - 1, false);
	if (r < 0)
		return r;
	*ret = info;
	return 0;
}

int dwarf_type_target(const struct type_info *type, struct type_info *ret)
{
	struct dwarf_types *types = dwarf_types_of(type);
	unsigned int dimensions = DIMENSIONS(type->id) + 1;
	uint64_t counts[DWARF_DIMENSIONS_MAX];
	Dwarf_Die die;

	if (type->kind != TYPE_POINTER && type->kind != TYPE_ARRAY)
		return -ENOENT;
	if (POINTERS(type->id))
		return unpoint(types, type, ret);
	if (!dwarf_type_die(type, &die))
		return -ENOENT;
	/* The element of an array of arrays is one with a dimension less. */
	if (type->kind == TYPE_ARRAY && dimensions < DWARF_DIMENSIONS_MAX &&
	    dwarf_type_dimensions(&die, dimensions, counts, 1))
		return info_read(types, &die, dimensions, ret);
	return dwarf_type_info_of(types, &die, ret);
}
