/* SPDX-License-Identifier: BSD-2-Clause */
#include "formats/wire.h"

#include <errno.h>

#define VARINT_BITS_MAX 63 /* the last of its ten bytes holds one bit */
#define FIELD_TYPE_BITS 3
#define FIELD_NUMBER_MAX ((1u << 29) - 1)

int wire_next_number(struct wire *wire, uint64_t *ret)
{
	const uint8_t *at = wire->at;
	uint64_t value = 0;
	unsigned int shift;

	if (at == wire->end)
		return 0;
	for (shift = 0; shift <= VARINT_BITS_MAX && at < wire->end; shift += 7) {
		value |= (uint64_t)(*at & 0x7f) << shift;
		if (*at++ & 0x80)
			continue;
		wire->at = at;
		*ret = value;
		return 1;
	}
	return -EBADMSG;
}

/* @size bytes as a little-endian number. */
static int wire_fixed(struct wire *wire, size_t size, uint64_t *ret)
{
	uint64_t value = 0;
	size_t i;

	if ((size_t)(wire->end - wire->at) < size)
		return -EBADMSG;
	for (i = 0; i < size; i++)
		value |= (uint64_t)wire->at[i] << (8 * i);
	wire->at += size;
	*ret = value;
	return 1;
}

static int wire_bytes(struct wire *wire, struct wire_field *field)
{
	uint64_t size;
	int r = wire_next_number(wire, &size);

	if (r <= 0 || size > (uint64_t)(wire->end - wire->at))
		return -EBADMSG;
	field->bytes = wire->at;
	field->size = (size_t)size;
	wire->at += size;
	return 1;
}

static int wire_content(struct wire *wire, struct wire_field *field)
{
	switch (field->type) {
	case WIRE_VARINT:
		return wire_next_number(wire, &field->value) > 0 ? 1 : -EBADMSG;
	case WIRE_64:
		return wire_fixed(wire, 8, &field->value);
	case WIRE_32:
		return wire_fixed(wire, 4, &field->value);
	case WIRE_BYTES:
		return wire_bytes(wire, field);
	}
	return -EBADMSG; /* groups, which proto3 does not have */
}

int wire_next(struct wire *wire, struct wire_field *ret)
{
	/* Of a number they are empty, but never NULL, which nothing may be added to. */
	struct wire_field field = { .bytes = wire->at };
	struct wire next = *wire;
	uint64_t key;
	int r;

	r = wire_next_number(&next, &key);
	if (r <= 0)
		return r;
	if (key >> FIELD_TYPE_BITS == 0 || key >> FIELD_TYPE_BITS > FIELD_NUMBER_MAX)
		return -EBADMSG;
	field.number = (uint32_t)(key >> FIELD_TYPE_BITS);
	field.type = (enum wire_type)(key & ((1 << FIELD_TYPE_BITS) - 1));
	r = wire_content(&next, &field);
	if (r < 0)
		return r;
	*wire = next;
	*ret = field;
	return 1;
}
