/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/kernel_types/tracepoint_symbols.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "profiler/base/alloc.h"

#define DEPTH_MAX 32

/* What is left of a constant expression. */
struct reader {
	const char *at;
	unsigned int depth;
};

static bool read_value(struct reader *reader, uint64_t *ret);

static void skip_spaces(struct reader *reader)
{
	while (isspace((unsigned char)*reader->at))
		reader->at++;
}

static bool accept(struct reader *reader, const char *word)
{
	size_t size = strlen(word);

	skip_spaces(reader);
	if (strncmp(reader->at, word, size) != 0)
		return false;
	reader->at += size;
	return true;
}

/* "0x10UL" */
static bool read_number(struct reader *reader, uint64_t *ret)
{
	unsigned int base = 10;
	uint64_t number = 0;
	const char *begin;

	if (accept(reader, "0x"))
		base = 16;
	begin = reader->at;
	for (; isxdigit((unsigned char)*reader->at); reader->at++) {
		char c = *reader->at;
		unsigned int digit = isdigit((unsigned char)c) ? c - '0' : (c | 0x20) - 'a' + 10;

		if (digit >= base)
			break;
		number = number * base + digit;
	}
	if (reader->at == begin)
		return false;
	while (*reader->at && strchr("uUlL", *reader->at))
		reader->at++;
	*ret = number;
	return true;
}

/* "( unsigned long)", of words only. */
static bool accept_cast(struct reader *reader)
{
	struct reader ahead = *reader;
	size_t words = 0;

	if (!accept(&ahead, "("))
		return false;
	skip_spaces(&ahead);
	while (isalpha((unsigned char)*ahead.at) || *ahead.at == '_') {
		words++;
		while (isalnum((unsigned char)*ahead.at) || *ahead.at == '_')
			ahead.at++;
		skip_spaces(&ahead);
	}
	if (!words || !accept(&ahead, ")"))
		return false;
	reader->at = ahead.at;
	return true;
}

static bool read_operand(struct reader *reader, uint64_t *ret)
{
	bool known;

	if (reader->depth++ >= DEPTH_MAX)
		return false;
	if (accept_cast(reader)) {
		known = read_operand(reader, ret);
	} else if (accept(reader, "(")) {
		known = read_value(reader, ret) && accept(reader, ")");
	} else if (accept(reader, "-")) {
		known = read_operand(reader, ret);
		*ret = -*ret;
	} else if (accept(reader, "~")) {
		known = read_operand(reader, ret);
		*ret = ~*ret;
	} else {
		known = read_number(reader, ret);
	}
	reader->depth--;
	return known;
}

/* By what binds more, each of them from left to right. */
static bool read_binary(struct reader *reader, unsigned int level, uint64_t *ret)
{
	static const char *const operators[][2] = { { "|" }, { "&" }, { "<<", ">>" }, { "+", "-" } };
	uint64_t right = 0;
	size_t i;

	if (level == ARRAY_SIZE(operators))
		return read_operand(reader, ret);
	if (!read_binary(reader, level + 1, ret))
		return false;
	for (;;) {
		for (i = 0; i < 2; i++)
			if (operators[level][i] && accept(reader, operators[level][i]))
				break;
		if (i == 2)
			return true;
		if (!read_binary(reader, level + 1, &right))
			return false;
		if (level == 0)
			*ret |= right;
		else if (level == 1)
			*ret &= right;
		else if (level == 2)
			*ret = right > 63 ? 0 : i ? *ret >> right : *ret << right;
		else
			*ret += i ? -right : right;
	}
}

static bool read_value(struct reader *reader, uint64_t *ret)
{
	*ret = 0;
	return read_binary(reader, 0, ret);
}

/* Behind "{": NUMBER, "NAME" }. Returns 1, 0 when the number is not understood, or a negative errno. */
static int read_symbol(struct reader *reader, struct arena *arena, struct type_enumerator *symbol)
{
	const char *begin, *end;
	uint64_t number = 0;
	bool known;
	char *name;

	known = read_value(reader, &number) && accept(reader, ",") && accept(reader, "\"");
	if (!known) {
		begin = strchr(reader->at, '"');
		if (!begin)
			return -EBADMSG;
		reader->at = begin + 1;
	}
	begin = reader->at;
	end = strchr(begin, '"');
	if (!end)
		return -EBADMSG;
	reader->at = end + 1;
	if (!accept(reader, "}"))
		return -EBADMSG;
	if (!known)
		return 0;
	name = arena_copy(arena, begin, end - begin + 1);
	if (!name)
		return -ENOMEM;
	name[end - begin] = '\0';
	*symbol = (struct type_enumerator){ .name = name, .value = (int64_t)number };
	return 1;
}

/* The table behind a field's name, up to what is no part of it. */
static int read_table(struct reader *reader, struct arena *arena, struct tracepoint_field *field)
{
	_cleanup_free_ struct type_enumerator *symbols = NULL;
	size_t count = 0, capacity = 0;
	int r = 0;

	while (r >= 0 && accept(reader, ",") && accept(reader, "{")) {
		if (alloc_grow(&symbols, &capacity, count + 1) < 0)
			return -ENOMEM;
		r = read_symbol(reader, arena, &symbols[count]);
		count += r > 0;
	}
	if (r == -ENOMEM)
		return r;
	if (!count)
		return 0;
	field->enumerators = arena_copy(arena, symbols, count * sizeof(*symbols));
	if (!field->enumerators)
		return -ENOMEM;
	field->enumerator_count = count;
	return 0;
}

/* "(REC->NAME" and what is the same, "((unsigned long)REC->NAME". */
static bool accept_field(struct reader *reader, const char *name)
{
	if (!accept(reader, "("))
		return false;
	while (accept_cast(reader))
		;
	if (!accept(reader, "REC->") || !accept(reader, name))
		return false;
	skip_spaces(reader);
	return *reader->at == ',';
}

int tracepoint_symbols_read(const char *print, struct arena *arena, struct tracepoint_field *field)
{
	static const char *const functions[] = { "__print_symbolic", "__print_flags" };

	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		const char *found = print;

		while ((found = strstr(found, functions[i]))) {
			struct reader reader = { .at = found += strlen(functions[i]) };

			/* Also "__print_symbolic64". */
			accept(&reader, "64");
			if (!accept_field(&reader, field->name))
				continue;
			field->is_flags = i == 1;
			/* Flags have what stands between them first: "|". */
			if (field->is_flags) {
				reader.at = strchr(reader.at, '"');
				reader.at = reader.at ? strchr(reader.at + 1, '"') : NULL;
				if (!reader.at)
					return 0;
				reader.at++;
			}
			return read_table(&reader, arena, field);
		}
	}
	return 0;
}
