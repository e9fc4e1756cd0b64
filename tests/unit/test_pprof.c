/* SPDX-License-Identifier: BSD-2-Clause */
/* What is written is read back with protobuf-c's decoder, which is not what wrote it. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <zlib.h>

#include "formats/profile.pb-c.h"
#include "formats/writer.h"
#include "tests/unit/fail_alloc.h"
#include "tests/unit/profile_fixture.h"

#define GZIP_HEADER 16

typedef Wick__Pprof__Profile Decoded;

static void decoded_free(Decoded *decoded)
{
	wick__pprof__profile__free_unpacked(decoded, NULL);
}
DEFINE_CLEANUP(Decoded *, decoded_free)

static int write_as(const char *format, const struct profile *profile, struct strbuf *ret)
{
	_cleanup_(sink_abortp) struct sink *sink = NULL;
	int r;

	r = sink_open_memory(ret, &sink);
	if (r < 0)
		return r;
	r = writer_find_name(format)->write(profile, NULL, sink);
	if (r < 0)
		return r;
	return sink_close(take_ptr(sink));
}

static Decoded *decode(const struct profile *profile)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	Decoded *decoded;

	assert_int_equal(write_as("pprof-raw", profile, &bytes), 0);
	decoded = wick__pprof__profile__unpack(NULL, bytes.size, (const uint8_t *)bytes.data);
	assert_non_null(decoded);
	return decoded;
}

static Decoded *decode_demo(void)
{
	_cleanup_(profile_freep) struct profile *profile = fixture_profile();

	assert_non_null(profile);
	return decode(profile);
}

/* Fails the test for an index outside of the table. */
static const char *text_of(const Decoded *decoded, int64_t index)
{
	assert_in_range(index, 0, decoded->n_string_table - 1);
	return decoded->string_table[index];
}

static void print_header(const Decoded *decoded, struct strbuf *out)
{
	size_t i;

	for (i = 0; i < decoded->n_sample_type; i++)
		strbuf_printf(out, "sample type %s/%s\n",
			      text_of(decoded, decoded->sample_type[i]->type),
			      text_of(decoded, decoded->sample_type[i]->unit));
	strbuf_printf(out, "default %s\n", text_of(decoded, decoded->default_sample_type));
	strbuf_printf(out, "period %" PRId64 " %s/%s\n", decoded->period,
		      text_of(decoded, decoded->period_type->type),
		      text_of(decoded, decoded->period_type->unit));
	strbuf_printf(out, "time %" PRId64 " duration %" PRId64 "\n", decoded->time_nanos,
		      decoded->duration_nanos);
	for (i = 0; i < decoded->n_comment; i++)
		strbuf_printf(out, "comment %s\n", text_of(decoded, decoded->comment[i]));
}

static void print_samples(const Decoded *decoded, struct strbuf *out)
{
	const Wick__Pprof__Sample *sample;
	const Wick__Pprof__Label *label;
	size_t i, k;

	for (i = 0; i < decoded->n_sample; i++) {
		sample = decoded->sample[i];
		strbuf_add_text(out, "sample");
		for (k = 0; k < sample->n_value; k++)
			strbuf_printf(out, " %" PRId64, sample->value[k]);
		strbuf_add_text(out, " at");
		for (k = 0; k < sample->n_location_id; k++)
			strbuf_printf(out, " %" PRIu64, sample->location_id[k]);
		for (k = 0; k < sample->n_label; k++) {
			label = sample->label[k];
			strbuf_printf(out, " %s=", text_of(decoded, label->key));
			if (label->str)
				strbuf_add_text(out, text_of(decoded, label->str));
			else
				strbuf_printf(out, "%" PRId64 "%s", label->num,
					      text_of(decoded, label->num_unit));
		}
		strbuf_add_char(out, '\n');
	}
}

static void print_mappings(const Decoded *decoded, struct strbuf *out)
{
	const Wick__Pprof__Mapping *mapping;
	size_t i;

	for (i = 0; i < decoded->n_mapping; i++) {
		mapping = decoded->mapping[i];
		strbuf_printf(out, "mapping %" PRIu64 " %s build id '%s'%s%s%s%s\n", mapping->id,
			      text_of(decoded, mapping->filename),
			      text_of(decoded, mapping->build_id),
			      mapping->has_functions ? " functions" : "",
			      mapping->has_filenames ? " files" : "",
			      mapping->has_line_numbers ? " lines" : "",
			      mapping->has_inline_frames ? " inlines" : "");
	}
}

static void print_locations(const Decoded *decoded, struct strbuf *out)
{
	const Wick__Pprof__Location *location;
	size_t i, k;

	for (i = 0; i < decoded->n_location; i++) {
		location = decoded->location[i];
		strbuf_printf(out, "location %" PRIu64 " mapping %" PRIu64 " address 0x%" PRIx64,
			      location->id, location->mapping_id, location->address);
		for (k = 0; k < location->n_line; k++)
			strbuf_printf(out, " %" PRIu64 ":%" PRId64, location->line[k]->function_id,
				      location->line[k]->line);
		strbuf_add_char(out, '\n');
	}
}

static void print_functions(const Decoded *decoded, struct strbuf *out)
{
	const Wick__Pprof__Function *function;
	size_t i;

	for (i = 0; i < decoded->n_function; i++) {
		function = decoded->function[i];
		strbuf_printf(out, "function %" PRIu64 " %s %s '%s':%" PRId64 "\n", function->id,
			      text_of(decoded, function->name),
			      text_of(decoded, function->system_name),
			      text_of(decoded, function->filename), function->start_line);
	}
}

static void test_golden(void **state)
{
	_cleanup_(decoded_freep) Decoded *decoded = decode_demo();
	_cleanup_strbuf_ struct strbuf text = STRBUF_INIT;

	print_header(decoded, &text);
	print_samples(decoded, &text);
	print_mappings(decoded, &text);
	print_locations(decoded, &text);
	print_functions(decoded, &text);
	fixture_assert_golden("tests/golden/demo.pprof.txt", &text);
}

static void test_rules(void **state)
{
	_cleanup_(decoded_freep) Decoded *decoded = decode_demo();
	const Wick__Pprof__Location *location;
	size_t i, k;

	assert_string_equal(decoded->string_table[0], "");
	for (i = 0; i < decoded->n_mapping; i++)
		assert_int_equal(decoded->mapping[i]->id, i + 1);
	for (i = 0; i < decoded->n_function; i++)
		assert_int_equal(decoded->function[i]->id, i + 1);
	for (i = 0; i < decoded->n_location; i++) {
		location = decoded->location[i];
		assert_int_equal(location->id, i + 1);
		assert_in_range(location->mapping_id, 0, decoded->n_mapping);
		for (k = 0; k < location->n_line; k++)
			assert_in_range(location->line[k]->function_id, 1, decoded->n_function);
	}
	for (i = 0; i < decoded->n_sample; i++) {
		assert_int_equal(decoded->sample[i]->n_value, decoded->n_sample_type);
		for (k = 0; k < decoded->sample[i]->n_location_id; k++)
			assert_in_range(decoded->sample[i]->location_id[k], 1, decoded->n_location);
	}
}

static void test_big_numbers(void **state)
{
	_cleanup_(profile_builder_freep) struct profile_builder *builder = fixture_builder();
	_cleanup_(profile_freep) struct profile *profile = NULL;
	_cleanup_(decoded_freep) Decoded *decoded = NULL;
	struct profile_location location = { .mapping = PROFILE_NONE, .address = UINT64_MAX };
	const int64_t values[] = { INT64_MAX, -1 };
	uint32_t locations[1];
	struct profile_sample sample = { .location_count = 1,
					 .locations = locations,
					 .values = values };

	assert_int_equal(profile_builder_location(builder, &location, locations), 0);
	assert_int_equal(profile_builder_sample(builder, &sample), 0);
	assert_int_equal(profile_builder_finish(builder, &profile), 0);
	decoded = decode(profile);
	assert_true(decoded->sample[0]->value[0] == INT64_MAX);
	assert_true(decoded->sample[0]->value[1] == -1);
	assert_true(decoded->location[0]->address == UINT64_MAX);
	assert_int_equal(decoded->location[0]->n_line, 0);
}

static void test_empty(void **state)
{
	_cleanup_(profile_builder_freep) struct profile_builder *builder = fixture_builder();
	_cleanup_(profile_freep) struct profile *profile = NULL;
	_cleanup_(decoded_freep) Decoded *decoded = NULL;

	assert_int_equal(profile_builder_finish(builder, &profile), 0);
	decoded = decode(profile);
	assert_int_equal(decoded->n_sample, 0);
	assert_int_equal(decoded->n_sample_type, 2);
	assert_string_equal(decoded->string_table[0], "");
}

/* What zlib's own decoder makes of @in. */
static void gunzip(const struct strbuf *in, struct strbuf *ret)
{
	unsigned char out[4096];
	z_stream stream = { 0 };
	int r;

	assert_int_equal(inflateInit2(&stream, MAX_WBITS + GZIP_HEADER), Z_OK);
	stream.next_in = (unsigned char *)in->data;
	stream.avail_in = (uInt)in->size;
	do {
		stream.next_out = out;
		stream.avail_out = sizeof(out);
		r = inflate(&stream, Z_NO_FLUSH);
		assert_true(r == Z_OK || r == Z_STREAM_END);
		strbuf_add(ret, out, sizeof(out) - stream.avail_out);
	} while (r != Z_STREAM_END);
	assert_int_equal(stream.avail_in, 0);
	inflateEnd(&stream);
}

static void test_gzip(void **state)
{
	_cleanup_(profile_freep) struct profile *profile = fixture_profile();
	_cleanup_strbuf_ struct strbuf plain = STRBUF_INIT, packed = STRBUF_INIT;
	_cleanup_strbuf_ struct strbuf again = STRBUF_INIT, unpacked = STRBUF_INIT;

	assert_int_equal(write_as("pprof-raw", profile, &plain), 0);
	assert_int_equal(write_as("pprof", profile, &packed), 0);
	assert_int_equal(write_as("pprof", profile, &again), 0);
	gunzip(&packed, &unpacked);
	assert_int_equal(unpacked.size, plain.size);
	assert_memory_equal(unpacked.data, plain.data, plain.size);
	assert_int_equal(again.size, packed.size);
	assert_memory_equal(again.data, packed.data, packed.size);
}

static void test_full(void **state)
{
	_cleanup_(profile_freep) struct profile *profile = fixture_profile();
	struct sink *sink = NULL;

	assert_int_equal(sink_open_file("/dev/full", &sink), 0);
	assert_int_equal(writer_find_name("pprof")->write(profile, NULL, sink), 0);
	assert_int_equal(sink_close(sink), -ENOSPC);
}

static int write_demo(void *arg)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;

	return write_as("pprof", arg, &bytes);
}

static void test_no_memory(void **state)
{
	_cleanup_(profile_freep) struct profile *profile = fixture_profile();

	assert_true(fail_alloc_each(write_demo, profile) > 8);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("everything is in the profile", test_golden),
		UNIT_TEST("ids, values and indexes keep the rules of all readers", test_rules),
		UNIT_TEST("the largest numbers survive", test_big_numbers),
		UNIT_TEST("a profile without samples is valid", test_empty),
		UNIT_TEST("gzip holds the same bytes, each time", test_gzip),
		UNIT_TEST("a full disk is an error", test_full),
		UNIT_TEST("each allocation may fail", test_no_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
