/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fuzz_type_wire.c - any bytes as functions and types by a process that has read hostile files.
 *
 * The first byte says what they are taken for.
 */
#include "symbolizer/worker/type_wire.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/type_checks.h"

static const struct type_provider provider;

static void check_type(const struct type_info *type)
{
	fuzz_check(type->provider == &provider, "another provider");
	type_check_info(type);
}

static void check_argument(const struct type_argument *argument)
{
	fuzz_check(argument->type.provider == &provider, "another provider");
	type_check_argument(argument);
}

static int take_function(struct byte_reader *reader)
{
	struct type_function function;
	int r = type_wire_read_function(reader, &provider, &function);

	if (r < 0)
		return r;
	fuzz_check(function.argument_count <= TYPE_ARGUMENTS_MAX, "too many arguments");
	check_argument(&function.result);
	for (size_t i = 0; i < function.argument_count; i++)
		check_argument(&function.arguments[i]);
	return 0;
}

static int take_type(struct byte_reader *reader)
{
	struct type_info type;
	int r = type_wire_read_type(reader, &provider, &type);

	if (r == 0)
		check_type(&type);
	return r;
}

static int take_member(struct byte_reader *reader)
{
	struct type_member member;
	int r = type_wire_read_member(reader, &provider, &member);

	if (r < 0)
		return r;
	fuzz_check(member.type.provider == &provider, "another provider");
	fuzz_check(member.offset <= UINT64_MAX / 8, "an offset that wraps");
	type_check_member(&member);
	return 0;
}

static int take_enumerator(struct byte_reader *reader)
{
	struct type_enumerator value;
	int r = type_wire_read_enumerator(reader, &value);

	if (r == 0)
		fuzz_touch_text(value.name);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static int (*const takers[])(struct byte_reader *) = { take_function, take_type,
							       take_member, take_enumerator };
	struct byte_reader reader = { .bytes = bytes, .size = size, .position = 1 };
	size_t before;
	int r;

	if (!size)
		return 0;
	do {
		before = reader.position;
		r = takers[bytes[0] % ARRAY_SIZE(takers)](&reader);
		fuzz_check(r <= 0, "an answer that is a count");
		fuzz_check(reader.failed ? r < 0 : reader.position > before,
			   "an answer of no bytes, or one without sense");
		fuzz_check(reader.position <= size, "bytes that are not there");
	} while (!reader.failed);
	return 0;
}
