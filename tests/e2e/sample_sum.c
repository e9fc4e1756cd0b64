/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/e2e/sample_sum.h"

#include <string.h>

#include "tests/unit/unit.h"

static const char *label_text(const struct profile *profile, const struct profile_sample *sample,
			      const char *key)
{
	const struct profile_label *label =
		profile_find_label(sample, profile_find_string(profile, key));

	return label ? profile->strings[label->text] : NULL;
}

static bool label_is(const struct profile *profile, const struct profile_sample *sample,
		     const char *key, const char *text)
{
	const char *found = label_text(profile, sample, key);

	return found && !strcmp(found, text);
}

static bool tid_is(const struct profile *profile, const struct profile_sample *sample, int64_t tid)
{
	const struct profile_label *label =
		profile_find_label(sample, profile_find_string(profile, "tid"));

	return label && label->number == tid;
}

static bool has_function(const struct profile *profile, const struct profile_sample *sample,
			 const char *name)
{
	for (uint32_t i = 0; i < sample->location_count; i++) {
		const struct profile_location *l = &profile->locations[sample->locations[i]];

		for (uint32_t j = 0; j < l->line_count; j++)
			if (!strcmp(profile->strings[profile->functions[l->lines[j].function].name],
				    name))
				return true;
	}
	return false;
}

static bool is_chosen(const struct profile *profile, const struct profile_sample *sample,
		      const struct sample_choice *choice)
{
	if (choice->comm && !label_is(profile, sample, "comm", choice->comm))
		return false;
	if (choice->thread && !label_is(profile, sample, "thread", choice->thread))
		return false;
	if (choice->tid && !tid_is(profile, sample, choice->tid))
		return false;
	if (choice->label && choice->text &&
	    !label_is(profile, sample, choice->label, choice->text))
		return false;
	if (choice->label && !choice->text && label_text(profile, sample, choice->label))
		return false;
	return !choice->function || has_function(profile, sample, choice->function);
}

int64_t sample_sum(const struct profile *profile, const char *value,
		   const struct sample_choice *choice)
{
	uint32_t type = 0;
	int64_t sum = 0;

	while (type < profile->value_type_count &&
	       strcmp(profile->strings[profile->value_types[type].type], value))
		type++;
	assert_true(type < profile->value_type_count);
	for (uint32_t i = 0; i < profile->sample_count; i++)
		if (is_chosen(profile, &profile->samples[i], choice))
			sum += profile->samples[i].values[type];
	return sum;
}
