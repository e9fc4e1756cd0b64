/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * symbol_wire.h - frames as the process that reads files says them.
 *
 * It is not to be believed: it has read hostile files.
 */
#ifndef WICK_SYMBOL_WIRE_H
#define WICK_SYMBOL_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include "profiler/base/strbuf.h"
#include "symbolizer/symbolizer.h"

/* Add the frames of an address to @ret, whose error says whether there was memory. */
void symbol_wire_add(struct strbuf *ret, const struct frame *frames, size_t count);

/* Frames out of a reply. */
struct symbol_wire_reader {
	const uint8_t *bytes;
	size_t size, position;
};
/*
 * The frames of the next address; their texts are in the reply. @ret holds @max. Returns how many,
 * or -EBADMSG.
 */
int symbol_wire_next(struct symbol_wire_reader *reader, struct frame *ret, size_t max);

#endif
