/* SPDX-License-Identifier: BSD-2-Clause */
#include "formats/stack_names.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define NAME_UNKNOWN "[unknown]"
#define NAME_KEYS_MAX 16

/* The text gathered in names->text, as a name. */
static int names_add(struct stack_names *names, uint32_t *ret)
{
	struct strbuf *text = &names->text;
	char *at;

	if (text->error)
		return text->error;
	if (!text->size)
		return intern_add_text(names->texts, NAME_UNKNOWN, ret);
	for (at = strpbrk(text->data, ";\n\r"); at; at = strpbrk(at, ";\n\r"))
		*at = ':';
	return intern_add(names->texts, text->data, text->size, ret);
}

static int names_add_functions(struct stack_names *names, const struct profile *profile)
{
	uint32_t i;
	int r;

	for (i = 0; i < profile->function_count; i++) {
		strbuf_reset(&names->text);
		strbuf_add_text(&names->text, profile->strings[profile->functions[i].name]);
		r = names_add(names, &names->functions[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A location that nobody has named, as the symbolizer names code it knows nothing of. */
static void names_print_address(struct stack_names *names, const struct profile *profile,
				const struct profile_location *location)
{
	const char *file = "", *slash;

	if (location->mapping != PROFILE_NONE)
		file = profile->strings[profile->mappings[location->mapping].file];
	slash = strrchr(file, '/');
	strbuf_printf(&names->text, "%s%s0x%" PRIx64, slash ? slash + 1 : file, *file ? "+" : "",
		      location->address);
}

static int names_add_locations(struct stack_names *names, const struct profile *profile)
{
	const struct profile_location *location;
	uint32_t i;
	int r = 0;

	for (i = 0; i < profile->location_count && !r; i++) {
		location = &profile->locations[i];
		if (location->line_count > 1) {
			names->locations[i] = STACK_NAME_SEVERAL;
		} else if (location->line_count) {
			names->locations[i] = names->functions[location->lines[0].function];
		} else {
			strbuf_reset(&names->text);
			names_print_address(names, profile, location);
			r = names_add(names, &names->locations[i]);
		}
	}
	return r;
}

/* A label's text, or its key and number: "pid 123"; else @missing. */
static int names_add_label(struct stack_names *names, const struct profile *profile,
			   const struct profile_label *label, const char *missing, uint32_t *ret)
{
	strbuf_reset(&names->text);
	if (label && label->text)
		strbuf_add_text(&names->text, profile->strings[label->text]);
	else if (label && (label->number || label->unit))
		strbuf_printf(&names->text, "%s %" PRId64, profile->strings[label->key],
			      label->number);
	else
		strbuf_add_text(&names->text, missing);
	return names_add(names, ret);
}

/* What a profile without names of processes is of: its program, the first mapping. */
static const char *program_name(const struct profile *profile)
{
	const char *file = profile->mapping_count ? profile->strings[profile->mappings[0].file] :
						    "";
	const char *slash = strrchr(file, '/');

	return slash ? slash + 1 : file;
}

static int names_add_tasks(struct stack_names *names, const struct profile *profile,
			   const profile_string *keys)
{
	const char *program = keys[0] == PROFILE_NONE ? program_name(profile) : "";
	const struct profile_sample *sample;
	uint32_t i, k;
	uint32_t *name = names->tasks;
	int r;

	for (i = 0; i < profile->sample_count; i++) {
		sample = &profile->samples[i];
		for (k = 0; k < names->task_count; k++, name++) {
			r = names_add_label(names, profile, profile_find_label(sample, keys[k]),
					    k ? "" : program, name);
			if (r < 0)
				return r;
		}
	}
	return 0;
}

int stack_names_init(struct stack_names *names, const struct profile *profile,
		     const char *const *by)
{
	profile_string keys[NAME_KEYS_MAX];
	uint32_t count = 1;
	int r;

	*names = (struct stack_names){ .text = STRBUF_INIT };
	keys[0] = profile_find_string(profile, "comm");
	for (; by && by[count - 1]; count++) {
		if (count == NAME_KEYS_MAX)
			return -E2BIG;
		keys[count] = profile_find_string(profile, by[count - 1]);
	}
	names->task_count = count;
	names->texts = intern_new();
	names->functions = calloc((size_t)profile->function_count + 1, sizeof(uint32_t));
	names->locations = calloc((size_t)profile->location_count + 1, sizeof(uint32_t));
	names->tasks = calloc((size_t)profile->sample_count + 1, count * sizeof(uint32_t));
	if (!names->texts || !names->functions || !names->locations || !names->tasks)
		return -ENOMEM;
	r = names_add_functions(names, profile);
	if (r < 0)
		return r;
	r = names_add_locations(names, profile);
	if (r < 0)
		return r;
	return names_add_tasks(names, profile, keys);
}

void stack_names_done(struct stack_names *names)
{
	intern_free(names->texts);
	free(names->functions);
	free(names->locations);
	free(names->tasks);
	strbuf_done(&names->text);
}
