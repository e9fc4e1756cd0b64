/* SPDX-License-Identifier: BSD-2-Clause */
#include "formats/pprof_elements.h"

#include <errno.h>
#include <string.h>

#include "formats/frame_kind.h"
#include "profiler/base/alloc.h"

enum value_type_field { VALUE_TYPE_TYPE = 1, VALUE_TYPE_UNIT };
enum sample_field { SAMPLE_LOCATION = 1, SAMPLE_VALUE, SAMPLE_LABEL };
enum label_field { LABEL_KEY = 1, LABEL_TEXT, LABEL_NUMBER, LABEL_UNIT };
enum mapping_field {
	MAPPING_ID = 1, MAPPING_START, MAPPING_LIMIT, MAPPING_OFFSET, MAPPING_FILE,
	MAPPING_BUILD_ID, MAPPING_FUNCTIONS, MAPPING_FILES, MAPPING_LINES, MAPPING_INLINES,
};
enum location_field { LOCATION_ID = 1, LOCATION_MAPPING, LOCATION_ADDRESS, LOCATION_LINE };
enum line_field { LINE_FUNCTION = 1, LINE_LINE };
enum function_field {
	FUNCTION_ID = 1, FUNCTION_NAME, FUNCTION_SYSTEM_NAME, FUNCTION_FILE, FUNCTION_START,
};

int pprof_refuse(struct pprof_reader *reader, const char *why)
{
	reader->why = why;
	return -EBADMSG;
}

/* ---- messages ---- */

/* The numbers in a message, by field; what is not there is 0, what we do not know is skipped. */
int pprof_read_numbers(struct pprof_reader *reader, const struct wire_field *message,
		       uint64_t numbers[PPROF_FIELDS_MAX])
{
	struct wire wire = { message->bytes, message->bytes + message->size };
	struct wire_field field;
	int r;

	memset(numbers, 0, PPROF_FIELDS_MAX * sizeof(*numbers));
	while ((r = wire_next(&wire, &field)) > 0)
		if (field.number < PPROF_FIELDS_MAX && field.type == WIRE_VARINT)
			numbers[field.number] = field.value;
	return r < 0 ? pprof_refuse(reader, "damaged") : 0;
}

int pprof_read_text(struct pprof_reader *reader, uint64_t index, profile_string *ret)
{
	if (index >= reader->string_count)
		return pprof_refuse(reader, "refers to a string that is not there");
	*ret = reader->strings[index];
	return 0;
}

/* Remember that @id of the file is @index here. */
static int add_id(struct pprof_reader *reader, struct hashmap *ids, uint64_t id, uint32_t index)
{
	uint32_t *value;
	int r;

	if (!id)
		return pprof_refuse(reader, "has no id");
	r = hashmap_add(ids, &id, (void **)&value);
	if (r < 0)
		return r;
	if (!r)
		return pprof_refuse(reader, "has the id of another one");
	*value = index;
	return 0;
}

static int find_id(struct pprof_reader *reader, const struct hashmap *ids, uint64_t id,
		   uint32_t *ret)
{
	const uint32_t *value = hashmap_find(ids, &id);

	if (!value)
		return pprof_refuse(reader, "refers to an id that is not there");
	*ret = *value;
	return 0;
}

/* ---- elements ---- */

int pprof_read_string(struct pprof_reader *reader, const struct wire_field *field)
{
	int r;

	if (!reader->string_count && field->size)
		return pprof_refuse(reader, "the first string is not empty");
	r = alloc_grow(&reader->strings, &reader->string_capacity, reader->string_count + 1);
	if (r < 0)
		return r;
	strbuf_reset(&reader->text);
	strbuf_add(&reader->text, field->bytes, field->size);
	if (reader->text.error)
		return reader->text.error;
	r = profile_builder_string(reader->builder, reader->text.data,
				   &reader->strings[reader->string_count]);
	if (r < 0)
		return r;
	reader->string_count++;
	return 0;
}

int pprof_read_value_type(struct pprof_reader *reader, const struct wire_field *field,
			  struct profile_value_type *ret)
{
	struct profile_value_type type = { 0 };
	uint64_t numbers[PPROF_FIELDS_MAX];
	int r;

	r = pprof_read_numbers(reader, field, numbers);
	if (r < 0)
		return r;
	r = pprof_read_text(reader, numbers[VALUE_TYPE_TYPE], &type.type);
	if (r < 0)
		return r;
	r = pprof_read_text(reader, numbers[VALUE_TYPE_UNIT], &type.unit);
	if (r < 0)
		return r;
	*ret = type;
	return 0;
}

int pprof_read_sample_type(struct pprof_reader *reader, const struct wire_field *field)
{
	int r;

	r = alloc_grow(&reader->types, &reader->type_capacity, reader->type_count + 1);
	if (r < 0)
		return r;
	r = pprof_read_value_type(reader, field, &reader->types[reader->type_count]);
	if (r < 0)
		return r;
	reader->type_count++;
	return 0;
}

static int remember_kind(struct pprof_reader *reader, uint32_t mapping, const char *file)
{
	enum frame_kind *kind;
	int r;

	r = hashmap_add(reader->kinds, &mapping, (void **)&kind);
	if (r > 0)
		*kind = frame_kind_of_mapping(file);
	return r < 0 ? r : 0;
}

int pprof_read_mapping(struct pprof_reader *reader, const struct wire_field *field)
{
	struct profile_mapping mapping = { 0 };
	uint64_t numbers[PPROF_FIELDS_MAX];
	uint32_t index;
	int r;

	r = pprof_read_numbers(reader, field, numbers);
	if (r < 0)
		return r;
	mapping.start = numbers[MAPPING_START];
	mapping.limit = numbers[MAPPING_LIMIT];
	mapping.offset = numbers[MAPPING_OFFSET];
	mapping.has_functions = numbers[MAPPING_FUNCTIONS] != 0;
	mapping.has_files = numbers[MAPPING_FILES] != 0;
	mapping.has_lines = numbers[MAPPING_LINES] != 0;
	mapping.has_inlines = numbers[MAPPING_INLINES] != 0;
	r = pprof_read_text(reader, numbers[MAPPING_FILE], &mapping.file);
	if (r < 0)
		return r;
	r = pprof_read_text(reader, numbers[MAPPING_BUILD_ID], &mapping.build_id);
	if (r < 0)
		return r;
	r = profile_builder_mapping(reader->builder, &mapping, &index);
	if (r < 0)
		return r;
	r = remember_kind(reader, index, profile_builder_text(reader->builder, mapping.file));
	return r < 0 ? r : add_id(reader, reader->mappings, numbers[MAPPING_ID], index);
}

int pprof_read_function(struct pprof_reader *reader, const struct wire_field *field)
{
	struct profile_function function = { 0 };
	uint64_t numbers[PPROF_FIELDS_MAX];
	void *unused;
	uint32_t index;
	int r;

	r = pprof_read_numbers(reader, field, numbers);
	if (r < 0)
		return r;
	function.start_line = (int64_t)numbers[FUNCTION_START];
	r = pprof_read_text(reader, numbers[FUNCTION_NAME], &function.name);
	if (r < 0)
		return r;
	r = pprof_read_text(reader, numbers[FUNCTION_SYSTEM_NAME], &function.system_name);
	if (r < 0)
		return r;
	r = pprof_read_text(reader, numbers[FUNCTION_FILE], &function.file);
	if (r < 0)
		return r;
	r = profile_builder_function(reader->builder, &function, &index);
	if (r < 0)
		return r;
	if (frame_is_mark(profile_builder_text(reader->builder, function.name)))
		r = hashmap_add(reader->marks, &index, &unused);
	return r < 0 ? r : add_id(reader, reader->functions, numbers[FUNCTION_ID], index);
}

static int read_line(struct pprof_reader *reader, const struct wire_field *field, uint32_t count)
{
	uint64_t numbers[PPROF_FIELDS_MAX];
	int r;

	r = pprof_read_numbers(reader, field, numbers);
	if (r < 0)
		return r;
	r = alloc_grow(&reader->lines, &reader->line_capacity, (size_t)count + 1);
	if (r < 0)
		return r;
	reader->lines[count].line = (int64_t)numbers[LINE_LINE];
	return find_id(reader, reader->functions, numbers[LINE_FUNCTION],
		       &reader->lines[count].function);
}

/* Its lines, into reader->lines. Returns how many. */
static int64_t read_lines(struct pprof_reader *reader, const struct wire_field *location)
{
	struct wire wire = { location->bytes, location->bytes + location->size };
	struct wire_field field;
	uint32_t count = 0;
	int r;

	while ((r = wire_next(&wire, &field)) > 0) {
		if (field.number != LOCATION_LINE || field.type != WIRE_BYTES)
			continue;
		r = read_line(reader, &field, count);
		if (r < 0)
			return r;
		count++;
	}
	return count;
}

static int add_location(struct pprof_reader *reader, struct profile_location *location,
			uint64_t id)
{
	const enum frame_kind *kind = hashmap_find(reader->kinds, &location->mapping);
	uint32_t index;
	int r;

	if (kind)
		location->kind = *kind;
	else if (!location->address && location->line_count == 1 &&
		 hashmap_find(reader->marks, &location->lines[0].function))
		location->kind = FRAME_KIND_MARK;
	r = profile_builder_location(reader->builder, location, &index);
	return r < 0 ? r : add_id(reader, reader->locations, id, index);
}

int pprof_read_location(struct pprof_reader *reader, const struct wire_field *field)
{
	struct profile_location location = { .mapping = PROFILE_NONE };
	uint64_t numbers[PPROF_FIELDS_MAX];
	int64_t count;
	int r;

	r = pprof_read_numbers(reader, field, numbers);
	if (r < 0)
		return r;
	if (numbers[LOCATION_MAPPING]) {
		r = find_id(reader, reader->mappings, numbers[LOCATION_MAPPING], &location.mapping);
		if (r < 0)
			return r;
	}
	count = read_lines(reader, field);
	if (count < 0)
		return (int)count;
	location.address = numbers[LOCATION_ADDRESS];
	location.lines = reader->lines;
	location.line_count = (uint32_t)count;
	return add_location(reader, &location, numbers[LOCATION_ID]);
}

/* ---- samples ---- */

static int add_stack_id(struct pprof_reader *reader, struct profile_sample *sample, uint64_t id)
{
	int r;

	r = alloc_grow(&reader->stack, &reader->stack_capacity,
		       (size_t)sample->location_count + 1);
	if (r < 0)
		return r;
	return find_id(reader, reader->locations, id, &reader->stack[sample->location_count++]);
}

/* More than there are types would not fit: their number is what is checked at the end. */
static int add_value(struct pprof_reader *reader, size_t *count, uint64_t value)
{
	if (*count < reader->type_count)
		reader->values[*count] = (int64_t)value;
	(*count)++;
	return 0;
}

static int add_label(struct pprof_reader *reader, struct profile_sample *sample,
		     const struct wire_field *field)
{
	struct profile_label label = { 0 };
	uint64_t numbers[PPROF_FIELDS_MAX];
	int r;

	r = pprof_read_numbers(reader, field, numbers);
	if (r < 0)
		return r;
	r = alloc_grow(&reader->labels, &reader->label_capacity, (size_t)sample->label_count + 1);
	if (r < 0)
		return r;
	label.number = (int64_t)numbers[LABEL_NUMBER];
	r = pprof_read_text(reader, numbers[LABEL_KEY], &label.key);
	if (r < 0)
		return r;
	r = pprof_read_text(reader, numbers[LABEL_TEXT], &label.text);
	if (r < 0)
		return r;
	r = pprof_read_text(reader, numbers[LABEL_UNIT], &label.unit);
	if (r < 0)
		return r;
	reader->labels[sample->label_count++] = label;
	return 0;
}

/* A field that repeats numbers: one of them, or all packed. */
static int read_sample_numbers(struct pprof_reader *reader, struct profile_sample *sample,
			       const struct wire_field *field, size_t *value_count)
{
	struct wire wire = { field->bytes, field->bytes + field->size };
	uint64_t number = field->value;
	bool packed = field->type == WIRE_BYTES;
	int r = 1;

	if (packed)
		r = wire_next_number(&wire, &number);
	while (r > 0) {
		r = field->number == SAMPLE_LOCATION ? add_stack_id(reader, sample, number) :
						       add_value(reader, value_count, number);
		if (r < 0)
			return r;
		r = packed ? wire_next_number(&wire, &number) : 0;
	}
	return r < 0 ? pprof_refuse(reader, "damaged") : 0;
}

int pprof_read_sample(struct pprof_reader *reader, const struct wire_field *message)
{
	struct wire wire = { message->bytes, message->bytes + message->size };
	struct profile_sample sample = { 0 };
	struct wire_field field;
	size_t value_count = 0;
	int r;

	while ((r = wire_next(&wire, &field)) > 0) {
		if (field.number == SAMPLE_LABEL && field.type == WIRE_BYTES)
			r = add_label(reader, &sample, &field);
		else if (field.number == SAMPLE_LOCATION || field.number == SAMPLE_VALUE)
			r = read_sample_numbers(reader, &sample, &field, &value_count);
		if (r < 0)
			return r;
	}
	if (r < 0)
		return pprof_refuse(reader, "damaged");
	if (value_count != reader->type_count)
		return pprof_refuse(reader, "has not as many values as the profile has types");
	sample.locations = reader->stack;
	sample.labels = reader->labels;
	sample.values = reader->values;
	return profile_builder_sample(reader->builder, &sample);
}
