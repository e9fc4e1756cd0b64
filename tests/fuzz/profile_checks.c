/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/fuzz/profile_checks.h"

#include <errno.h>
#include <string.h>

#include "formats/readers.h"
#include "formats/tally.h"
#include "formats/utf8.h"
#include "formats/writers.h"
#include "tests/fuzz/fuzz.h"

static void check_string(const struct profile *profile, profile_string string)
{
	fuzz_check(string < profile->string_count, "a string is not in the table");
}

static void check_strings(const struct profile *profile)
{
	size_t size;
	uint32_t i;

	fuzz_check(profile->string_count && !*profile->strings[0], "string 0 is not empty");
	for (i = 0; i < profile->string_count; i++) {
		size = strlen(profile->strings[i]);
		fuzz_check(utf8_valid_bytes(profile->strings[i], size) == size,
			   "a string is not UTF-8");
	}
}

static void check_tables(const struct profile *profile)
{
	const struct profile_location *location;
	uint32_t i, j;

	for (i = 0; i < profile->mapping_count; i++) {
		check_string(profile, profile->mappings[i].file);
		check_string(profile, profile->mappings[i].build_id);
	}
	for (i = 0; i < profile->function_count; i++) {
		check_string(profile, profile->functions[i].name);
		check_string(profile, profile->functions[i].system_name);
		check_string(profile, profile->functions[i].file);
	}
	for (i = 0; i < profile->location_count; i++) {
		location = &profile->locations[i];
		fuzz_check(location->mapping == PROFILE_NONE ||
				   location->mapping < profile->mapping_count,
			   "a location has no mapping");
		for (j = 0; j < location->line_count; j++)
			fuzz_check(location->lines[j].function < profile->function_count,
				   "a line has no function");
	}
}

static void check_samples(const struct profile *profile)
{
	const struct profile_sample *sample;
	uint32_t i, j;

	for (i = 0; i < profile->sample_count; i++) {
		sample = &profile->samples[i];
		for (j = 0; j < sample->location_count; j++)
			fuzz_check(sample->locations[j] < profile->location_count,
				   "a sample has no location");
		for (j = 0; j < sample->label_count; j++) {
			check_string(profile, sample->labels[j].key);
			check_string(profile, sample->labels[j].text);
			check_string(profile, sample->labels[j].unit);
		}
		fuzz_touch(sample->values, profile->value_type_count * sizeof(*sample->values));
	}
	fuzz_check(!profile->value_type_count ||
			   profile->default_value_type < profile->value_type_count,
		   "the default is no value type");
}

/* The sum of all values; false where adding some of them up may meet the limit. */
static bool values_sum(const struct profile *profile, int64_t *ret)
{
	__int128 sum = 0, sizes = 0, value;
	uint32_t i, j;

	for (i = 0; i < profile->sample_count; i++) {
		for (j = 0; j < profile->value_type_count; j++) {
			value = profile->samples[i].values[j];
			sum += value;
			sizes += value < 0 ? -value : value;
		}
	}
	*ret = (int64_t)sum;
	return sizes < INT64_MAX;
}

static void check_tally(const struct profile *profile, const char *by)
{
	struct tally_options options = { .value_type = profile->default_value_type, .by = by };
	struct tally tally;

	tally_init(&tally, profile, &options);
	tally_done(&tally);
}

/* Samples of two kinds of frames that pprof does not tell apart become one, values stay. */
static void check_same(const struct profile *a, const struct profile *b)
{
	int64_t sum_a, sum_b;

	fuzz_check(a->value_type_count == b->value_type_count, "value types got lost");
	if (values_sum(a, &sum_a))
		fuzz_check(values_sum(b, &sum_b) && sum_a == sum_b, "values got lost");
}

static void check_written(const struct strbuf *written, const struct profile *profile)
{
	_cleanup_(profile_freep) struct profile *again = NULL;
	struct error err = { 0 };

	fuzz_check(pprof_read(written->data, written->size, &again, &err) == 0,
		   "what was written cannot be read");
	check_same(profile, again);
}

static void check_writer(const struct profile *profile, const struct writer *writer)
{
	_cleanup_strbuf_ struct strbuf written = STRBUF_INIT;
	struct sink *sink;
	int r;

	fuzz_check(sink_open_memory(&written, &sink) == 0, "no memory");
	r = writer->write(profile, NULL, sink);
	fuzz_check(r == 0 || (r == -ENOENT && !profile->value_type_count),
		   "a profile cannot be written");
	fuzz_check(sink_close(sink) == 0, "no memory");
	if (r == 0 && writer->write == pprof_write)
		check_written(&written, profile);
}

void profile_check(const struct profile *profile)
{
	const struct writer *writer;

	check_strings(profile);
	check_tables(profile);
	check_samples(profile);
	check_tally(profile, NULL);
	check_tally(profile, "module");
	/* Compressing takes much longer than all the rest, and adds nothing. */
	for (writer = writer_table; writer->name; writer++)
		if (writer->write != pprof_write_gzip)
			check_writer(profile, writer);
}
