/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "formats/reader.h"
#include "formats/writer.h"
#include "profiler/base/alloc.h"
#include "tests/unit/fail_alloc.h"
#include "tests/unit/profile_fixture.h"

#define FLIPS 20000
#define SEED 20230611

/* One byte per "\x..": nothing here may hold a NUL at its end but by .size. */
#define BYTES(text) (text), sizeof(text) - 1

/* The strings "", "a", "b" and the sample type a/b. */
#define STRINGS "\x32\x00\x32\x01" "a\x32\x01" "b"
#define TYPE "\x0a\x04\x08\x01\x10\x02"

static const struct damage_case {
	const char *name;
	const char *bytes;
	size_t size;
	const char *refusal; /* NULL: it is a profile */
} damage_cases[] = {
	{ "types and strings are a profile", BYTES(TYPE STRINGS) },
	{ "strings may come first", BYTES(STRINGS TYPE) },
	{ "a sample with its value is a profile", BYTES(TYPE STRINGS "\x12\x03\x12\x01\x07") },
	{ "numbers need not be packed", BYTES(TYPE STRINGS "\x12\x02\x10\x07") },
	{ "unknown fields are skipped", BYTES(TYPE STRINGS "\xa2\x06\x01x\x99\x06" "12345678") },
	{ "nothing is refused", BYTES(""), "it is empty" },
	{ "bytes that are nothing are refused", BYTES("\x01\x02\x03"),
	  "neither pprof nor folded stacks, by its content" },
	{ "no strings at all are refused", BYTES(TYPE),
	  "not a valid pprof: byte 0: refers to a string that is not there" },
	{ "a first string with a text is refused", BYTES(TYPE "\x32\x01" "a"),
	  "not a valid pprof: byte 6: the first string is not empty" },
	{ "a string that is not there is refused", BYTES("\x0a\x02\x08\x09" STRINGS),
	  "not a valid pprof: byte 0: refers to a string that is not there" },
	{ "a cut field is refused", BYTES(TYPE STRINGS "\x12\x05\x00"),
	  "not a valid pprof: byte 14: damaged or cut off" },
	{ "a number that does not end is refused",
	  BYTES(TYPE STRINGS "\x48\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
	  "not a valid pprof: byte 14: damaged or cut off" },
	{ "the same type twice is refused", BYTES(TYPE TYPE STRINGS),
	  "not a valid pprof: byte 0: the same sample type twice" },
	{ "a sample without a value is refused", BYTES(TYPE STRINGS "\x12\x00"),
	  "not a valid pprof: byte 14: has not as many values as the profile has types" },
	{ "a sample with two values is refused", BYTES(TYPE STRINGS "\x12\x04\x12\x02\x01\x01"),
	  "not a valid pprof: byte 14: has not as many values as the profile has types" },
	{ "a sample at no location is refused", BYTES(TYPE STRINGS "\x12\x05\x0a\x01\x05\x10\x01"),
	  "not a valid pprof: byte 14: refers to an id that is not there" },
	{ "a mapping without an id is refused", BYTES(TYPE STRINGS "\x1a\x00"),
	  "not a valid pprof: byte 14: has no id" },
	{ "two mappings of one id are refused",
	  BYTES(TYPE STRINGS "\x1a\x02\x08\x01\x1a\x04\x08\x01\x10\x05"),
	  "not a valid pprof: byte 18: has the id of another one" },
	{ "a location in no mapping is refused", BYTES(TYPE STRINGS "\x22\x04\x08\x01\x10\x07"),
	  "not a valid pprof: byte 14: refers to an id that is not there" },
	{ "a line of no function is refused",
	  BYTES(TYPE STRINGS "\x22\x06\x08\x01\x22\x02\x08\x07"),
	  "not a valid pprof: byte 14: refers to an id that is not there" },
	{ "a table that is a number is refused", BYTES(TYPE STRINGS "\x20\x01"),
	  "not a valid pprof: byte 14: a field of the wrong type" },
};

static void damage_row(void **state)
{
	_cleanup_(profile_freep) struct profile *profile = NULL;
	const struct damage_case *c = *state;
	struct error err = { 0 };
	int r = reader_read(c->bytes, c->size, &profile, NULL, &err);

	assert_string_equal(err.text, c->refusal ? c->refusal : "");
	assert_int_equal(r, c->refusal ? -EBADMSG : 0);
}

static void write_as(const struct profile *profile, const char *format, struct strbuf *ret)
{
	struct sink *sink;

	assert_int_equal(sink_open_memory(ret, &sink), 0);
	assert_int_equal(writer_find_name(format)->write(profile, NULL, sink), 0);
	assert_int_equal(sink_close(sink), 0);
}

/* What the fixture is when written as @format. */
static void write_fixture(const char *format, struct strbuf *ret)
{
	_cleanup_(profile_freep) struct profile *profile = fixture_profile();

	assert_non_null(profile);
	write_as(profile, format, ret);
}

static void assert_round_trip(const char *in, const char *out)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT, wanted = STRBUF_INIT;
	_cleanup_strbuf_ struct strbuf again = STRBUF_INIT;
	_cleanup_(profile_freep) struct profile *profile = NULL;
	const struct reader *reader;
	struct error err;

	write_fixture(in, &bytes);
	write_fixture(out, &wanted);
	assert_int_equal(reader_read(bytes.data, bytes.size, &profile, &reader, &err), 0);
	assert_string_equal(reader->name, "pprof");
	write_as(profile, out, &again);
	assert_int_equal(again.size, wanted.size);
	assert_memory_equal(again.data, wanted.data, wanted.size);
}

static void test_round_trips(void **state)
{
	assert_round_trip("pprof-raw", "pprof-raw");
	assert_round_trip("pprof", "pprof");
	assert_round_trip("pprof", "folded");
}

static void test_kinds(void **state)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	_cleanup_(profile_freep) struct profile *written = fixture_profile(), *read = NULL;
	struct error err;
	uint32_t i;

	write_as(written, "pprof", &bytes);
	assert_int_equal(reader_read(bytes.data, bytes.size, &read, NULL, &err), 0);
	assert_int_equal(read->location_count, written->location_count);
	/* What the fixture calls JIT has no mapping that would say so. */
	for (i = 0; i < read->location_count; i++)
		if (written->locations[i].kind != FRAME_KIND_JIT)
			assert_int_equal(read->locations[i].kind, written->locations[i].kind);
}

/* In memory of exactly that size, so that the sanitizer sees a read beyond. */
static int read_copy(const void *bytes, size_t size)
{
	_cleanup_(profile_freep) struct profile *profile = NULL;
	_cleanup_free_ void *copy = malloc(size ? size : 1);
	struct error err;

	memcpy(copy, bytes, size);
	return reader_read(copy, size, &profile, NULL, &err);
}

static void test_truncation(void **state)
{
	_cleanup_strbuf_ struct strbuf raw = STRBUF_INIT, gzip = STRBUF_INIT;
	size_t size;
	int r;

	write_fixture("pprof-raw", &raw);
	write_fixture("pprof", &gzip);
	for (size = 0; size < raw.size; size++) {
		r = read_copy(raw.data, size);
		assert_true(r == -EBADMSG || r == 0);
	}
	for (size = 0; size < gzip.size; size++)
		assert_int_equal(read_copy(gzip.data, size), -EBADMSG);
}

static void test_flips(void **state)
{
	_cleanup_strbuf_ struct strbuf raw = STRBUF_INIT;
	unsigned int seed = SEED;
	size_t at, i;
	char kept[2];
	int r;

	write_fixture("pprof-raw", &raw);
	for (i = 0; i < FLIPS; i++) {
		at = (size_t)rand_r(&seed) % (raw.size - 1);
		memcpy(kept, raw.data + at, 2);
		raw.data[at] = (char)rand_r(&seed);
		raw.data[at + 1] ^= (char)(1 << rand_r(&seed) % 8);
		r = read_copy(raw.data, raw.size);
		assert_true(r == -EBADMSG || r == 0);
		memcpy(raw.data + at, kept, 2);
	}
}

static int read_for_memory(void *bytes)
{
	_cleanup_(profile_freep) struct profile *profile = NULL;
	const struct strbuf *raw = bytes;
	struct error err;

	return reader_read(raw->data, raw->size, &profile, NULL, &err);
}

static void test_memory(void **state)
{
	_cleanup_strbuf_ struct strbuf raw = STRBUF_INIT;

	write_fixture("pprof-raw", &raw);
	fail_alloc_each(read_for_memory, &raw);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("what is written is read, and written the same", test_round_trips),
		UNIT_TEST("kernel frames and marks are known again", test_kinds),
		UNIT_TEST("a file cut anywhere is refused or read", test_truncation),
		UNIT_TEST("damaged bytes are refused or read", test_flips),
		UNIT_TEST("every allocation may fail", test_memory),
	};

	return unit_run_rows("pprof damage", damage_row, UNIT_ROWS(damage_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
