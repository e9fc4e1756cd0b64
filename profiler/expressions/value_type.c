/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/expressions/value_type.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "profiler/base/cleanup.h"

#define NAME_BYTES 128
#define CONST "const "

#define INTEGER(name_, bytes_, is_signed_)                                \
	{                                                                 \
		.kind = TYPE_INTEGER, .name = (name_), .bytes = (bytes_), \
		.is_signed = (is_signed_)                                 \
	}

/* Sizes of the LP64 model. */
static const struct type_info built_in[] = {
	{ .kind = TYPE_VOID, .name = "void" },
	{ .kind = TYPE_INTEGER, .name = "char", .bytes = 1, .is_signed = true, .is_char = true },
	{ .kind = TYPE_INTEGER, .name = "bool", .bytes = 1, .is_bool = true },
	{ .kind = TYPE_INTEGER, .name = "_Bool", .bytes = 1, .is_bool = true },
	INTEGER("signed char", 1, true),
	INTEGER("unsigned char", 1, false),
	INTEGER("short", 2, true),
	INTEGER("short int", 2, true),
	INTEGER("unsigned short", 2, false),
	INTEGER("short unsigned int", 2, false),
	INTEGER("int", 4, true),
	INTEGER("unsigned", 4, false),
	INTEGER("unsigned int", 4, false),
	INTEGER("long", 8, true),
	INTEGER("long int", 8, true),
	INTEGER("unsigned long", 8, false),
	INTEGER("long unsigned int", 8, false),
	INTEGER("long long", 8, true),
	INTEGER("long long int", 8, true),
	INTEGER("unsigned long long", 8, false),
	INTEGER("long long unsigned int", 8, false),
	INTEGER("size_t", 8, false),
	INTEGER("ssize_t", 8, true),
	INTEGER("off_t", 8, true),
	INTEGER("loff_t", 8, true),
	INTEGER("pid_t", 4, true),
	INTEGER("uid_t", 4, false),
	INTEGER("gid_t", 4, false),
	INTEGER("umode_t", 2, false),
	INTEGER("old_uid_t", 2, false),
	INTEGER("old_gid_t", 2, false),
	INTEGER("clockid_t", 4, true),
	INTEGER("key_t", 4, true),
	INTEGER("key_serial_t", 4, true),
	INTEGER("mqd_t", 4, true),
	INTEGER("qid_t", 4, false),
	INTEGER("rwf_t", 4, true),
	INTEGER("timer_t", 4, true),
	INTEGER("int8_t", 1, true),
	INTEGER("int16_t", 2, true),
	INTEGER("int32_t", 4, true),
	INTEGER("int64_t", 8, true),
	INTEGER("uint8_t", 1, false),
	INTEGER("uint16_t", 2, false),
	INTEGER("uint32_t", 4, false),
	INTEGER("uint64_t", 8, false),
	INTEGER("s8", 1, true),
	INTEGER("s16", 2, true),
	INTEGER("s32", 4, true),
	INTEGER("s64", 8, true),
	INTEGER("u8", 1, false),
	INTEGER("u16", 2, false),
	INTEGER("u32", 4, false),
	INTEGER("u64", 8, false),
	INTEGER("__s8", 1, true),
	INTEGER("__s16", 2, true),
	INTEGER("__s32", 4, true),
	INTEGER("__s64", 8, true),
	INTEGER("__u8", 1, false),
	INTEGER("__u16", 2, false),
	INTEGER("__u32", 4, false),
	INTEGER("__u64", 8, false),
};

/* Words that say nothing of how a value lies in memory. */
static const char *const qualifiers[] = { "const", "volatile", "restrict", "__user", "__rcu" };

struct value_type value_type_unknown(void)
{
	return (struct value_type){
		.info = { .kind = TYPE_OTHER, .name = "s64", .bytes = 8, .is_signed = true },
	};
}

static bool is_qualifier(const char *word, size_t size)
{
	for (size_t i = 0; i < ARRAY_SIZE(qualifiers); i++)
		if (strlen(qualifiers[i]) == size && !memcmp(word, qualifiers[i], size))
			return true;
	return false;
}

/* Words without qualifiers into @name, with one space between them; stars behind them are counted. */
static int read_words(const char *p, const char *end, char name[NAME_BYTES], unsigned int *pointers)
{
	size_t size = 0;

	*pointers = 0;
	while (p < end && *p != '[') {
		const char *word = p;

		while (p < end && (isalnum((unsigned char)*p) || *p == '_' || *p == ':'))
			p++;
		if (p == word) {
			*pointers += *p == '*';
			if (*p != '*' && *p != ' ')
				return -EINVAL;
			p++;
			continue;
		}
		if (is_qualifier(word, p - word))
			continue;
		if (*pointers || size + (p - word) + 2 > NAME_BYTES)
			return -EINVAL;
		size += snprintf(name + size, NAME_BYTES - size, "%s%.*s", size ? " " : "",
				 (int)(p - word), word);
	}
	return size ? 0 : -EINVAL;
}

int value_type_parse(const struct type_provider *types, const char *words, size_t size,
		     struct value_type *ret)
{
	struct value_type type = { 0 };
	char name[NAME_BYTES] = "";
	int r;

	r = read_words(words, words + size, name, &type.pointers);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_SIZE(built_in); i++) {
		if (!strcmp(built_in[i].name, name)) {
			type.info = built_in[i];
			*ret = type;
			return 0;
		}
	}
	if (!types || !types->by_name)
		return -ENOENT;
	r = types->by_name(types->context, name, &type.info);
	if (r < 0)
		return r;
	*ret = type;
	return 0;
}

bool value_type_parse_integer(const struct type_provider *types, const char *words,
			      struct type_info *ret)
{
	struct value_type type;

	if (value_type_parse(types, words, strlen(words), &type) < 0 ||
	    value_type_kind(&type) != TYPE_INTEGER)
		return false;
	*ret = type.info;
	return true;
}

enum type_kind value_type_kind(const struct value_type *type)
{
	return type->pointers ? TYPE_POINTER : type->info.kind;
}

uint64_t value_type_bytes(const struct value_type *type)
{
	return value_type_kind(type) == TYPE_POINTER ? 8 : type->info.bytes;
}

int value_type_target(const struct type_provider *types, const struct value_type *type,
		      struct value_type *ret)
{
	struct value_type target = *type;
	const char *words = type->info.name;
	int r;

	if (type->pointers) {
		target.pointers--;
		*ret = target;
		return 0;
	}
	if (type->info.kind != TYPE_POINTER && type->info.kind != TYPE_ARRAY)
		return -ENOENT;
	if (type->info.provider) {
		r = type->info.provider->target(&type->info, &target.info);
	} else {
		/* Of a tracepoint, in words: the pointers are in them. */
		r = value_type_parse(types, words, strlen(words), &target);
		if (r >= 0 && type->info.kind == TYPE_POINTER && !target.pointers--)
			r = -ENOENT;
	}
	if (r < 0)
		return r;
	*ret = target;
	return 0;
}

/* The kernel's names are "const unsigned char *"; u8 * and what is written to are no texts. */
static bool is_constant_bytes(const struct value_type *type, const struct type_info *target)
{
	const char *name = target->name ? target->name : "";

	if (value_type_kind(type) != TYPE_POINTER || !type->info.name ||
	    strncmp(type->info.name, CONST, strlen(CONST)) != 0)
		return false;
	/* What is pointed to may have the word, too. */
	if (!strncmp(name, CONST, strlen(CONST)))
		name += strlen(CONST);
	return !strcmp(name, "unsigned char");
}

bool value_type_is_text(const struct type_provider *types, const struct value_type *type)
{
	enum type_kind kind = value_type_kind(type);
	struct value_type target;

	if ((kind != TYPE_POINTER && kind != TYPE_ARRAY) ||
	    value_type_target(types, type, &target) < 0 || target.pointers ||
	    target.info.kind != TYPE_INTEGER)
		return false;
	return target.info.is_char || is_constant_bytes(type, &target.info);
}

bool value_type_is_enum(const struct value_type *type)
{
	const struct type_provider *provider = type->info.provider;
	struct type_enumerator enumerator;

	return value_type_kind(type) == TYPE_INTEGER && provider && provider->enumerator &&
	       provider->enumerator(&type->info, 0, &enumerator) == 0;
}

bool value_type_is_bool(const struct value_type *type)
{
	return value_type_kind(type) == TYPE_INTEGER && type->info.is_bool;
}

bool value_type_is_reference(const struct value_type *type)
{
	return !type->pointers && type->info.kind == TYPE_POINTER && type->info.is_reference;
}

void value_type_write(const struct type_provider *types, const struct value_type *type,
		      char *buffer, size_t size)
{
	const char *name = type->info.name ? type->info.name : "";
	struct value_type target;
	char inner[NAME_BYTES];

	if (type->pointers || *name) {
		size_t stars = type->pointers;
		bool spaced = !*name || name[strlen(name) - 1] != '*';

		snprintf(buffer, size, "%s%s%.*s", *name ? name : "?", stars && spaced ? " " : "",
			 (int)(stars < 6 ? stars : 6), "******");
		return;
	}
	if ((type->info.kind == TYPE_POINTER || type->info.kind == TYPE_ARRAY) &&
	    value_type_target(types, type, &target) == 0 && (target.info.name || target.pointers)) {
		snprintf(inner, sizeof(inner), "%s", target.info.name ? target.info.name : "?");
		if (type->info.kind == TYPE_ARRAY)
			snprintf(buffer, size, "%s[%llu]", inner,
				 (unsigned long long)type->info.count);
		else
			snprintf(buffer, size, "%s%s*", inner,
				 *inner && inner[strlen(inner) - 1] == '*' ? "" : " ");
		return;
	}
	snprintf(buffer, size, "%s", type->info.kind == TYPE_POINTER ? "void *" : "?");
}
