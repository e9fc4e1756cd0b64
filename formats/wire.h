/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * wire.h - protobuf's encoding, field by field, of messages too large for a tree.
 *
 * Only walks: what a field means is the caller's. Never reads outside of the
 * bytes it was given, whatever they hold.
 */
#ifndef WICK_WIRE_H
#define WICK_WIRE_H

#include <stddef.h>
#include <stdint.h>

enum wire_type {
	WIRE_VARINT = 0,
	WIRE_64 = 1,
	WIRE_BYTES = 2,
	WIRE_32 = 5,
};

struct wire {
	const uint8_t *at, *end;
};

struct wire_field {
	uint32_t number; /* 1 and up */
	enum wire_type type;
	uint64_t value; /* of a number; unset for bytes */
	const uint8_t *bytes;
	size_t size; /* of the bytes */
};

/* The next field: 1, 0 at the end, or -EBADMSG with @wire->at where the bad field begins. */
int wire_next(struct wire *wire, struct wire_field *ret);
/* One number, of a packed list: 1, 0 at the end, or -EBADMSG. */
int wire_next_number(struct wire *wire, uint64_t *ret);

#endif
