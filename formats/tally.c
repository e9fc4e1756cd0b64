/* SPDX-License-Identifier: BSD-2-Clause */
#include "formats/tally.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "profiler/base/alloc.h"
#include "profiler/base/strbuf.h"

#define NAME_UNKNOWN "[unknown]"

/* Groups are numbered; a row becomes one of each group that any sample is in. */
struct tally_work {
	const struct profile *profile;
	const struct tally_options *options;
	struct tally *tally;
	struct strbuf text;
	uint32_t *functions; /* group of each function */
	uint32_t *locations; /* group of each location that has no function, or of its module */
	uint32_t *seen; /* by group: the last sample that had it, from 1 */
	size_t row_capacity, seen_capacity;
};

static void work_done(struct tally_work *work)
{
	strbuf_done(&work->text);
	free(work->functions);
	free(work->locations);
	free(work->seen);
}

static bool is_by(const struct tally_options *options, const char *what)
{
	return !strcmp(options->by ? options->by : "function", what);
}

/* The group called @name; the number of a name is that of its group. */
static int find_group(struct tally_work *work, const char *name, uint32_t *ret)
{
	return intern_add_text(work->tally->names, *name ? name : NAME_UNKNOWN, ret);
}

static const char *mapping_file(const struct tally_work *work,
				const struct profile_location *location)
{
	const struct profile *profile = work->profile;

	if (location->mapping == PROFILE_NONE)
		return "";
	return profile->strings[profile->mappings[location->mapping].file];
}

/* Code that has no name counts for its file, "[libc.so.6]". */
static int find_nameless(struct tally_work *work, const struct profile_location *location,
			 uint32_t *ret)
{
	const char *file = mapping_file(work, location), *slash = strrchr(file, '/');

	strbuf_reset(&work->text);
	if (*file)
		strbuf_printf(&work->text, "[%s]", slash ? slash + 1 : file);
	return work->text.error ?: find_group(work, work->text.data, ret);
}

static int name_functions(struct tally_work *work)
{
	const struct profile *profile = work->profile;
	const char *name;
	uint32_t i;
	int r = 0;

	for (i = 0; i < profile->function_count && !r; i++) {
		name = profile->strings[profile->functions[i].name];
		/* 0, which is no group: it is the location that is asked then. */
		if (*name)
			r = find_group(work, name, &work->functions[i]);
	}
	for (i = 0; i < profile->location_count && !r; i++)
		r = find_nameless(work, &profile->locations[i], &work->locations[i]);
	return r;
}

static int name_modules(struct tally_work *work)
{
	const struct profile *profile = work->profile;
	uint32_t i;
	int r = 0;

	for (i = 0; i < profile->location_count && !r; i++)
		r = find_group(work, mapping_file(work, &profile->locations[i]),
			       &work->locations[i]);
	return r;
}

static int64_t add_saturated(int64_t a, int64_t b)
{
	int64_t sum;

	if (!__builtin_add_overflow(a, b, &sum))
		return sum;
	return b > 0 ? INT64_MAX : INT64_MIN;
}

/* @sample, counted from 1, has @value in @group. */
static int count_group(struct tally_work *work, uint32_t group, uint32_t sample, int64_t value,
		       bool is_leaf)
{
	struct tally *tally = work->tally;
	struct tally_row *row;
	size_t capacity = work->seen_capacity, needed = (size_t)group + 1;
	int r;

	r = alloc_grow(&work->seen, &work->seen_capacity, needed);
	r = r ?: alloc_grow(&tally->rows, &work->row_capacity, needed);
	if (r < 0)
		return r;
	memset(work->seen + capacity, 0, (work->seen_capacity - capacity) * sizeof(*work->seen));
	while (tally->row_count < needed)
		tally->rows[tally->row_count++] = (struct tally_row){ 0 };
	row = &tally->rows[group];
	if (is_leaf)
		row->self = add_saturated(row->self, value);
	if (work->seen[group] == sample)
		return 0;
	work->seen[group] = sample;
	row->name = intern_text(tally->names, group);
	row->total = add_saturated(row->total, value);
	return 0;
}

/* The functions of a location, or its module. @is_leaf: its first is. */
static int count_location(struct tally_work *work, uint32_t index, uint32_t sample, int64_t value,
			  bool is_leaf)
{
	const struct profile_location *location = &work->profile->locations[index];
	uint32_t count = work->functions ? location->line_count : 0, group, i;
	int r = 0;

	if (!count)
		return count_group(work, work->locations[index], sample, value, is_leaf);
	for (i = 0; i < count && !r; i++) {
		group = work->functions[location->lines[i].function];
		if (!group)
			group = work->locations[index];
		r = count_group(work, group, sample, value, is_leaf && !i);
	}
	return r;
}

static int count_stacks(struct tally_work *work)
{
	const struct profile *profile = work->profile;
	const struct profile_sample *sample;
	uint32_t i, k;
	int64_t value;
	int r = 0;

	for (i = 0; i < profile->sample_count; i++) {
		sample = &profile->samples[i];
		value = sample->values[work->options->value_type];
		for (k = 0; k < sample->location_count && value && !r; k++)
			r = count_location(work, sample->locations[k], i + 1, value, !k);
		if (r < 0)
			return r;
	}
	return 0;
}

/* "1234 sh" for a pid or tid whose name is there too, "1234" for other numbers. */
static int find_label_group(struct tally_work *work, const struct profile_sample *sample,
			    const struct profile_label *label, profile_string name_key,
			    uint32_t *ret)
{
	const char *const *strings = work->profile->strings;
	const struct profile_label *name;

	strbuf_reset(&work->text);
	if (label && label->text) {
		strbuf_add_text(&work->text, strings[label->text]);
	} else if (label) {
		name = profile_find_label(sample, name_key);
		strbuf_printf(&work->text, "%" PRId64, label->number);
		if (name && name->text)
			strbuf_printf(&work->text, " %s", strings[name->text]);
	}
	return work->text.error ?: find_group(work, work->text.data, ret);
}

static int count_labels(struct tally_work *work)
{
	const struct profile *profile = work->profile;
	profile_string key = profile_find_string(profile, work->options->by);
	profile_string name_key = PROFILE_NONE;
	const struct profile_label *label;
	uint32_t group, i, found = 0;
	int64_t value;
	int r = 0;

	if (is_by(work->options, "pid"))
		name_key = profile_find_string(profile, "comm");
	else if (is_by(work->options, "tid"))
		name_key = profile_find_string(profile, "thread");
	for (i = 0; i < profile->sample_count && !r; i++) {
		label = profile_find_label(&profile->samples[i], key);
		value = profile->samples[i].values[work->options->value_type];
		found += label != NULL;
		r = find_label_group(work, &profile->samples[i], label, name_key, &group);
		if (r >= 0 && value)
			r = count_group(work, group, i + 1, value, true);
	}
	return r < 0 ? r : found || !profile->sample_count ? 0 : -ENOENT;
}

static int count_all(struct tally_work *work)
{
	const struct profile *profile = work->profile;
	int r;

	if (!is_by(work->options, "function") && !is_by(work->options, "module"))
		return count_labels(work);
	work->tally->has_stacks = true;
	work->locations = calloc((size_t)profile->location_count + 1, sizeof(uint32_t));
	if (!work->locations)
		return -ENOMEM;
	if (is_by(work->options, "function")) {
		work->functions = calloc((size_t)profile->function_count + 1, sizeof(uint32_t));
		if (!work->functions)
			return -ENOMEM;
	}
	r = work->functions ? name_functions(work) : name_modules(work);
	return r < 0 ? r : count_stacks(work);
}

static void count_total(struct tally_work *work)
{
	struct tally *tally = work->tally;
	int64_t value;
	uint32_t i;

	for (i = 0; i < work->profile->sample_count; i++) {
		value = work->profile->samples[i].values[work->options->value_type];
		tally->sample_count += value != 0;
		/* The size of the least one is no int64_t. */
		if (value < 0)
			value = value == INT64_MIN ? INT64_MAX : -value;
		tally->total = add_saturated(tally->total, value);
	}
}

static uint64_t size_of(int64_t value)
{
	return value < 0 ? -(uint64_t)value : (uint64_t)value;
}

static int compare_rows(const struct tally_row *a, const struct tally_row *b,
			enum tally_order order)
{
	uint64_t a_size = size_of(order == TALLY_BY_SELF ? a->self : a->total);
	uint64_t b_size = size_of(order == TALLY_BY_SELF ? b->self : b->total);

	if (a_size != b_size)
		return a_size > b_size ? -1 : 1;
	return strcmp(a->name, b->name);
}

static int compare_by_self(const void *a, const void *b)
{
	return compare_rows(a, b, TALLY_BY_SELF);
}

static int compare_by_total(const void *a, const void *b)
{
	return compare_rows(a, b, TALLY_BY_TOTAL);
}

/* Names that no sample has lose their rows. */
static void sort_rows(struct tally *tally, enum tally_order order)
{
	uint32_t i, count = 0;

	for (i = 0; i < tally->row_count; i++)
		if (tally->rows[i].name)
			tally->rows[count++] = tally->rows[i];
	tally->row_count = count;
	if (count)
		qsort(tally->rows, count, sizeof(*tally->rows),
		      order == TALLY_BY_SELF ? compare_by_self : compare_by_total);
}

int tally_init(struct tally *tally, const struct profile *profile,
	       const struct tally_options *options)
{
	_cleanup_(work_done) struct tally_work work = {
		.profile = profile, .options = options, .tally = tally, .text = STRBUF_INIT,
	};
	int r;

	*tally = (struct tally){ 0 };
	if (options->value_type >= profile->value_type_count)
		return -ENOENT;
	tally->names = intern_new();
	if (!tally->names)
		return -ENOMEM;
	r = count_all(&work);
	if (r < 0)
		return r;
	count_total(&work);
	sort_rows(tally, options->order);
	return 0;
}

void tally_done(struct tally *tally)
{
	free(tally->rows);
	intern_free(tally->names);
}
