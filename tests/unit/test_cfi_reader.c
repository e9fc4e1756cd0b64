/* SPDX-License-Identifier: BSD-2-Clause */
#include "profiler/unwind/cfi_reader.h"

#include <errno.h>
#include "tests/unit/cfi_builder.h"
#include "tests/unit/unit.h"

static const struct leb_case {
	const char *name;
	const uint8_t *bytes;
	size_t size;
	uint64_t uleb;
	int64_t sleb;
	bool damaged;
} leb_cases[] = {
	{ "a byte", BYTES(0x02), 2, 2, false },
	{ "a byte that is negative when signed", BYTES(0x7f), 127, -1, false },
	{ "two bytes", BYTES(0x80, 0x01), 128, 128, false },
	{ "two bytes, negative when signed", BYTES(0x80, 0x7f), 16256, -128, false },
	{ "padding does not matter", BYTES(0x85, 0x80, 0x80, 0x00), 5, 5, false },
	{ "all of 64 bits",
	  BYTES(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01), UINT64_MAX, -1,
	  false },
	{ "the least of 64 bits",
	  BYTES(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f), 1ull << 63, INT64_MIN,
	  false },
	{ "an unfinished number is damage", BYTES(0x80, 0x80), 0, 0, true },
	{ "a number that never ends is damage",
	  BYTES(0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01), 0, 0, true },
	{ "nothing is damage", (const uint8_t *)"", 0, 0, 0, true },
};

static void leb_row(void **state)
{
	const struct leb_case *c = *state;
	struct cfi_cursor u = { c->bytes, c->bytes + c->size, false }, s = u;

	assert_true(cfi_read_uleb(&u) == c->uleb);
	assert_true(cfi_read_sleb(&s) == c->sleb);
	assert_int_equal(u.damaged, c->damaged);
	assert_int_equal(s.damaged, c->damaged);
	assert_ptr_equal(u.at, u.end);
	assert_ptr_equal(s.at, s.end);
}

/* The pointer is 3 bytes into a section at 0x1000, its function at 0x5000. */
static const struct pointer_case {
	const char *name;
	uint8_t encoding;
	const uint8_t *bytes;
	size_t size;
	uint64_t value;
	bool damaged;
} pointer_cases[] = {
	{ "an address", 0x00, BYTES(1, 2, 3, 4, 5, 6, 7, 8), 0x0807060504030201, false },
	{ "an unsigned number", 0x01, BYTES(0x80, 0x02), 256, false },
	{ "2 bytes", 0x02, BYTES(0xfe, 0xff), 0xfffe, false },
	{ "4 bytes", 0x03, BYTES(0xfe, 0xff, 0xff, 0xff), 0xfffffffe, false },
	{ "8 bytes", 0x04, BYTES(1, 0, 0, 0, 0, 0, 0, 0x80), 0x8000000000000001, false },
	{ "a signed number", 0x09, BYTES(0x7e), -2ull, false },
	{ "2 bytes, signed", 0x0a, BYTES(0xfe, 0xff), -2ull, false },
	{ "4 bytes, signed", 0x0b, BYTES(0xfe, 0xff, 0xff, 0xff), -2ull, false },
	{ "8 bytes, signed", 0x0c, BYTES(0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), -2ull,
	  false },
	{ "relative to itself", 0x1b, BYTES(0xfd, 0xff, 0xff, 0xff), 0x1000, false },
	{ "relative to text, which is at 0", 0x2b, BYTES(5, 0, 0, 0), 5, false },
	{ "relative to data, which is at 0", 0x3b, BYTES(5, 0, 0, 0), 5, false },
	{ "relative to the function", 0x4a, BYTES(5, 0), 0x5005, false },
	{ "aligned", 0x50, BYTES(9, 9, 9, 9, 9, 1, 0, 0, 0, 0, 0, 0, 0), 1, false },
	{ "indirect is refused", 0x9b, BYTES(0, 0, 0, 0), 0, true },
	{ "omitted is refused", 0xff, BYTES(0, 0, 0, 0), 0, true },
	{ "an unknown format is refused", 0x05, BYTES(0, 0, 0, 0, 0, 0, 0, 0), 0, true },
	{ "an unknown base is refused", 0x60, BYTES(0, 0, 0, 0, 0, 0, 0, 0), 0, true },
};

static void pointer_row(void **state)
{
	const struct pointer_case *c = *state;
	uint8_t bytes[32] = { 0 };
	struct cfi_section section = { .bytes = bytes, .size = 3 + c->size, .address = 0x1000 };
	struct cfi_cursor cursor = { bytes + 3, bytes + 3 + c->size, false };
	uint64_t value;
	size_t less;

	memcpy(bytes + 3, c->bytes, c->size);
	value = cfi_read_pointer(&cursor, &section, c->encoding, 0x5000);
	assert_int_equal(cursor.damaged, c->damaged);
	if (c->damaged)
		return;
	assert_true(value == c->value);
	assert_ptr_equal(cursor.at, cursor.end);
	for (less = 1; less <= c->size; less++) {
		cursor = (struct cfi_cursor){ bytes + 3, bytes + 3 + c->size - less, false };
		cfi_read_pointer(&cursor, &section, c->encoding, 0x5000);
		assert_true(cursor.damaged);
	}
}

static const struct form_case {
	const char *name;
	bool debug_frame, wide, augmented;
	uint8_t version, encoding;
	const char *letters;
	bool refused;
} form_cases[] = {
	{ ".eh_frame", false, false, true, 1, 0x1b, "", false },
	{ ".eh_frame, version 3", false, false, true, 3, 0x1b, "", false },
	{ ".eh_frame, 64-bit lengths", false, true, true, 1, 0x1b, "", false },
	{ ".eh_frame, absolute pointers", false, false, true, 1, 0x00, "", false },
	{ ".eh_frame, no augmentation", false, false, false, 1, 0x00, "", false },
	{ ".eh_frame of C++", false, false, true, 1, 0x1b, "PL", false },
	{ ".eh_frame of a signal trampoline", false, false, true, 1, 0x1b, "S", false },
	{ "a letter without data", false, false, true, 1, 0x1b, "B", false },
	{ ".debug_frame", true, false, false, 4, 0x00, "", false },
	{ ".debug_frame, version 3", true, false, false, 3, 0x00, "", false },
	{ ".debug_frame, version 1", true, false, false, 1, 0x00, "", false },
	{ ".debug_frame, 64-bit", true, true, false, 4, 0x00, "", false },
	{ "an unknown letter", false, false, true, 1, 0x1b, "Q", true },
	{ "an unknown augmentation", false, false, false, 1, 0x00, "eh", true },
	{ "an unknown version", false, false, true, 2, 0x1b, "", true },
};

static void form_row(void **state)
{
	const struct form_case *c = *state;
	static struct cfi_builder b;
	struct cfi_section section;
	struct cfi_entry entry;
	struct cfi_cie cie;
	struct cfi_fde fde;
	size_t offset = 0, cie_at;

	cfi_builder_init(&b, 0x4000, c->debug_frame);
	b.wide = c->wide;
	b.augmented = c->augmented;
	b.version = c->version;
	b.encoding = c->encoding;
	cfi_builder_add(&b, "\0\0\0\0", 4);	/* zeros between entries are skipped */
	cie_at = cfi_builder_cie(&b, c->letters, NULL, 0);
	cfi_builder_fde(&b, cie_at, 0x1010, 0x30, BYTES(CFA_ADVANCE(1)));
	section = cfi_builder_section(&b);

	assert_int_equal(cfi_entry_next(&section, &offset, &entry), 1);
	assert_true(entry.is_cie);
	assert_int_equal(entry.offset, cie_at);
	assert_int_equal(cfi_cie_read(&section, cie_at, &cie), c->refused ? -EBADMSG : 0);
	if (c->refused)
		return;
	assert_int_equal(cie.code_factor, 1);
	assert_int_equal(cie.data_factor, -8);
	assert_int_equal(cie.return_register, RIP);
	assert_int_equal(cie.signal_frame, *c->letters == 'S');
	assert_int_equal(cie.program[0], CFA_DEF_CFA);
	assert_int_equal(cfi_entry_next(&section, &offset, &entry), 1);
	assert_false(entry.is_cie);
	assert_int_equal(entry.cie_offset, cie_at);
	assert_int_equal(cfi_fde_read(&section, &entry, &cie, &fde), 0);
	assert_int_equal(fde.start, 0x1010);
	assert_int_equal(fde.end, 0x1040);
	assert_int_equal(fde.program[0], CFA_ADVANCE(1));
	assert_int_equal(cfi_entry_next(&section, &offset, &entry), 0);
}

static void test_lengths_that_lie(void **state)
{
	static struct cfi_builder b;
	struct cfi_section section;
	struct cfi_entry entry;
	size_t offset = 0, cie_at;

	cfi_builder_init(&b, 0x4000, false);
	cie_at = cfi_builder_cie(&b, "", NULL, 0);
	cfi_builder_add(&b, "\xf0\xff\xff\x7f", 4);
	section = cfi_builder_section(&b);
	assert_int_equal(cfi_entry_next(&section, &offset, &entry), 1);
	assert_int_equal(cfi_entry_next(&section, &offset, &entry), -EBADMSG);

	/* Its augmentation has no end, and then its own length says less than it holds. */
	memset(b.bytes + cie_at + 9, 'z', 8);
	section.size = cie_at + 17;
	assert_int_equal(cfi_cie_read(&section, cie_at, &(struct cfi_cie){ 0 }), -EBADMSG);
	b.bytes[cie_at] = 9;
	assert_int_equal(cfi_cie_read(&section, cie_at, &(struct cfi_cie){ 0 }), -EBADMSG);
}

static void test_cie_offsets_that_lie(void **state)
{
	static struct cfi_builder b;
	struct cfi_section section;
	struct cfi_cie cie;
	size_t cie_at, fde_at, i;

	cfi_builder_init(&b, 0x4000, false);
	cfi_builder_add(&b, "\0\0\0\0", 4);
	cie_at = cfi_builder_cie(&b, "", NULL, 0);
	fde_at = cfi_builder_fde(&b, cie_at, 0x1000, 1, NULL, 0);
	section = cfi_builder_section(&b);
	assert_int_equal(cfi_cie_read(&section, fde_at, &cie), -EBADMSG);
	assert_int_equal(cfi_cie_read(&section, 0, &cie), -EBADMSG);
	assert_int_equal(cfi_cie_read(&section, SIZE_MAX, &cie), -EBADMSG);
	for (i = section.size - 4; i < section.size + 4; i++)
		assert_int_equal(cfi_cie_read(&section, i, &cie), -EBADMSG);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("lengths that lie are damage", test_lengths_that_lie),
		UNIT_TEST("a CIE is only where one is", test_cie_offsets_that_lie),
	};

	return unit_run_rows("leb", leb_row, UNIT_ROWS(leb_cases)) +
	       unit_run_rows("pointer", pointer_row, UNIT_ROWS(pointer_cases)) +
	       unit_run_rows("form", form_row, UNIT_ROWS(form_cases)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
