/* SPDX-License-Identifier: BSD-2-Clause */
#include <inttypes.h>

#include "formats/json.h"
#include "tools/record/histogram.h"

static void add_keys(const struct histograms *h, const struct histogram_group *group,
		     struct strbuf *ret)
{
	for (size_t i = 0; h->by[i]; i++) {
		strbuf_add_text(ret, i ? ", " : "");
		json_add_text(ret, h->by[i]);
		strbuf_add_text(ret, ": ");
		json_add_text(ret, group->keys[i][0] ? group->keys[i] : NULL);
	}
}

/* The two values of a group, each by its name. */
static void add_values(const struct histograms *h, const struct histogram_group *group,
		       struct strbuf *ret)
{
	const struct histogram_source *source = &h->sources[group->source];
	const struct profile *profile = h->profile;

	if (source->count_value >= 0)
		strbuf_printf(ret, ", \"%s\": %" PRId64,
			      profile->strings[profile->value_types[source->count_value].type],
			      group->count);
	if (source->sum_value >= 0)
		strbuf_printf(ret, ", \"%s\": %" PRId64,
			      profile->strings[profile->value_types[source->sum_value].type],
			      group->sum);
}

static void add_buckets(const struct histogram_group *group, struct strbuf *ret)
{
	const char *comma = "";

	strbuf_add_text(ret, ", \"buckets\": [");
	for (unsigned int i = 0; i < HISTOGRAM_BUCKETS; i++) {
		if (!group->buckets[i])
			continue;
		strbuf_printf(ret, "%s{\"from\": %" PRIu64 ", \"weight\": %" PRId64 "}", comma,
			      i ? UINT64_C(1) << i : 0, group->buckets[i]);
		comma = ", ";
	}
	strbuf_printf(ret, "], \"unknown\": %" PRId64, group->unknown);
}

int histograms_add_json(const struct histograms *h, const struct histogram_view *view,
			struct strbuf *ret)
{
	uint32_t of_source = 0;
	const char *comma = "";

	strbuf_add_char(ret, '[');
	for (uint32_t i = 0; i < h->group_count; i++) {
		const struct histogram_group *group = &h->groups[i];

		of_source = i && group->source == group[-1].source ? of_source + 1 : 0;
		if (view->top && of_source >= view->top)
			continue;
		strbuf_printf(ret, "%s\n {\"event\": ", comma);
		json_add_text(ret, h->sources[group->source].name);
		strbuf_add_text(ret, ", \"by\": {");
		add_keys(h, group, ret);
		strbuf_add_char(ret, '}');
		add_values(h, group, ret);
		if (view->buckets && histogram_is_measured(&h->sources[group->source]))
			add_buckets(group, ret);
		strbuf_add_char(ret, '}');
		comma = ",";
	}
	strbuf_add_text(ret, "]\n");
	return ret->error;
}
