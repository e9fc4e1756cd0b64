/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Elements of fixed size are in arrays, found through a map from a key to the
 * index. Lists of any length (lines, stacks, labels) are interned first, so
 * that a key holds a number in their place: two samples that differ only in
 * their labels share one stack.
 */
#include "formats/profile.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "formats/profile_memory.h"
#include "formats/utf8.h"
#include "profiler/base/alloc.h"
#include "profiler/base/hashmap.h"
#include "profiler/base/strbuf.h"

#define KERNEL_MAPPING "[kernel.kallsyms]"

/* The keys have no padding: they are hashed and compared as bytes. */
struct mapping_key {
	uint64_t start, limit, offset;
	profile_string file, build_id;
};

struct function_key {
	int64_t start_line;
	profile_string name, system_name, file;
	uint32_t zero;
};

struct location_key {
	uint64_t address;
	uint32_t mapping;
	uint32_t kind;
	uint32_t lines; /* number of the list */
	uint32_t zero;
};

struct sample_key {
	uint32_t stack, labels; /* numbers of the lists */
};

_Static_assert(sizeof(struct mapping_key) == 32, "no padding");
_Static_assert(sizeof(struct function_key) == 24, "no padding");
_Static_assert(sizeof(struct location_key) == 24, "no padding");

struct profile_builder {
	struct profile_memory *memory;
	struct hashmap *mappings, *functions, *locations, *samples; /* key to index */
	size_t mapping_capacity, function_capacity, location_capacity, sample_capacity;
	size_t value_type_capacity, value_capacity, comment_capacity;
	/* Copies with cleared padding, for interning. */
	struct profile_line *lines;
	size_t line_capacity;
	struct profile_label *labels;
	size_t label_capacity;
	struct strbuf repaired;
};

static struct profile_memory *profile_memory_new(void)
{
	_cleanup_(profile_memory_freep) struct profile_memory *memory = NULL;

	memory = calloc(1, sizeof(*memory));
	if (!memory)
		return NULL;
	memory->texts = intern_new();
	memory->lines = intern_new();
	memory->stacks = intern_new();
	memory->labels = intern_new();
	if (!memory->texts || !memory->lines || !memory->stacks || !memory->labels)
		return NULL;
	return take_ptr(memory);
}

struct profile_builder *profile_builder_new(void)
{
	_cleanup_(profile_builder_freep) struct profile_builder *builder = NULL;

	builder = calloc(1, sizeof(*builder));
	if (!builder)
		return NULL;
	builder->repaired = (struct strbuf)STRBUF_INIT;
	builder->memory = profile_memory_new();
	builder->mappings = hashmap_new(sizeof(struct mapping_key), sizeof(uint32_t));
	builder->functions = hashmap_new(sizeof(struct function_key), sizeof(uint32_t));
	builder->locations = hashmap_new(sizeof(struct location_key), sizeof(uint32_t));
	builder->samples = hashmap_new(sizeof(struct sample_key), sizeof(uint32_t));
	if (!builder->memory || !builder->mappings || !builder->functions || !builder->locations ||
	    !builder->samples)
		return NULL;
	return take_ptr(builder);
}

struct profile_builder *profile_builder_free(struct profile_builder *builder)
{
	if (!builder)
		return NULL;
	profile_memory_free(builder->memory);
	hashmap_free(builder->mappings);
	hashmap_free(builder->functions);
	hashmap_free(builder->locations);
	hashmap_free(builder->samples);
	free(builder->lines);
	free(builder->labels);
	strbuf_done(&builder->repaired);
	free(builder);
	return NULL;
}

/* Returns 1 when @key is new and gets @next as its index, 0 when it has one, or -ENOMEM. */
static int index_add(struct hashmap *index, const void *key, uint32_t next, uint32_t *ret)
{
	void *value;
	int r;

	if (next == PROFILE_NONE)
		return -ENOMEM;
	r = hashmap_add(index, key, &value);
	if (r < 0)
		return r;
	if (r > 0)
		memcpy(value, &next, sizeof(next));
	memcpy(ret, value, sizeof(*ret));
	return r;
}

int profile_builder_string(struct profile_builder *builder, const char *text, profile_string *ret)
{
	struct intern *texts = builder->memory->texts;
	struct strbuf *repaired = &builder->repaired;
	size_t size = text ? strlen(text) : 0;

	if (!size) {
		*ret = 0;
		return 0;
	}
	if (utf8_valid_bytes(text, size) == size)
		return intern_add(texts, text, size, ret);
	strbuf_reset(repaired);
	utf8_repair(repaired, text, size);
	return repaired->error ? repaired->error :
				 intern_add(texts, repaired->data, repaired->size, ret);
}

const char *profile_builder_text(const struct profile_builder *builder, profile_string string)
{
	return intern_text(builder->memory->texts, string);
}

int profile_builder_value_type(struct profile_builder *builder,
			       const struct profile_value_type *type, uint32_t *ret)
{
	struct profile_memory *memory = builder->memory;
	struct profile *profile = &memory->profile;
	const struct profile_value_type *old;
	uint32_t i;
	int r;

	for (i = 0; i < profile->value_type_count; i++) {
		old = &memory->value_types[i];
		if (old->type == type->type && old->unit == type->unit &&
		    old->source == type->source) {
			*ret = i;
			return 0;
		}
	}
	assert(!profile->sample_count);
	r = alloc_grow(&memory->value_types, &builder->value_type_capacity, i + 1);
	if (r < 0)
		return r;
	memory->value_types[i] = *type;
	profile->value_type_count = i + 1;
	*ret = i;
	return 0;
}

int profile_builder_mapping(struct profile_builder *builder, const struct profile_mapping *mapping,
			    uint32_t *ret)
{
	struct profile_memory *memory = builder->memory;
	struct profile *profile = &memory->profile;
	struct profile_mapping *known;
	const struct mapping_key key = {
		.start = mapping->start,
		.limit = mapping->limit,
		.offset = mapping->offset,
		.file = mapping->file,
		.build_id = mapping->build_id,
	};
	uint32_t index;
	int r;

	r = alloc_grow(&memory->mappings, &builder->mapping_capacity,
		       (size_t)profile->mapping_count + 1);
	if (r < 0)
		return r;
	r = index_add(builder->mappings, &key, profile->mapping_count, &index);
	if (r < 0)
		return r;
	known = &memory->mappings[index];
	if (r > 0) {
		*known = *mapping;
		profile->mapping_count++;
	}
	known->has_functions |= mapping->has_functions;
	known->has_files |= mapping->has_files;
	known->has_lines |= mapping->has_lines;
	known->has_inlines |= mapping->has_inlines;
	*ret = index;
	return 0;
}

int profile_builder_function(struct profile_builder *builder,
			     const struct profile_function *function, uint32_t *ret)
{
	struct profile_memory *memory = builder->memory;
	struct profile *profile = &memory->profile;
	const struct function_key key = {
		.start_line = function->start_line,
		.name = function->name,
		.system_name = function->system_name,
		.file = function->file,
	};
	int r;

	r = alloc_grow(&memory->functions, &builder->function_capacity,
		       (size_t)profile->function_count + 1);
	if (r < 0)
		return r;
	r = index_add(builder->functions, &key, profile->function_count, ret);
	if (r > 0)
		memory->functions[profile->function_count++] = *function;
	return r < 0 ? r : 0;
}

/* The number of the list of lines. The result of intern_text() is aligned to 8 bytes. */
static int builder_intern_lines(struct profile_builder *builder, const struct profile_line *lines,
				uint32_t count, uint32_t *ret)
{
	uint32_t i;
	int r;

	r = alloc_grow(&builder->lines, &builder->line_capacity, count);
	if (r < 0)
		return r;
	for (i = 0; i < count; i++) {
		assert(lines[i].function < builder->memory->profile.function_count);
		memset(&builder->lines[i], 0, sizeof(*lines));
		builder->lines[i].function = lines[i].function;
		builder->lines[i].line = lines[i].line;
	}
	return intern_add(builder->memory->lines, count ? (const char *)builder->lines : "",
			  count * sizeof(*lines), ret);
}

static int builder_kernel_mapping(struct profile_builder *builder, uint32_t *ret)
{
	struct profile_mapping mapping = { 0 };
	int r;

	r = profile_builder_string(builder, KERNEL_MAPPING, &mapping.file);
	if (r < 0)
		return r;
	return profile_builder_mapping(builder, &mapping, ret);
}

/* The fixed part of a location, by the rules for its kind. */
static int builder_location_key(struct profile_builder *builder,
				const struct profile_location *location, struct location_key *ret)
{
	struct location_key key = {
		.address = location->address,
		.mapping = location->mapping,
		.kind = location->kind,
	};
	int r = 0;

	if (location->kind == FRAME_KIND_MARK) {
		key.address = 0;
		key.mapping = PROFILE_NONE;
	} else if (location->kind == FRAME_KIND_KERNEL && location->mapping == PROFILE_NONE) {
		r = builder_kernel_mapping(builder, &key.mapping);
	}
	if (r < 0)
		return r;
	assert(key.mapping == PROFILE_NONE || key.mapping < builder->memory->profile.mapping_count);
	r = builder_intern_lines(builder, location->lines, location->line_count, &key.lines);
	if (r < 0)
		return r;
	*ret = key;
	return 0;
}

int profile_builder_location(struct profile_builder *builder,
			     const struct profile_location *location, uint32_t *ret)
{
	struct profile_memory *memory = builder->memory;
	struct profile *profile = &memory->profile;
	struct location_key key;
	int r;

	r = builder_location_key(builder, location, &key);
	if (r < 0)
		return r;
	r = alloc_grow(&memory->locations, &builder->location_capacity,
		       (size_t)profile->location_count + 1);
	if (r < 0)
		return r;
	r = index_add(builder->locations, &key, profile->location_count, ret);
	if (r <= 0)
		return r;
	memory->locations[profile->location_count++] = (struct profile_location){
		.mapping = key.mapping,
		.address = key.address,
		.kind = location->kind,
		.line_count = location->line_count,
		.lines = (const void *)intern_text(memory->lines, key.lines),
	};
	return 0;
}

static int builder_intern_labels(struct profile_builder *builder,
				 const struct profile_label *labels, uint32_t count, uint32_t *ret)
{
	struct profile_label *copy;
	uint32_t i;
	int r;

	r = alloc_grow(&builder->labels, &builder->label_capacity, count);
	if (r < 0)
		return r;
	for (i = 0; i < count; i++) {
		copy = &builder->labels[i];
		memset(copy, 0, sizeof(*copy));
		copy->key = labels[i].key;
		copy->text = labels[i].text;
		copy->number = labels[i].number;
		copy->unit = labels[i].unit;
	}
	return intern_add(builder->memory->labels, count ? (const char *)builder->labels : "",
			  count * sizeof(*labels), ret);
}

static int64_t add_saturated(int64_t a, int64_t b)
{
	int64_t sum;

	if (!__builtin_add_overflow(a, b, &sum))
		return sum;
	return b > 0 ? INT64_MAX : INT64_MIN;
}

/* Room for one more sample and its values. */
static int builder_grow_samples(struct profile_builder *builder)
{
	struct profile_memory *memory = builder->memory;
	size_t count = (size_t)memory->profile.sample_count + 1;
	int r;

	r = alloc_grow(&memory->samples, &builder->sample_capacity, count);
	if (r < 0)
		return r;
	return alloc_grow(&memory->values, &builder->value_capacity,
			  count * memory->profile.value_type_count);
}

int profile_builder_sample(struct profile_builder *builder, const struct profile_sample *sample)
{
	struct profile_memory *memory = builder->memory;
	struct profile *profile = &memory->profile;
	size_t types = profile->value_type_count;
	struct sample_key key;
	uint32_t index, i;
	int64_t *values;
	int r;

	r = intern_add(memory->stacks,
		       sample->location_count ? (const char *)sample->locations : "",
		       sample->location_count * sizeof(*sample->locations), &key.stack);
	if (r < 0)
		return r;
	r = builder_intern_labels(builder, sample->labels, sample->label_count, &key.labels);
	if (r < 0)
		return r;
	r = builder_grow_samples(builder);
	if (r < 0)
		return r;
	r = index_add(builder->samples, &key, profile->sample_count, &index);
	if (r < 0)
		return r;
	values = types ? memory->values + index * types : NULL;
	if (r > 0) {
		memory->samples[profile->sample_count++] = (struct profile_sample){
			.location_count = sample->location_count,
			.label_count = sample->label_count,
			.locations = (const void *)intern_text(memory->stacks, key.stack),
			.labels = (const void *)intern_text(memory->labels, key.labels),
		};
		if (types)
			memset(values, 0, types * sizeof(*values));
	}
	for (i = 0; i < types; i++)
		values[i] = add_saturated(values[i], sample->values[i]);
	return 0;
}

int profile_builder_comment(struct profile_builder *builder, const char *text)
{
	struct profile_memory *memory = builder->memory;
	struct profile *profile = &memory->profile;
	int r;

	r = alloc_grow(&memory->comments, &builder->comment_capacity,
		       (size_t)profile->comment_count + 1);
	if (r < 0)
		return r;
	r = profile_builder_string(builder, text, &memory->comments[profile->comment_count]);
	if (r < 0)
		return r;
	profile->comment_count++;
	return 0;
}

void profile_builder_time(struct profile_builder *builder, int64_t time_ns, int64_t duration_ns)
{
	builder->memory->profile.time_ns = time_ns;
	builder->memory->profile.duration_ns = duration_ns;
}

void profile_builder_period(struct profile_builder *builder, const struct profile_value_type *type,
			    int64_t period)
{
	builder->memory->profile.period_type = *type;
	builder->memory->profile.period = period;
}

void profile_builder_default(struct profile_builder *builder, uint32_t value_type)
{
	assert(value_type < builder->memory->profile.value_type_count);
	builder->memory->profile.default_value_type = value_type;
}

int profile_builder_finish(struct profile_builder *builder, struct profile **ret)
{
	struct profile_memory *memory = builder->memory;
	int r;

	r = profile_memory_publish(memory);
	if (r < 0)
		return r;
	*ret = &take_ptr(builder->memory)->profile;
	return 0;
}

size_t profile_builder_bytes(const struct profile_builder *builder)
{
	const struct profile_memory *memory = builder->memory;
	size_t bytes = sizeof(*builder) + sizeof(*memory);

	bytes += intern_bytes(memory->texts) + intern_bytes(memory->lines) +
		 intern_bytes(memory->stacks) + intern_bytes(memory->labels);
	bytes += hashmap_bytes(builder->mappings) + hashmap_bytes(builder->functions) +
		 hashmap_bytes(builder->locations) + hashmap_bytes(builder->samples);
	bytes += builder->mapping_capacity * sizeof(*memory->mappings) +
		 builder->function_capacity * sizeof(*memory->functions) +
		 builder->location_capacity * sizeof(*memory->locations) +
		 builder->sample_capacity * sizeof(*memory->samples) +
		 builder->value_capacity * sizeof(*memory->values);
	return bytes;
}
