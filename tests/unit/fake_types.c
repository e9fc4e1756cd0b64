/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/fake_types.h"

#include <errno.h>
#include <string.h>

#include "profiler/base/cleanup.h"

enum fake_id {
	NO_TYPE, INT, UNSIGNED, LONG, SHORT, CHAR, BYTE, BOOL, DOUBLE, VOID, STATE, TEXT, TEXTS,
	VOID_POINTER, NAME, MAC, NUMBERS, QSTR, DENTRY, DENTRY_POINTER, PATH, FILE_TYPE,
	FILE_POINTER, PAIR, SIZE, VIEW, REFERENCE,
};

#define FAKE(id_, kind_, name_, bytes_, ...) \
	[id_] = { .kind = (kind_), .name = (name_), .bytes = (bytes_), .id = (id_), \
		  .provider = &fake_types, ##__VA_ARGS__ }

static const struct type_info fakes[] = {
	FAKE(INT, TYPE_INTEGER, "int", 4, .is_signed = true),
	FAKE(UNSIGNED, TYPE_INTEGER, "unsigned int", 4),
	FAKE(LONG, TYPE_INTEGER, "long", 8, .is_signed = true),
	FAKE(SHORT, TYPE_INTEGER, "short", 2, .is_signed = true),
	FAKE(CHAR, TYPE_INTEGER, "char", 1, .is_signed = true, .is_char = true),
	FAKE(BYTE, TYPE_INTEGER, "unsigned char", 1),
	FAKE(BOOL, TYPE_INTEGER, "_Bool", 1, .is_bool = true),
	FAKE(DOUBLE, TYPE_FLOAT, "double", 8),
	FAKE(VOID, TYPE_VOID, "void", 0),
	FAKE(STATE, TYPE_INTEGER, "enum state", 4, .is_signed = true),
	FAKE(TEXT, TYPE_POINTER, "const char *", 8),
	FAKE(TEXTS, TYPE_POINTER, "char **", 8),
	FAKE(VOID_POINTER, TYPE_POINTER, "void *", 8),
	FAKE(NAME, TYPE_ARRAY, "char[16]", 16, .count = 16),
	FAKE(MAC, TYPE_ARRAY, "unsigned char[6]", 6, .count = 6),
	FAKE(NUMBERS, TYPE_ARRAY, "int[4]", 16, .count = 4),
	FAKE(QSTR, TYPE_STRUCT, "struct qstr", 16),
	FAKE(DENTRY, TYPE_STRUCT, "struct dentry", 48),
	FAKE(DENTRY_POINTER, TYPE_POINTER, "struct dentry *", 8),
	FAKE(PATH, TYPE_STRUCT, "struct path", 16),
	FAKE(FILE_TYPE, TYPE_STRUCT, "struct file", 136),
	FAKE(FILE_POINTER, TYPE_POINTER, "struct file *", 8),
	FAKE(PAIR, TYPE_STRUCT, "struct pair", 8),
	FAKE(VIEW, TYPE_STRUCT, "string_view", 16, .is_text = true, .text_offset = 8),
	FAKE(REFERENCE, TYPE_POINTER, "int &", 8, .is_reference = true),
	FAKE(SIZE, TYPE_INTEGER, "size_t", 8),
};

static const struct fake_target {
	enum fake_id of, target;
} targets[] = {
	{ TEXT, CHAR },
	{ TEXTS, TEXT },
	{ VOID_POINTER, VOID },
	{ NAME, CHAR },
	{ MAC, BYTE },
	{ NUMBERS, INT },
	{ DENTRY_POINTER, DENTRY },
	{ FILE_POINTER, FILE_TYPE },
	{ REFERENCE, INT },
};

static const struct fake_member {
	enum fake_id of;
	const char *name;
	uint64_t offset;
	enum fake_id type;
	uint8_t bit_shift, bit_count;
} members[] = {
	{ QSTR, "hash", 0, UNSIGNED, 0, 0 },
	{ QSTR, "len", 4, UNSIGNED, 0, 0 },
	{ QSTR, "name", 8, TEXT, 0, 0 },
	{ DENTRY, "d_name", 32, QSTR, 0, 0 },
	{ PATH, "mnt", 0, VOID_POINTER, 0, 0 },
	{ PATH, "dentry", 8, DENTRY_POINTER, 0, 0 },
	{ FILE_TYPE, "f_path", 16, PATH, 0, 0 },
	{ FILE_TYPE, "f_flags", 32, UNSIGNED, 0, 0 },
	{ FILE_TYPE, "f_mode", 36, UNSIGNED, 2, 3 },
	{ FILE_TYPE, "state", 40, STATE, 0, 0 },
	{ FILE_TYPE, "name", 44, NAME, 0, 0 },
	{ FILE_TYPE, "mac", 60, MAC, 0, 0 },
	{ FILE_TYPE, "weight", 72, DOUBLE, 0, 0 },
	{ FILE_TYPE, "numbers", 80, NUMBERS, 0, 0 },
	{ FILE_TYPE, "label", 96, TEXT, 0, 0 },
	{ FILE_TYPE, "ok", 104, BOOL, 0, 0 },
	{ FILE_TYPE, "grade", 105, CHAR, 0, 0 },
	{ FILE_TYPE, "level", 106, SHORT, 0, 0 },
	{ FILE_TYPE, "title", 112, VIEW, 0, 0 },
	{ FILE_TYPE, "owner", 128, REFERENCE, 0, 0 },
	{ VIEW, "_M_len", 0, SIZE, 0, 0 },
	{ VIEW, "_M_str", 8, TEXT, 0, 0 },
	{ PAIR, "a", 0, UNSIGNED, 0, 0 },
	{ PAIR, "b", 4, INT, 0, 0 },
};

static const struct type_enumerator enumerators[] = { { "OPENED", 1 }, { "CLOSED", 2 },
						      { "BROKEN", -1 } };

static int fake_target(const struct type_info *type, struct type_info *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		if (targets[i].of == type->id) {
			*ret = fakes[targets[i].target];
			return 0;
		}
	}
	return -ENOENT;
}

static void write_member(const struct fake_member *member, struct type_member *ret)
{
	*ret = (struct type_member){ member->name, member->offset, member->bit_shift,
				     member->bit_count, fakes[member->type] };
}

static int fake_member_at(const struct type_info *type, size_t index, struct type_member *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		if (members[i].of == type->id && !index--) {
			write_member(&members[i], ret);
			return 0;
		}
	}
	return -ENOENT;
}

static int fake_member(const struct type_info *type, const char *name, struct type_member *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
		if (members[i].of == type->id && !strcmp(members[i].name, name)) {
			write_member(&members[i], ret);
			return 0;
		}
	}
	return -ENOENT;
}

static int fake_by_name(const void *context, const char *name, struct type_info *ret)
{
	for (size_t i = 0; i < ARRAY_SIZE(fakes); i++) {
		if (fakes[i].name && !strcmp(fakes[i].name, name)) {
			*ret = fakes[i];
			return 0;
		}
	}
	return -ENOENT;
}

static int fake_enumerator(const struct type_info *type, size_t index, struct type_enumerator *ret)
{
	if (type->id != STATE || index >= ARRAY_SIZE(enumerators))
		return -ENOENT;
	*ret = enumerators[index];
	return 0;
}

const struct type_provider fake_types = {
	.target = fake_target,
	.member = fake_member,
	.member_at = fake_member_at,
	.by_name = fake_by_name,
	.enumerator = fake_enumerator,
};

#define IN_REGISTER(name_, id_, kind_, type_name, bytes_, reg_, ...) \
	{ .name = (name_), .place = ARGUMENT_REGISTER, .reg = (reg_), \
	  .type = { .kind = (kind_), .name = (type_name), .bytes = (bytes_), .id = (id_), \
		    .provider = &fake_types, ##__VA_ARGS__ } }

/* Numbers of registers are DWARF's: rdi is 5, rsi 4, rdx 1, rcx 2, r8 8, r9 9. */
const struct type_function fake_function = {
	.argument_count = 9,
	.arguments = {
		IN_REGISTER("fd", INT, TYPE_INTEGER, "int", 4, 5, .is_signed = true),
		IN_REGISTER("path", TEXT, TYPE_POINTER, "const char *", 8, 4),
		IN_REGISTER("file", FILE_POINTER, TYPE_POINTER, "struct file *", 8, 1),
		IN_REGISTER("count", SIZE, TYPE_INTEGER, "size_t", 8, 2),
		{ .name = "ratio", .place = ARGUMENT_UNKNOWN, .refusal = "floating point is not read",
		  .type = { .kind = TYPE_FLOAT, .name = "double", .bytes = 8, .id = DOUBLE,
			    .provider = &fake_types } },
		{ .name = "pair", .place = ARGUMENT_PIECES, .piece_count = 1, .pieces = { { 0, 8, 8 } },
		  .type = { .kind = TYPE_STRUCT, .name = "struct pair", .bytes = 8, .id = PAIR,
			    .provider = &fake_types } },
		IN_REGISTER("list", TEXTS, TYPE_POINTER, "char **", 8, 9),
		{ .name = "data", .place = ARGUMENT_STACK, .stack_offset = 8,
		  .type = { .kind = TYPE_POINTER, .name = "void *", .bytes = 8, .id = VOID_POINTER,
			    .provider = &fake_types } },
		{ .name = "on_stack", .place = ARGUMENT_STACK, .stack_offset = 16,
		  .type = { .kind = TYPE_INTEGER, .name = "long", .bytes = 8, .is_signed = true,
			    .id = LONG, .provider = &fake_types } },
	},
	.result = IN_REGISTER("", INT, TYPE_INTEGER, "int", 4, 0, .is_signed = true),
};
