/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pprof's profile.proto, one element at a time.
 *
 * A message is the concatenation of its fields, so the elements of the
 * repeated ones are packed one by one and only their keys are made here: the
 * tree of a large profile would take half a gigabyte.
 */
#include "formats/writers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "formats/profile.pb-c.h"
#include "profiler/base/alloc.h"

enum pprof_field {
	PPROF_SAMPLE = 2,
	PPROF_MAPPING = 3,
	PPROF_LOCATION = 4,
	PPROF_FUNCTION = 5,
	PPROF_STRING = 6,
};

#define WIRE_TYPE_BYTES 2
#define VARINT_MAX_BYTES 10

/* What one element needs, kept for the next one. */
struct pprof {
	const struct profile *profile;
	struct sink *sink;
	uint8_t *packed;
	size_t packed_capacity;
	uint64_t *location_ids;
	size_t location_id_capacity;
	Wick__Pprof__Label *labels;
	size_t label_capacity;
	Wick__Pprof__Label **label_pointers;
	size_t label_pointer_capacity;
	Wick__Pprof__Line *lines;
	size_t line_capacity;
	Wick__Pprof__Line **line_pointers;
	size_t line_pointer_capacity;
};

static void pprof_done(struct pprof *pprof)
{
	free(pprof->packed);
	free(pprof->location_ids);
	free(pprof->labels);
	free(pprof->label_pointers);
	free(pprof->lines);
	free(pprof->line_pointers);
}

/* The key and size that come before the bytes of a sub-message or string. */
static int pprof_prefix(struct pprof *pprof, enum pprof_field field, size_t size)
{
	uint8_t bytes[1 + VARINT_MAX_BYTES] = { (uint8_t)(field << 3 | WIRE_TYPE_BYTES) };
	size_t count = 1;

	for (; size >= 0x80; size >>= 7)
		bytes[count++] = (uint8_t)(size | 0x80);
	bytes[count++] = (uint8_t)size;
	return sink_write(pprof->sink, bytes, count);
}

/* @message packed into the scratch buffer; its size in @ret. */
static int pprof_pack(struct pprof *pprof, const ProtobufCMessage *message, size_t *ret)
{
	size_t size = protobuf_c_message_get_packed_size(message);
	int r;

	r = alloc_grow(&pprof->packed, &pprof->packed_capacity, size);
	if (r < 0)
		return r;
	*ret = protobuf_c_message_pack(message, pprof->packed);
	return 0;
}

static int pprof_element(struct pprof *pprof, enum pprof_field field,
			 const ProtobufCMessage *message)
{
	size_t size;
	int r;

	r = pprof_pack(pprof, message, &size);
	if (r < 0)
		return r;
	r = pprof_prefix(pprof, field, size);
	if (r < 0)
		return r;
	return sink_write(pprof->sink, pprof->packed, size);
}

static Wick__Pprof__ValueType pprof_value_type(const struct profile_value_type *type)
{
	Wick__Pprof__ValueType message = WICK__PPROF__VALUE_TYPE__INIT;

	message.type = type->type;
	message.unit = type->unit;
	return message;
}

/* All fields that are not repeated, and the two small ones that are. */
static int pprof_header(struct pprof *pprof)
{
	const struct profile *profile = pprof->profile;
	uint32_t count = profile->value_type_count;
	_cleanup_free_ Wick__Pprof__ValueType *types = calloc(count + 1, sizeof(*types));
	_cleanup_free_ Wick__Pprof__ValueType **pointers = calloc(count + 1, sizeof(*pointers));
	_cleanup_free_ int64_t *comments = calloc(profile->comment_count + 1, sizeof(*comments));
	Wick__Pprof__ValueType period_type = pprof_value_type(&profile->period_type);
	Wick__Pprof__Profile message = WICK__PPROF__PROFILE__INIT;
	size_t size;
	uint32_t i;
	int r;

	if (!types || !pointers || !comments)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		types[i] = pprof_value_type(&profile->value_types[i]);
		pointers[i] = &types[i];
	}
	for (i = 0; i < profile->comment_count; i++)
		comments[i] = profile->comments[i];
	message.n_sample_type = count;
	message.sample_type = pointers;
	message.n_comment = profile->comment_count;
	message.comment = comments;
	message.time_nanos = profile->time_ns;
	message.duration_nanos = profile->duration_ns;
	message.period = profile->period;
	if (period_type.type || period_type.unit)
		message.period_type = &period_type;
	if (profile->default_value_type < count)
		message.default_sample_type = types[profile->default_value_type].type;
	r = pprof_pack(pprof, &message.base, &size);
	return r < 0 ? r : sink_write(pprof->sink, pprof->packed, size);
}

/* Fills @pprof->labels and the pointers to them. */
static int pprof_labels(struct pprof *pprof, const struct profile_sample *sample)
{
	const struct profile_label *label;
	Wick__Pprof__Label *message;
	uint32_t i;
	int r;

	r = alloc_grow(&pprof->labels, &pprof->label_capacity, sample->label_count);
	if (r < 0)
		return r;
	r = alloc_grow(&pprof->label_pointers, &pprof->label_pointer_capacity, sample->label_count);
	if (r < 0)
		return r;
	for (i = 0; i < sample->label_count; i++) {
		label = &sample->labels[i];
		message = &pprof->labels[i];
		wick__pprof__label__init(message);
		message->key = label->key;
		message->str = label->text;
		if (!label->text) {
			message->num = label->number;
			message->num_unit = label->unit;
		}
		pprof->label_pointers[i] = message;
	}
	return 0;
}

static int pprof_sample(struct pprof *pprof, const struct profile_sample *sample)
{
	Wick__Pprof__Sample message = WICK__PPROF__SAMPLE__INIT;
	uint32_t i;
	int r;

	r = alloc_grow(&pprof->location_ids, &pprof->location_id_capacity, sample->location_count);
	if (r < 0)
		return r;
	for (i = 0; i < sample->location_count; i++)
		pprof->location_ids[i] = (uint64_t)sample->locations[i] + 1;
	r = pprof_labels(pprof, sample);
	if (r < 0)
		return r;
	message.n_location_id = sample->location_count;
	message.location_id = pprof->location_ids;
	message.n_value = pprof->profile->value_type_count;
	message.value = (int64_t *)sample->values;
	message.n_label = sample->label_count;
	message.label = pprof->label_pointers;
	return pprof_element(pprof, PPROF_SAMPLE, &message.base);
}

static int pprof_mapping(struct pprof *pprof, uint32_t index)
{
	const struct profile_mapping *mapping = &pprof->profile->mappings[index];
	Wick__Pprof__Mapping message = WICK__PPROF__MAPPING__INIT;

	message.id = (uint64_t)index + 1;
	message.memory_start = mapping->start;
	message.memory_limit = mapping->limit;
	message.file_offset = mapping->offset;
	message.filename = mapping->file;
	message.build_id = mapping->build_id;
	message.has_functions = mapping->has_functions;
	message.has_filenames = mapping->has_files;
	message.has_line_numbers = mapping->has_lines;
	message.has_inline_frames = mapping->has_inlines;
	return pprof_element(pprof, PPROF_MAPPING, &message.base);
}

static int pprof_location(struct pprof *pprof, uint32_t index)
{
	const struct profile_location *location = &pprof->profile->locations[index];
	Wick__Pprof__Location message = WICK__PPROF__LOCATION__INIT;
	uint32_t i;
	int r;

	r = alloc_grow(&pprof->lines, &pprof->line_capacity, location->line_count);
	if (r < 0)
		return r;
	r = alloc_grow(&pprof->line_pointers, &pprof->line_pointer_capacity, location->line_count);
	if (r < 0)
		return r;
	for (i = 0; i < location->line_count; i++) {
		wick__pprof__line__init(&pprof->lines[i]);
		pprof->lines[i].function_id = (uint64_t)location->lines[i].function + 1;
		pprof->lines[i].line = location->lines[i].line;
		pprof->line_pointers[i] = &pprof->lines[i];
	}
	message.id = (uint64_t)index + 1;
	if (location->mapping != PROFILE_NONE)
		message.mapping_id = (uint64_t)location->mapping + 1;
	message.address = location->address;
	message.n_line = location->line_count;
	message.line = pprof->line_pointers;
	return pprof_element(pprof, PPROF_LOCATION, &message.base);
}

static int pprof_function(struct pprof *pprof, uint32_t index)
{
	const struct profile_function *function = &pprof->profile->functions[index];
	Wick__Pprof__Function message = WICK__PPROF__FUNCTION__INIT;

	message.id = (uint64_t)index + 1;
	message.name = function->name;
	message.system_name = function->system_name;
	message.filename = function->file;
	message.start_line = function->start_line;
	return pprof_element(pprof, PPROF_FUNCTION, &message.base);
}

static int pprof_string(struct pprof *pprof, const char *text)
{
	size_t size = strlen(text);
	int r;

	r = pprof_prefix(pprof, PPROF_STRING, size);
	return r < 0 ? r : sink_write(pprof->sink, text, size);
}

static int pprof_tables(struct pprof *pprof)
{
	const struct profile *profile = pprof->profile;
	uint32_t i;
	int r = 0;

	for (i = 0; i < profile->mapping_count && !r; i++)
		r = pprof_mapping(pprof, i);
	for (i = 0; i < profile->location_count && !r; i++)
		r = pprof_location(pprof, i);
	for (i = 0; i < profile->function_count && !r; i++)
		r = pprof_function(pprof, i);
	for (i = 0; i < profile->string_count && !r; i++)
		r = pprof_string(pprof, profile->strings[i]);
	return r;
}

int pprof_write(const struct profile *profile, const struct writer_options *options,
		struct sink *sink)
{
	_cleanup_(pprof_done) struct pprof pprof = { .profile = profile, .sink = sink };
	uint32_t i;
	int r;

	r = pprof_header(&pprof);
	if (r < 0)
		return r;
	for (i = 0; i < profile->sample_count; i++) {
		r = pprof_sample(&pprof, &profile->samples[i]);
		if (r < 0)
			return r;
	}
	return pprof_tables(&pprof);
}

int pprof_write_gzip(const struct profile *profile, const struct writer_options *options,
		     struct sink *sink)
{
	_cleanup_(sink_abortp) struct sink *below = NULL;
	_cleanup_(sink_abortp) struct sink *gzip = NULL;
	int r;

	r = sink_open_borrowed(sink, &below);
	if (r < 0)
		return r;
	r = sink_open_gzip(below, 0, &gzip);
	if (r < 0)
		return r;
	below = NULL;
	r = pprof_write(profile, options, gzip);
	if (r < 0)
		return r;
	return sink_close(take_ptr(gzip));
}
