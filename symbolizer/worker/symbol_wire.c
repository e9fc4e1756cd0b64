/* SPDX-License-Identifier: BSD-2-Clause */
#include "symbolizer/worker/symbol_wire.h"

#include <errno.h>

#include "symbolizer/elf/byte_reader.h"

/* Texts follow, each with its NUL: function, system name, and the file where there is one. */
struct wire_frame {
	uint64_t start;
	uint32_t line;
	uint8_t origin, inlined, has_file, reserved;
};

static void add_text(struct strbuf *ret, const char *text)
{
	strbuf_add(ret, text, strlen(text) + 1);
}

void symbol_wire_add(struct strbuf *ret, const struct frame *frames, size_t count)
{
	uint32_t number = (uint32_t)count;

	strbuf_add(ret, &number, sizeof(number));
	for (size_t i = 0; i < count; i++) {
		struct wire_frame wire = {
			.start = frames[i].start,
			.line = frames[i].line,
			.origin = frames[i].origin,
			.inlined = frames[i].inlined,
			.has_file = frames[i].file != NULL,
		};

		strbuf_add(ret, &wire, sizeof(wire));
		add_text(ret, frames[i].function);
		add_text(ret, frames[i].system_name ?: "");
		if (frames[i].file)
			add_text(ret, frames[i].file);
	}
}

static int read_frame(struct byte_reader *reader, struct frame *ret)
{
	const uint8_t *bytes = byte_reader_skip(reader, sizeof(struct wire_frame));
	struct wire_frame wire;

	if (!bytes)
		return -EBADMSG;
	memcpy(&wire, bytes, sizeof(wire));
	if (wire.origin > FRAME_UNKNOWN)
		return -EBADMSG;
	*ret = (struct frame){ .line = wire.line, .start = wire.start, .origin = wire.origin,
			       .inlined = wire.inlined != 0 };
	ret->function = byte_reader_text(reader);
	ret->system_name = byte_reader_text(reader);
	if (wire.has_file)
		ret->file = byte_reader_text(reader);
	return reader->failed ? -EBADMSG : 0;
}

int symbol_wire_next(struct symbol_wire_reader *wire, struct frame *ret, size_t max)
{
	struct byte_reader reader = { .bytes = wire->bytes, .size = wire->size,
				      .position = wire->position };
	uint64_t count = byte_reader_fixed(&reader, sizeof(uint32_t));

	if (!count || count > max)
		return -EBADMSG;
	for (uint64_t i = 0; i < count; i++) {
		int r = read_frame(&reader, &ret[i]);

		if (r < 0)
			return r;
	}
	wire->position = reader.position;
	return (int)count;
}
