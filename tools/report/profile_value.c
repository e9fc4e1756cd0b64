/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/report/profile_value.h"

#include <errno.h>
#include <string.h>

#include "profiler/base/strbuf.h"
#include "tools/message.h"

static int refuse_value(const struct profile *profile, const char *name, struct error *err)
{
	_cleanup_strbuf_ struct strbuf known = STRBUF_INIT;
	uint32_t i;

	for (i = 0; i < profile->value_type_count; i++)
		strbuf_printf(&known, "%s%s", i ? ", " : "",
			      profile->strings[profile->value_types[i].type]);
	return error_set(err, ERROR_FAILED, -ENOENT,
			 "bad value: --value %s: this profile has %.900s", name, known.data);
}

int profile_value_find(const struct profile *profile, const char *name, uint32_t *ret,
		       struct error *err)
{
	uint32_t i;

	if (!profile->value_type_count)
		return error_set(err, ERROR_FAILED, -ENOENT, "the profile has no values");
	if (!name) {
		*ret = profile->default_value_type;
		return 0;
	}
	for (i = 0; i < profile->value_type_count; i++) {
		if (!strcmp(profile->strings[profile->value_types[i].type], name)) {
			*ret = i;
			return 0;
		}
	}
	return refuse_value(profile, name, err);
}

static bool has_label(const struct profile *profile, const char *key)
{
	uint32_t i, j;

	for (i = 0; i < profile->sample_count; i++) {
		const struct profile_sample *sample = &profile->samples[i];

		for (j = 0; j < sample->label_count; j++)
			if (!strcmp(profile->strings[sample->labels[j].key], key))
				return true;
	}
	return !profile->sample_count;
}

void profile_warn_key(const struct profile *profile, const char *key)
{
	if (!has_label(profile, key))
		message_warn("nothing to show: --by %s: no sample has it", key);
}
