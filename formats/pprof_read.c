/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Anyone's pprof, field by field into a builder.
 *
 * Elements may come in any order (ours has its strings last): so the message
 * is walked once per kind of element, in the order in which they refer to each
 * other. Only indexes are kept beside the builder.
 */
#include "formats/readers.h"

#include <errno.h>
#include <string.h>

#include "formats/pprof_elements.h"
#include "profiler/base/alloc.h"

#define CHECK_BYTES_EVERY 256 /* elements */

/* What the source's main value is, by its unit, unless it is the count. */
static const char *const counted_types[] = { "cpu" };

static void reader_done(struct pprof_reader *reader)
{
	profile_builder_free(reader->builder);
	strbuf_done(&reader->text);
	free(reader->strings);
	hashmap_free(reader->mappings);
	hashmap_free(reader->functions);
	hashmap_free(reader->locations);
	hashmap_free(reader->kinds);
	hashmap_free(reader->marks);
	free(reader->types);
	free(reader->lines);
	free(reader->stack);
	free(reader->values);
	free(reader->labels);
}

static int reader_init(struct pprof_reader *reader)
{
	reader->builder = profile_builder_new();
	reader->mappings = hashmap_new(sizeof(uint64_t), sizeof(uint32_t));
	reader->functions = hashmap_new(sizeof(uint64_t), sizeof(uint32_t));
	reader->locations = hashmap_new(sizeof(uint64_t), sizeof(uint32_t));
	reader->kinds = hashmap_new(sizeof(uint32_t), sizeof(enum frame_kind));
	reader->marks = hashmap_new(sizeof(uint32_t), 0);
	if (!reader->builder || !reader->mappings || !reader->functions || !reader->locations ||
	    !reader->kinds || !reader->marks)
		return -ENOMEM;
	return 0;
}

static bool is_count(const struct pprof_reader *reader, size_t type)
{
	return !strcmp(profile_builder_text(reader->builder, reader->types[type].unit), "count");
}

static bool is_counted(const struct pprof_reader *reader, size_t type)
{
	const char *name = profile_builder_text(reader->builder, reader->types[type].type);
	size_t i;

	for (i = 0; i < ARRAY_SIZE(counted_types); i++)
		if (!strcmp(counted_types[i], name))
			return true;
	return false;
}

/*
 * pprof does not say which values are of one source, but everybody writes a
 * count before what it counts: "samples" and "cpu", "alloc_objects" and
 * "alloc_space". A pair's source has the name of its second.
 */
static void choose_sources(struct pprof_reader *reader)
{
	struct profile_value_type *type;
	bool paired;
	size_t i;

	for (i = 0; i < reader->type_count; i++) {
		type = &reader->types[i];
		type->source = type->type;
		paired = i + 1 < reader->type_count && is_count(reader, i) &&
			 !is_count(reader, i + 1);
		if (!paired) {
			type->is_main = true;
			continue;
		}
		i++;
		type[0].source = type[1].source = type[1].type;
		type[0].is_main = is_counted(reader, i);
		type[1].is_main = !type[0].is_main;
	}
}

/* Types of the same name would be one in the builder, and their values would not fit. */
static int add_types(struct pprof_reader *reader)
{
	uint32_t index;
	size_t i;
	int r;

	choose_sources(reader);
	for (i = 0; i < reader->type_count; i++) {
		r = profile_builder_value_type(reader->builder, &reader->types[i], &index);
		if (r < 0)
			return r;
		if (index != i)
			return pprof_refuse(reader, "the same sample type twice");
	}
	return alloc_grow(&reader->values, &reader->value_capacity, reader->type_count + 1);
}

/* By name; the last one where there is none, as go tool pprof has it. */
static int choose_default(struct pprof_reader *reader, uint64_t name)
{
	size_t chosen = reader->type_count - 1, i;
	profile_string text;
	int r;

	r = pprof_read_text(reader, name, &text);
	if (r < 0 || !reader->type_count)
		return r;
	for (i = 0; i < reader->type_count && text; i++)
		if (reader->types[i].type == text)
			chosen = i;
	profile_builder_default(reader->builder, (uint32_t)chosen);
	return 0;
}

/* What is in the profile itself. */
static int read_header(struct pprof_reader *reader, const struct wire_field *all)
{
	uint64_t numbers[PPROF_FIELDS_MAX];
	int r;

	r = pprof_read_numbers(reader, all, numbers);
	if (r < 0)
		return r;
	profile_builder_time(reader->builder, (int64_t)numbers[PROFILE_TIME],
			     (int64_t)numbers[PROFILE_DURATION]);
	profile_builder_period(reader->builder, &reader->period_type,
			       (int64_t)numbers[PROFILE_PERIOD]);
	r = add_types(reader);
	return r < 0 ? r : choose_default(reader, numbers[PROFILE_DEFAULT]);
}

static int read_period_type(struct pprof_reader *reader, const struct wire_field *field)
{
	struct profile_value_type type;
	int r;

	r = pprof_read_value_type(reader, field, &type);
	if (r >= 0)
		reader->period_type = type;
	return r;
}

static int add_comment(struct pprof_reader *reader, uint64_t index)
{
	profile_string text;
	int r;

	r = pprof_read_text(reader, index, &text);
	if (r < 0)
		return r;
	return profile_builder_comment(reader->builder,
				       profile_builder_text(reader->builder, text));
}

static int read_comment(struct pprof_reader *reader, const struct wire_field *field)
{
	struct wire wire = { field->bytes, field->bytes + field->size };
	uint64_t index;
	int r;

	if (field->type == WIRE_VARINT)
		return add_comment(reader, field->value);
	while ((r = wire_next_number(&wire, &index)) > 0) {
		r = add_comment(reader, index);
		if (r < 0)
			return r;
	}
	return r < 0 ? pprof_refuse(reader, "damaged") : 0;
}

/* Call @read for each field of that number. */
static int read_each(struct pprof_reader *reader, const struct wire_field *all, uint32_t number,
		     pprof_element_fn *read)
{
	struct wire wire = { all->bytes, all->bytes + all->size };
	struct wire_field field;
	size_t count = 0;
	int r;

	for (;;) {
		reader->element = wire.at;
		r = wire_next(&wire, &field);
		if (r <= 0)
			return r < 0 ? pprof_refuse(reader, "damaged or cut off") : 0;
		if (field.number != number)
			continue;
		if (field.type != WIRE_BYTES && number != PROFILE_COMMENT)
			return pprof_refuse(reader, "a field of the wrong type");
		r = read(reader, &field);
		if (r < 0)
			return r;
		if (++count % CHECK_BYTES_EVERY == 0 &&
		    profile_builder_bytes(reader->builder) > READER_PROFILE_BYTES_MAX)
			return -EFBIG;
	}
}

/* In an order in which none refers to a later one. */
static const struct pprof_pass {
	enum profile_field field; /* 0: the whole profile */
	pprof_element_fn *read;
} pprof_passes[] = {
	{ PROFILE_STRING, pprof_read_string },
	{ PROFILE_SAMPLE_TYPE, pprof_read_sample_type },
	{ PROFILE_PERIOD_TYPE, read_period_type },
	{ 0, read_header },
	{ PROFILE_COMMENT, read_comment },
	{ PROFILE_MAPPING, pprof_read_mapping },
	{ PROFILE_FUNCTION, pprof_read_function },
	{ PROFILE_LOCATION, pprof_read_location },
	{ PROFILE_SAMPLE, pprof_read_sample },
};

static int read_passes(struct pprof_reader *reader, const struct wire_field *all)
{
	const struct pprof_pass *pass;
	size_t i;
	int r;

	for (i = 0; i < ARRAY_SIZE(pprof_passes); i++) {
		pass = &pprof_passes[i];
		reader->element = all->bytes;
		r = pass->field ? read_each(reader, all, pass->field, pass->read) :
				  pass->read(reader, all);
		if (r < 0)
			return r;
	}
	return 0;
}

int pprof_read(const void *bytes, size_t size, struct profile **ret, struct error *err)
{
	_cleanup_(reader_done) struct pprof_reader reader = { .text = STRBUF_INIT };
	const struct wire_field all = { .type = WIRE_BYTES, .bytes = bytes, .size = size };
	int r;

	r = reader_init(&reader);
	if (r >= 0)
		r = read_passes(&reader, &all);
	if (r == -EBADMSG)
		return error_set(err, ERROR_FAILED, r, "not a valid pprof: byte %td: %s",
				 reader.element - (const uint8_t *)bytes, reader.why);
	if (r == -EFBIG)
		return error_set(err, ERROR_FAILED, r, "a profile of more than %zu MiB in memory",
				 READER_PROFILE_BYTES_MAX >> 20);
	if (r < 0)
		return error_set(err, ERROR_FAILED, r, "%s", strerror(-r));
	return profile_builder_finish(reader.builder, ret);
}

/* Whether its first field is one of pprof's, of the right type. */
bool pprof_detect(const void *bytes, size_t size)
{
	static const bool is_message[PPROF_FIELDS_MAX] = {
		[PROFILE_SAMPLE_TYPE] = true, [PROFILE_SAMPLE] = true, [PROFILE_MAPPING] = true,
		[PROFILE_LOCATION] = true, [PROFILE_FUNCTION] = true, [PROFILE_STRING] = true,
		[PROFILE_PERIOD_TYPE] = true,
	};
	const uint8_t key = *(const uint8_t *)bytes;
	unsigned int number = key >> 3, type = key & 7;

	if (!number || number >= PPROF_FIELDS_MAX || folded_detect(bytes, size))
		return false;
	if (number == PROFILE_COMMENT)
		return type == WIRE_VARINT || type == WIRE_BYTES;
	return type == (is_message[number] ? WIRE_BYTES : WIRE_VARINT);
}
