/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/unit/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "symbolizer/worker/type_wire.h"

static const struct type_provider provider;

#define TEXT_STRUCT                                                                              \
	{ .kind = TYPE_STRUCT, .name = "std::string", .bytes = 32, .is_text = true,              \
	  .text_offset = 8, .length_offset = 16, .id = 0x1234567890 }

static const struct type_info text_struct = TEXT_STRUCT;

static const struct type_function example = {
	.argument_count = 3,
	.is_variadic = true,
	.result = { .name = "",
		    .type = { .kind = TYPE_INTEGER, .name = "int", .bytes = 4, .is_signed = true },
		    .place = ARGUMENT_REGISTER },
	.arguments = {
		{ .name = "text", .type = TEXT_STRUCT, .place = ARGUMENT_PIECES, .piece_count = 2,
		  .pieces = { { 0, 8, 5 }, { 8, 8, 4 } } },
		{ .name = "far", .type = { .kind = TYPE_ARRAY, .name = "", .count = 7 },
		  .place = ARGUMENT_STACK, .stack_offset = 24 },
		{ .name = "", .type = { .kind = TYPE_FLOAT, .name = "double", .bytes = 8 },
		  .place = ARGUMENT_UNKNOWN, .refusal = "floating point is not read" },
	},
};

static const struct type_member bits = {
	.name = "flag", .offset = 4, .bit_shift = 3, .bit_count = 5,
	.type = { .kind = TYPE_INTEGER, .name = "unsigned", .bytes = 1, .is_bool = true },
};

static const struct type_enumerator red = { "RED", -3 };

static void assert_type(const struct type_info *type, const struct type_info *sent)
{
	assert_int_equal(type->kind, sent->kind);
	assert_string_equal(type->name, sent->name);
	assert_int_equal(type->bytes, sent->bytes);
	assert_int_equal(type->count, sent->count);
	assert_int_equal(type->id, sent->id);
	assert_int_equal(type->is_signed, sent->is_signed);
	assert_int_equal(type->is_bool, sent->is_bool);
	assert_int_equal(type->is_text, sent->is_text);
	assert_int_equal(type->text_offset, sent->text_offset);
	assert_int_equal(type->length_offset, sent->length_offset);
	assert_ptr_equal(type->provider, &provider);
}

static void assert_argument(const struct type_argument *argument, const struct type_argument *sent)
{
	assert_string_equal(argument->name, sent->name);
	assert_int_equal(argument->place, sent->place);
	assert_int_equal(argument->reg, sent->reg);
	assert_int_equal(argument->stack_offset, sent->stack_offset);
	assert_int_equal(argument->piece_count, sent->piece_count);
	assert_memory_equal(argument->pieces, sent->pieces, sizeof(sent->pieces));
	assert_string_equal(argument->refusal ?: "none", sent->refusal ?: "none");
	assert_type(&argument->type, &sent->type);
}

static void test_arrives(void **state)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	struct type_function function;
	struct type_enumerator value;
	struct type_member member;
	struct byte_reader reader;
	struct type_info type;

	type_wire_add_function(&bytes, 0, &example);
	type_wire_add_type(&bytes, 0, &text_struct);
	type_wire_add_member(&bytes, 0, &bits);
	type_wire_add_enumerator(&bytes, 0, &red);
	type_wire_add_member(&bytes, -EOPNOTSUPP, NULL);
	assert_int_equal(bytes.error, 0);
	reader = (struct byte_reader){ .bytes = (const uint8_t *)bytes.data, .size = bytes.size };
	assert_int_equal(type_wire_read_function(&reader, &provider, &function), 0);
	assert_int_equal(function.argument_count, example.argument_count);
	assert_true(function.is_variadic);
	assert_argument(&function.result, &example.result);
	for (size_t i = 0; i < example.argument_count; i++)
		assert_argument(&function.arguments[i], &example.arguments[i]);
	assert_int_equal(type_wire_read_type(&reader, &provider, &type), 0);
	assert_type(&type, &text_struct);
	assert_int_equal(type_wire_read_member(&reader, &provider, &member), 0);
	assert_string_equal(member.name, "flag");
	assert_int_equal(member.offset, 4);
	assert_int_equal(member.bit_shift, 3);
	assert_int_equal(member.bit_count, 5);
	assert_type(&member.type, &bits.type);
	assert_int_equal(type_wire_read_enumerator(&reader, &value), 0);
	assert_string_equal(value.name, "RED");
	assert_int_equal(value.value, -3);
	assert_int_equal(type_wire_read_member(&reader, &provider, &member), -EOPNOTSUPP);
	assert_false(reader.failed);
	assert_int_equal(reader.position, bytes.size);
}

/* Sanitizers see what lies behind the end. */
static void test_cut(void **state)
{
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	struct type_function function;

	type_wire_add_function(&bytes, 0, &example);
	for (size_t size = 0; size < bytes.size; size++) {
		_cleanup_free_ uint8_t *cut = malloc(size + 1);
		struct byte_reader reader = { .bytes = cut, .size = size };

		assert_non_null(cut);
		memcpy(cut, bytes.data, size);
		assert_int_equal(type_wire_read_function(&reader, &provider, &function), -EBADMSG);
		assert_true(reader.failed);
	}
}

/* ---- what is not believed ---- */

static const struct lie_case {
	const char *name;
	struct type_argument argument;
	bool is_believed;
} lies[] = {
	{ "the last register", { .place = ARGUMENT_REGISTER, .reg = 15 }, true },
	{ "a register that is none", { .place = ARGUMENT_REGISTER, .reg = 16 } },
	{ "behind the return address", { .place = ARGUMENT_STACK, .stack_offset = 8 }, true },
	{ "the return address", { .place = ARGUMENT_STACK, .stack_offset = 0 } },
	{ "a place that additions wrap from",
	  { .place = ARGUMENT_STACK, .stack_offset = INT64_MAX } },
	{ "no pieces", { .place = ARGUMENT_PIECES } },
	{ "a piece in a register that is none",
	  { .place = ARGUMENT_PIECES, .piece_count = 1, .pieces = { { 0, 8, 200 } } } },
	{ "a place that is none", { .place = ARGUMENT_UNKNOWN + 1 } },
	{ "a kind that is none", { .place = ARGUMENT_UNKNOWN, .type.kind = TYPE_OTHER + 1 } },
	{ "a text that is a number",
	  { .place = ARGUMENT_UNKNOWN, .type = { .kind = TYPE_INTEGER, .is_text = true } } },
};

static void test_lie(void **state)
{
	const struct lie_case *c = *state;
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	struct type_function function = { .result = c->argument }, read;
	struct byte_reader reader;

	function.result.name = function.result.type.name = "";
	type_wire_add_function(&bytes, 0, &function);
	reader = (struct byte_reader){ .bytes = (const uint8_t *)bytes.data, .size = bytes.size };
	assert_int_equal(type_wire_read_function(&reader, &provider, &read),
			 c->is_believed ? 0 : -EBADMSG);
	assert_int_equal(reader.failed, !c->is_believed);
}

static const struct member_lie {
	const char *name;
	struct type_member member;
	bool is_believed;
} member_lies[] = {
	{ "all bits of a word", { .bit_count = 64, .type.bytes = 8 }, true },
	{ "bits beyond a word", { .bit_shift = 60, .bit_count = 5, .type.bytes = 16 } },
	{ "bits beyond what is read", { .bit_shift = 7, .bit_count = 2, .type.bytes = 1 } },
	{ "a shift of no bits", { .bit_shift = 1, .type.bytes = 8 } },
	{ "an offset that wraps in bits", { .offset = UINT64_MAX / 4 } },
};

static void test_member_lie(void **state)
{
	const struct member_lie *c = *state;
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	struct type_member member = c->member, read;
	struct byte_reader reader;

	member.name = member.type.name = "";
	type_wire_add_member(&bytes, 0, &member);
	reader = (struct byte_reader){ .bytes = (const uint8_t *)bytes.data, .size = bytes.size };
	assert_int_equal(type_wire_read_member(&reader, &provider, &read),
			 c->is_believed ? 0 : -EBADMSG);
}

static const struct byte_lie {
	const char *name;
	size_t offset;
	uint8_t byte;
} byte_lies[] = {
	{ "an error that is a count", 0, 1 },
	{ "an error that is no errno", 3, 0x80 },
	{ "more arguments than there is room for", 4, TYPE_ARGUMENTS_MAX + 1 },
	{ "millions of arguments", 7, 0xff },
};

static void test_byte_lie(void **state)
{
	const struct byte_lie *c = *state;
	_cleanup_strbuf_ struct strbuf bytes = STRBUF_INIT;
	struct type_function read;
	struct byte_reader reader;

	type_wire_add_function(&bytes, 0, &example);
	bytes.data[c->offset] = (char)c->byte;
	reader = (struct byte_reader){ .bytes = (const uint8_t *)bytes.data, .size = bytes.size };
	assert_int_equal(type_wire_read_function(&reader, &provider, &read), -EBADMSG);
	assert_true(reader.failed);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		UNIT_TEST("functions and types arrive as they were sent", test_arrives),
		UNIT_TEST("what is cut off anywhere is refused", test_cut),
	};

	return unit_run_rows("places", test_lie, UNIT_ROWS(lies)) +
	       unit_run_rows("members", test_member_lie, UNIT_ROWS(member_lies)) +
	       unit_run_rows("bytes", test_byte_lie, UNIT_ROWS(byte_lies)) +
	       cmocka_run_group_tests(tests, NULL, NULL);
}
