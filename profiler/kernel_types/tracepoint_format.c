/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/kernel_types/tracepoint_format.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "profiler/base/arena.h"
#include "profiler/base/number.h"
#include "profiler/kernel_types/tracepoint_symbols.h"

#define ARENA_BYTES 4096
#define COMMON_PREFIX "common_"
#define DATA_LOC "__data_loc "

struct tracepoint_format {
	struct arena *arena;		/* the texts */
	struct type_provider types;
	char *text;			/* a copy that is taken apart */
	const char *name, *print;
	uint32_t id;
	bool has_id;
	struct tracepoint_field *fields;
	size_t count, capacity;
};

static int enumerator_at(const struct type_info *type, size_t index, struct type_enumerator *ret)
{
	const struct tracepoint_format *format = type->provider->context;
	const struct tracepoint_field *field;

	if (type->id >= format->count)
		return -ENOENT;
	field = &format->fields[type->id];
	if (index >= field->enumerator_count)
		return -ENOENT;
	*ret = field->enumerators[index];
	return 0;
}

/* What stands behind @key in "key:VALUE" of a field's line, cut at its ';'. NULL: it is not there. */
static char *take_part(char **rest, const char *key)
{
	char *part = *rest + strspn(*rest, " \t"), *end;
	size_t size = strlen(key);

	if (strncmp(part, key, size) != 0)
		return NULL;
	end = strchr(part, ';');
	if (!end)
		return NULL;
	*end = '\0';
	*rest = end + 1;
	return part + size;
}

static int take_number(char **rest, const char *key, uint32_t *ret)
{
	const char *digits = take_part(rest, key);
	uint64_t number;

	if (!digits || number_parse_u64(digits, UINT32_MAX, &number) < 0)
		return -EBADMSG;
	*ret = number;
	return 0;
}

/* "-1" on kernels where the type tells nothing; else 0 or 1. */
static bool take_sign(char **rest)
{
	const char *sign = take_part(rest, "signed:");

	return sign && *sign == '1';
}

static bool ends_with_word(const char *type, const char *word)
{
	size_t size = strlen(type), word_size = strlen(word);

	return size >= word_size && !strcmp(type + size - word_size, word) &&
	       (size == word_size || type[size - word_size - 1] == ' ');
}

/* char as such; "unsigned char" and "signed char" are numbers. */
static bool is_char(const char *type)
{
	return ends_with_word(type, "char") && !strstr(type, "signed");
}

/* A copy of @size bytes, as a text with @suffix behind it. */
static char *copy_joined(struct tracepoint_format *format, const char *text, size_t size,
			 const char *suffix)
{
	size_t suffix_size = strlen(suffix);
	char *copy = arena_alloc(format->arena, size + suffix_size + 1);

	if (!copy)
		return NULL;
	memcpy(copy, text, size);
	memcpy(copy + size, suffix, suffix_size);
	return copy;
}

/* "char comm[16]" is a type "char[16]" and a name; "__data_loc char[] comm" has it in order. */
static int split_declaration(struct tracepoint_format *format, char *text,
			     struct tracepoint_field *field)
{
	char *bracket = strchr(text, '['), *end = text + strlen(text), *name, *type_end;
	const char *suffix;

	while (end > text && isspace((unsigned char)end[-1]))
		*--end = '\0';
	suffix = bracket && end[-1] == ']' ? bracket : "";
	if (*suffix)
		end = bracket;
	name = end;
	while (name > text && (isalnum((unsigned char)name[-1]) || name[-1] == '_'))
		name--;
	type_end = name;
	while (type_end > text && isspace((unsigned char)type_end[-1]))
		type_end--;
	if (type_end == text || name == end)
		return -EBADMSG;
	field->name = copy_joined(format, name, end - name, "");
	field->type = copy_joined(format, text, type_end - text, suffix);
	if (!field->name || !field->type)
		return -ENOMEM;
	*type_end = '\0';
	field->is_data_loc = !strncmp(text, DATA_LOC, strlen(DATA_LOC));
	field->is_array = field->is_data_loc || bracket;
	field->is_pointer = !field->is_array && strchr(text, '*');
	field->is_text = *suffix ? is_char(text) : !strcmp(text, DATA_LOC "char[]");
	return 0;
}

static int parse_field(struct tracepoint_format *format, char *line)
{
	struct tracepoint_field field = { 0 };
	char *rest = line, *declaration = take_part(&rest, "field:");
	int r;

	if (!declaration || take_number(&rest, "offset:", &field.offset) < 0 ||
	    take_number(&rest, "size:", &field.bytes) < 0)
		return -EBADMSG;
	field.is_signed = take_sign(&rest);
	r = split_declaration(format, declaration, &field);
	if (r < 0 || !strncmp(field.name, COMMON_PREFIX, strlen(COMMON_PREFIX)))
		return r;
	if (alloc_grow(&format->fields, &format->capacity, format->count + 1) < 0)
		return -ENOMEM;
	format->fields[format->count++] = field;
	return 0;
}

static int parse_line(struct tracepoint_format *format, char *line)
{
	uint64_t id;

	if (!strncmp(line, "name: ", 6)) {
		format->name = line + 6;
	} else if (!strncmp(line, "ID: ", 4)) {
		if (number_parse_u64(line + 4, UINT32_MAX, &id) < 0)
			return -EBADMSG;
		format->id = id;
		format->has_id = true;
	} else if (line[0] == '\t') {
		return parse_field(format, line);
	}
	return 0;
}

/* Names of numbers are in what the kernel prints, which is the last and may have several lines. */
static int parse(struct tracepoint_format *format)
{
	char *rest = format->text, *line;
	int r;

	while (rest && *rest) {
		if (!strncmp(rest, "print fmt: ", 11)) {
			format->print = rest + 11;
			break;
		}
		line = strsep(&rest, "\n");
		r = parse_line(format, line);
		if (r < 0)
			return r;
	}
	if (!format->name || !format->has_id)
		return -EBADMSG;
	for (size_t i = 0; i < format->count; i++) {
		r = tracepoint_symbols_read(format->print, format->arena, &format->fields[i]);
		if (r < 0)
			return r;
		if (!format->fields[i].enumerator_count)
			tracepoint_symbols_known(format->name, &format->fields[i]);
	}
	return 0;
}

int tracepoint_format_parse(const char *text, size_t size, struct tracepoint_format **ret)
{
	_cleanup_(tracepoint_format_freep) struct tracepoint_format *format =
		calloc(1, sizeof(*format));
	int r;

	if (!format)
		return -ENOMEM;
	format->print = "";
	format->types.context = format;
	format->types.enumerator = enumerator_at;
	format->arena = arena_new(ARENA_BYTES);
	format->text = strndup(text, size);
	if (!format->arena || !format->text)
		return -ENOMEM;
	r = parse(format);
	if (r < 0)
		return r;
	*ret = take_ptr(format);
	return 0;
}

struct tracepoint_format *tracepoint_format_free(struct tracepoint_format *format)
{
	if (!format)
		return NULL;
	arena_free(format->arena);
	free(format->text);
	free(format->fields);
	free(format);
	return NULL;
}

const char *tracepoint_format_name(const struct tracepoint_format *format)
{
	return format->name;
}

uint32_t tracepoint_format_id(const struct tracepoint_format *format)
{
	return format->id;
}

size_t tracepoint_format_count(const struct tracepoint_format *format)
{
	return format->count;
}

const struct tracepoint_field *tracepoint_format_at(const struct tracepoint_format *format,
						    size_t index)
{
	return &format->fields[index];
}

const char *tracepoint_format_print(const struct tracepoint_format *format)
{
	return format->print;
}

const struct type_provider *tracepoint_format_types(const struct tracepoint_format *format)
{
	return &format->types;
}
