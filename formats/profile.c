/* SPDX-License-Identifier: BSD-2-Clause */
#include "formats/profile.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "formats/profile_memory.h"

_Static_assert(offsetof(struct profile_memory, profile) == 0, "profile_free() relies on it");

struct profile_memory *profile_memory_free(struct profile_memory *memory)
{
	if (!memory)
		return NULL;
	intern_free(memory->texts);
	intern_free(memory->lines);
	intern_free(memory->stacks);
	intern_free(memory->labels);
	free(memory->strings);
	free(memory->mappings);
	free(memory->functions);
	free(memory->locations);
	free(memory->samples);
	free(memory->value_types);
	free(memory->values);
	free(memory->comments);
	free(memory);
	return NULL;
}

/* A reader that sees no has_ flag would look for the symbols itself and drop ours. */
static void memory_set_flags(struct profile_memory *memory)
{
	const struct profile_location *location;
	struct profile_mapping *mapping;
	uint32_t i, k;

	for (i = 0; i < memory->profile.location_count; i++) {
		location = &memory->locations[i];
		if (location->mapping == PROFILE_NONE)
			continue;
		mapping = &memory->mappings[location->mapping];
		mapping->has_functions |= location->line_count > 0;
		mapping->has_inlines |= location->line_count > 1;
		for (k = 0; k < location->line_count; k++) {
			mapping->has_lines |= location->lines[k].line != 0;
			mapping->has_files |= memory->functions[location->lines[k].function].file !=
					      0;
		}
	}
}

int profile_memory_publish(struct profile_memory *memory)
{
	struct profile *profile = &memory->profile;
	uint32_t count = intern_count(memory->texts);
	uint32_t i;

	free(memory->strings);
	memory->strings = calloc(count, sizeof(*memory->strings));
	if (!memory->strings)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		memory->strings[i] = intern_text(memory->texts, i);
	memory_set_flags(memory);

	for (i = 0; i < profile->sample_count && memory->values; i++)
		memory->samples[i].values = memory->values + (size_t)i * profile->value_type_count;
	profile->strings = memory->strings;
	profile->string_count = count;
	profile->mappings = memory->mappings;
	profile->functions = memory->functions;
	profile->locations = memory->locations;
	profile->samples = memory->samples;
	profile->value_types = memory->value_types;
	profile->comments = memory->comments;
	return 0;
}

struct profile *profile_free(struct profile *profile)
{
	profile_memory_free((struct profile_memory *)profile);
	return NULL;
}

profile_string profile_find_string(const struct profile *profile, const char *text)
{
	uint32_t i;

	for (i = 0; i < profile->string_count; i++) {
		if (!strcmp(profile->strings[i], text))
			return i;
	}
	return PROFILE_NONE;
}

const struct profile_label *profile_find_label(const struct profile_sample *sample,
					       profile_string key)
{
	uint32_t i;

	for (i = 0; i < sample->label_count; i++) {
		if (sample->labels[i].key == key)
			return &sample->labels[i];
	}
	return NULL;
}
