/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/worker/type_wire.h"

#include <errno.h>
#include <string.h>

#define ERRNO_MAX 4095
#define REGISTERS 16
/* Behind the return address; so far from the end that nothing that is added wraps. */
#define STACK_OFFSET_MIN 8
#define STACK_OFFSET_MAX (INT64_MAX / 2)
#define MEMBER_OFFSET_MAX (UINT64_MAX / 8)
#define WORD_BITS 64

enum type_flag {
	TYPE_IS_SIGNED = 1 << 0,
	TYPE_IS_CHAR = 1 << 1,
	TYPE_IS_BOOL = 1 << 2,
	TYPE_IS_ENUM = 1 << 3,
	TYPE_IS_USER = 1 << 4,
	TYPE_IS_REFERENCE = 1 << 5,
	TYPE_IS_TEXT = 1 << 6,
};

/* Texts follow each of them, with their NUL. Of a type: its name. */
struct wire_type {
	uint64_t bytes, count, id;
	uint8_t kind, flags, text_offset, length_offset;
	uint32_t reserved;
};

/* Of an argument: its name, and its refusal where there is one. Then comes its type. */
struct wire_argument {
	int64_t stack_offset;
	struct type_piece pieces[TYPE_PIECES_MAX];
	uint8_t piece_count, place, reg, has_refusal, reserved;
};

struct wire_function {
	uint32_t argument_count;
	uint32_t is_variadic;
};

/* Of a member: its name. Then comes its type. */
struct wire_member {
	uint64_t offset;
	uint32_t bit_shift, bit_count;
};

static void add_text(struct strbuf *ret, const char *text)
{
	strbuf_add(ret, text, strlen(text) + 1);
}

/* Whether there is more to be added. */
static bool add_error(struct strbuf *ret, int error)
{
	int32_t number = error;

	strbuf_add(ret, &number, sizeof(number));
	return !error;
}

static int fail(struct byte_reader *reader)
{
	reader->failed = true;
	return -EBADMSG;
}

static int read_error(struct byte_reader *reader)
{
	int32_t error = (int32_t)byte_reader_fixed(reader, sizeof(error));

	return reader->failed || error > 0 || error < -ERRNO_MAX ? fail(reader) : error;
}

/* False: it is not there, and the reader has failed. */
static bool read_fixed(struct byte_reader *reader, void *ret, size_t size)
{
	const uint8_t *bytes = byte_reader_skip(reader, size);

	if (bytes)
		memcpy(ret, bytes, size);
	return bytes;
}

/* ---- types ---- */

static void add_type(struct strbuf *ret, const struct type_info *type)
{
	const struct wire_type wire = {
		.bytes = type->bytes,
		.count = type->count,
		.id = type->id,
		.kind = type->kind,
		.flags = (type->is_signed ? TYPE_IS_SIGNED : 0) |
			 (type->is_char ? TYPE_IS_CHAR : 0) | (type->is_bool ? TYPE_IS_BOOL : 0) |
			 (type->is_enum ? TYPE_IS_ENUM : 0) | (type->is_user ? TYPE_IS_USER : 0) |
			 (type->is_reference ? TYPE_IS_REFERENCE : 0) |
			 (type->is_text ? TYPE_IS_TEXT : 0),
		.text_offset = type->text_offset,
		.length_offset = type->length_offset,
	};

	strbuf_add(ret, &wire, sizeof(wire));
	add_text(ret, type->name);
}

static int read_type(struct byte_reader *reader, const struct type_provider *provider,
		     struct type_info *ret)
{
	struct wire_type wire;

	if (!read_fixed(reader, &wire, sizeof(wire)) || wire.kind > TYPE_OTHER ||
	    (wire.flags & TYPE_IS_TEXT && wire.kind != TYPE_STRUCT))
		return fail(reader);
	*ret = (struct type_info){
		.kind = wire.kind,
		.bytes = wire.bytes,
		.is_signed = wire.flags & TYPE_IS_SIGNED,
		.is_char = wire.flags & TYPE_IS_CHAR,
		.is_bool = wire.flags & TYPE_IS_BOOL,
		.is_enum = wire.flags & TYPE_IS_ENUM,
		.is_user = wire.flags & TYPE_IS_USER,
		.is_reference = wire.flags & TYPE_IS_REFERENCE,
		.is_text = wire.flags & TYPE_IS_TEXT,
		.text_offset = wire.text_offset,
		.length_offset = wire.length_offset,
		.count = wire.count,
		.provider = provider,
		.id = wire.id,
	};
	ret->name = byte_reader_text(reader);
	return reader->failed ? -EBADMSG : 0;
}

void type_wire_add_type(struct strbuf *ret, int error, const struct type_info *type)
{
	if (add_error(ret, error))
		add_type(ret, type);
}

int type_wire_read_type(struct byte_reader *reader, const struct type_provider *provider,
			struct type_info *ret)
{
	int r = read_error(reader);

	return r ?: read_type(reader, provider, ret);
}

/* ---- members ---- */

void type_wire_add_member(struct strbuf *ret, int error, const struct type_member *member)
{
	struct wire_member wire;

	if (!add_error(ret, error))
		return;
	wire = (struct wire_member){ member->offset, member->bit_shift, member->bit_count };
	strbuf_add(ret, &wire, sizeof(wire));
	add_text(ret, member->name);
	add_type(ret, &member->type);
}

/* Bits lie in a word, and in what is read for them. */
static bool bits_fit(const struct wire_member *wire, const struct type_info *type)
{
	uint32_t end;

	if (wire->bit_shift >= WORD_BITS || wire->bit_count > WORD_BITS)
		return false;
	end = wire->bit_shift + wire->bit_count;
	return wire->bit_count ? end <= WORD_BITS && (end + 7) / 8 <= type->bytes :
				 !wire->bit_shift;
}

int type_wire_read_member(struct byte_reader *reader, const struct type_provider *provider,
			  struct type_member *ret)
{
	struct wire_member wire;
	int r = read_error(reader);

	if (r < 0)
		return r;
	if (!read_fixed(reader, &wire, sizeof(wire)) || wire.offset > MEMBER_OFFSET_MAX)
		return fail(reader);
	ret->name = byte_reader_text(reader);
	r = read_type(reader, provider, &ret->type);
	if (r < 0)
		return r;
	if (!bits_fit(&wire, &ret->type))
		return fail(reader);
	ret->offset = wire.offset;
	ret->bit_shift = (uint8_t)wire.bit_shift;
	ret->bit_count = (uint8_t)wire.bit_count;
	return 0;
}

void type_wire_add_enumerator(struct strbuf *ret, int error, const struct type_enumerator *value)
{
	if (!add_error(ret, error))
		return;
	strbuf_add(ret, &value->value, sizeof(value->value));
	add_text(ret, value->name);
}

int type_wire_read_enumerator(struct byte_reader *reader, struct type_enumerator *ret)
{
	int r = read_error(reader);

	if (r < 0)
		return r;
	ret->value = (int64_t)byte_reader_fixed(reader, sizeof(ret->value));
	ret->name = byte_reader_text(reader);
	return reader->failed ? -EBADMSG : 0;
}

/* ---- functions ---- */

static void add_argument(struct strbuf *ret, const struct type_argument *argument)
{
	struct wire_argument wire = {
		.stack_offset = argument->place == ARGUMENT_STACK ? argument->stack_offset : 0,
		.place = argument->place,
		.has_refusal = argument->refusal != NULL,
	};

	/* What does not belong to the place was never said. */
	if (argument->place == ARGUMENT_REGISTER)
		wire.reg = (uint8_t)argument->reg;
	if (argument->place == ARGUMENT_PIECES) {
		wire.piece_count = (uint8_t)argument->piece_count;
		memcpy(wire.pieces, argument->pieces,
		       argument->piece_count * sizeof(wire.pieces[0]));
	}
	strbuf_add(ret, &wire, sizeof(wire));
	add_text(ret, argument->name ?: "");
	if (argument->refusal)
		add_text(ret, argument->refusal);
	add_type(ret, &argument->type);
}

static bool place_is_one(const struct wire_argument *wire)
{
	switch (wire->place) {
	case ARGUMENT_REGISTER:
		return wire->reg < REGISTERS;
	case ARGUMENT_STACK:
		return wire->stack_offset >= STACK_OFFSET_MIN &&
		       wire->stack_offset <= STACK_OFFSET_MAX;
	case ARGUMENT_PIECES:
		if (!wire->piece_count || wire->piece_count > TYPE_PIECES_MAX)
			return false;
		for (size_t i = 0; i < wire->piece_count; i++)
			if (wire->pieces[i].reg >= REGISTERS)
				return false;
		return true;
	}
	return wire->place == ARGUMENT_UNKNOWN;
}

static int read_argument(struct byte_reader *reader, const struct type_provider *provider,
			 struct type_argument *ret)
{
	struct wire_argument wire;

	if (!read_fixed(reader, &wire, sizeof(wire)) || !place_is_one(&wire))
		return fail(reader);
	ret->place = wire.place;
	ret->reg = wire.reg;
	ret->stack_offset = wire.stack_offset;
	ret->piece_count = wire.place == ARGUMENT_PIECES ? wire.piece_count : 0;
	memcpy(ret->pieces, wire.pieces, sizeof(ret->pieces));
	ret->name = byte_reader_text(reader);
	ret->refusal = wire.has_refusal ? byte_reader_text(reader) : NULL;
	return read_type(reader, provider, &ret->type);
}

void type_wire_add_function(struct strbuf *ret, int error, const struct type_function *function)
{
	struct wire_function wire;

	if (!add_error(ret, error))
		return;
	wire = (struct wire_function){ (uint32_t)function->argument_count, function->is_variadic };
	strbuf_add(ret, &wire, sizeof(wire));
	add_argument(ret, &function->result);
	for (size_t i = 0; i < function->argument_count; i++)
		add_argument(ret, &function->arguments[i]);
}

int type_wire_read_function(struct byte_reader *reader, const struct type_provider *provider,
			    struct type_function *ret)
{
	struct wire_function wire;
	int r = read_error(reader);

	if (r < 0)
		return r;
	if (!read_fixed(reader, &wire, sizeof(wire)) || wire.argument_count > TYPE_ARGUMENTS_MAX)
		return fail(reader);
	ret->argument_count = wire.argument_count;
	ret->is_variadic = wire.is_variadic != 0;
	r = read_argument(reader, provider, &ret->result);
	for (size_t i = 0; i < wire.argument_count && !r; i++)
		r = read_argument(reader, provider, &ret->arguments[i]);
	return r;
}
