/* SPDX-License-Identifier: BSD-2-Clause */
#include "tools/record/histogram.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/hashmap.h"

struct group_id {
	uint32_t source;
	uint32_t keys[HISTOGRAM_KEYS_MAX];	/* numbers of texts */
};

/* While samples are grouped. */
struct grouping {
	struct histograms *histograms;
	struct hashmap *groups;			/* struct group_id to struct histogram_group */
	profile_string keys[HISTOGRAM_KEYS_MAX];
	size_t key_count;
	profile_string bucket;
};

/* ---- sources ---- */

static const char *text_of(const struct profile *profile, profile_string string)
{
	return profile->strings[string];
}

static struct histogram_source *source_of(struct histograms *h, const char *name)
{
	struct histogram_source *source;

	for (uint32_t i = 0; i < h->source_count; i++)
		if (!strcmp(h->sources[i].name, name))
			return &h->sources[i];
	source = &h->sources[h->source_count++];
	*source = (struct histogram_source){ name, -1, -1, false };
	return source;
}

static int find_sources(struct histograms *h)
{
	const struct profile *profile = h->profile;

	h->sources = calloc(profile->value_type_count + 1, sizeof(*h->sources));
	if (!h->sources)
		return -ENOMEM;
	for (uint32_t i = 0; i < profile->value_type_count; i++) {
		const struct profile_value_type *type = &profile->value_types[i];
		struct histogram_source *source = source_of(h, text_of(profile, type->source));
		/* A second one is a number that a probe read. */
		bool is_count = source->count_value < 0 &&
				!strcmp(text_of(profile, type->unit), "count");
		int *value = is_count ? &source->count_value : &source->sum_value;

		if (*value < 0)
			*value = (int)i;
		source->by_sum = source->by_sum || (!is_count && type->is_main);
	}
	return 0;
}

bool histogram_is_measured(const struct histogram_source *source)
{
	return source->sum_value >= 0;
}

/* ---- samples ---- */

/* The text of a label, or "", as its number in @texts. */
static int key_text(struct histograms *h, const struct profile_label *label, uint32_t *ret)
{
	char number[24];

	*ret = 0;
	if (!label)
		return 0;
	if (label->text)
		return intern_add_text(h->texts, text_of(h->profile, label->text), ret);
	snprintf(number, sizeof(number), "%" PRId64, label->number);
	return intern_add_text(h->texts, number, ret);
}

static int64_t value_at(const struct profile_sample *sample, int index)
{
	return index < 0 ? 0 : sample->values[index];
}

static int add_to_group(struct grouping *g, const struct profile_sample *sample,
			const struct group_id *id)
{
	const struct profile_label *bucket = profile_find_label(sample, g->bucket);
	const struct histogram_source *source = &g->histograms->sources[id->source];
	int64_t count = value_at(sample, source->count_value);
	int64_t sum = value_at(sample, source->sum_value);
	struct histogram_group *group;
	int64_t *weight;
	void *value;
	int r;

	if (!count && !sum)
		return 0;
	r = hashmap_add(g->groups, id, &value);
	if (r < 0)
		return r;
	group = value;
	group->count += count;
	group->sum += sum;
	weight = bucket && bucket->number >= 0 && bucket->number < HISTOGRAM_BUCKETS ?
			 &group->buckets[bucket->number] :
			 &group->unknown;
	*weight += source->count_value < 0 ? sum : count;
	return 0;
}

static int add_sample(struct grouping *g, const struct profile_sample *sample)
{
	struct group_id id = { 0 };
	int r = 0;

	for (size_t i = 0; i < g->key_count && !r; i++) {
		const struct profile_label *label =
			g->keys[i] == PROFILE_NONE ? NULL : profile_find_label(sample, g->keys[i]);

		r = key_text(g->histograms, label, &id.keys[i]);
	}
	for (; id.source < g->histograms->source_count && !r; id.source++)
		r = add_to_group(g, sample, &id);
	return r;
}

/* ---- groups ---- */

static int compare_keys(const struct histogram_group *a, const struct histogram_group *b)
{
	int order = 0;

	for (size_t i = 0; i < HISTOGRAM_KEYS_MAX && a->keys[i] && !order; i++)
		order = strcmp(a->keys[i], b->keys[i]);
	return order;
}

static int64_t main_value(const struct histograms *h, const struct histogram_group *group)
{
	return h->sources[group->source].by_sum ? group->sum : group->count;
}

static int compare_groups(const void *left, const void *right, void *context)
{
	const struct histogram_group *a = left, *b = right;
	int64_t a_value = main_value(context, a), b_value = main_value(context, b);

	if (a->source != b->source)
		return a->source < b->source ? -1 : 1;
	if (a_value != b_value)
		return a_value > b_value ? -1 : 1;
	return compare_keys(a, b);
}

static int take_groups(struct grouping *g)
{
	struct histograms *h = g->histograms;
	size_t position = 0;
	const void *key;
	void *value;

	h->groups = calloc(hashmap_count(g->groups) + 1, sizeof(*h->groups));
	if (!h->groups)
		return -ENOMEM;
	while (hashmap_next(g->groups, &position, &key, &value)) {
		struct histogram_group *group = &h->groups[h->group_count++];
		const struct group_id *id = key;

		*group = *(const struct histogram_group *)value;
		group->source = id->source;
		for (size_t i = 0; i < g->key_count; i++)
			group->keys[i] = intern_text(h->texts, id->keys[i]);
	}
	qsort_r(h->groups, h->group_count, sizeof(*h->groups), compare_groups, h);
	return 0;
}

int histograms_init(struct histograms *h, const struct profile *profile, const char *const *by)
{
	_cleanup_(hashmap_freep) struct hashmap *groups =
		hashmap_new(sizeof(struct group_id), sizeof(struct histogram_group));
	struct grouping g = { .histograms = h, .groups = groups };
	int r;

	*h = (struct histograms){ .profile = profile, .by = by, .texts = intern_new() };
	if (!groups || !h->texts)
		return -ENOMEM;
	for (; g.key_count < HISTOGRAM_KEYS_MAX && by[g.key_count]; g.key_count++)
		g.keys[g.key_count] = profile_find_string(profile, by[g.key_count]);
	g.bucket = profile_find_string(profile, "bucket");
	r = find_sources(h);
	for (uint32_t i = 0; i < profile->sample_count && !r; i++)
		r = add_sample(&g, &profile->samples[i]);
	return r ?: take_groups(&g);
}

void histograms_done(struct histograms *h)
{
	free(h->sources);
	free(h->groups);
	intern_free(h->texts);
	*h = (struct histograms){ 0 };
}
