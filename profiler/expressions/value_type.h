/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * value_type.h - types inside of an expression: those of a provider, with pointers to them.
 *
 * A cast names pointers that no debug information may have, a tracepoint names its types in words
 * only, and where there are no types at all values are still read. Strings of providers live as
 * long as those do; names of built-in types are constants.
 */
#ifndef WICK_VALUE_TYPE_H
#define WICK_VALUE_TYPE_H

#include "symbolizer/types/type_info.h"

struct value_type {
	struct type_info info;
	unsigned int pointers;		/* that many '*' behind it */
};

/* Nothing is known: 64 bits, signed. */
struct value_type value_type_unknown(void);
/*
 * From words: "struct file *", "const char", "unsigned long[6]" (its element). Built-in ones need
 * no provider, which may be NULL. Returns 0, -EINVAL when these are no words of a type, or -ENOENT.
 */
int value_type_parse(const struct type_provider *types, const char *words, size_t size,
		     struct value_type *ret);
/* Whether these words name an integer, of which *@ret says how it lies in memory. */
bool value_type_parse_integer(const struct type_provider *types, const char *words,
			      struct type_info *ret);
enum type_kind value_type_kind(const struct value_type *type);
/* 0: not known. */
uint64_t value_type_bytes(const struct value_type *type);
/* What it points to, or its element; @types knows those named by words. -ENOENT: not known. */
int value_type_target(const struct type_provider *types, const struct value_type *type,
		      struct value_type *ret);
/* A pointer to text, or an array of it. */
bool value_type_is_text(const struct type_provider *types, const struct value_type *type);
bool value_type_is_enum(const struct value_type *type);
/* Written as what it points to. */
bool value_type_is_reference(const struct value_type *type);
bool value_type_is_bool(const struct value_type *type);
/* "struct file *", "char[16]"; what is too long is cut. */
void value_type_write(const struct type_provider *types, const struct value_type *type,
		      char *buffer, size_t size);

#endif
