/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * symbol_wire.h - what a symbolizer and the process that reads files for it say to each other.
 *
 * By a socket of stream type, in native form: they are one program. What the reading process says is not
 * to be believed: it has read hostile files.
 */
#ifndef WICK_SYMBOL_WIRE_H
#define WICK_SYMBOL_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include "profiler/base/strbuf.h"
#include "symbolizer/elf_file.h"
#include "symbolizer/symbolizer.h"

/* The files of a module, as descriptors that come with a request, in this order. */
enum symbol_file {
	SYMBOL_FILE_OWN,
	SYMBOL_FILE_DEBUG,	/* a separate one with its debug information */
	SYMBOL_FILE_ALTERNATE,	/* what that one or its own refers to by .gnu_debugaltlink */
	SYMBOL_FILES,
};

/*
 * A module is opened first, and only what could be read once is read by others, too, to find the files
 * that go with it.
 */
enum symbol_request_type {
	SYMBOL_OPEN,		/* its own file; @count bytes of path follow */
	SYMBOL_COMPANIONS,	/* the others, for which there is no answer */
	SYMBOL_ASK,		/* @count addresses follow */
};

struct symbol_request {
	uint32_t type;
	uint32_t count;
	uint32_t files;			/* a bit for each that comes with it */
	uint32_t without_libdw;		/* OPEN */
	struct elf_build_id build_id;	/* OPEN */
	uint8_t reserved[3];		/* or what was on our stack would go with it */
};

_Static_assert(sizeof(struct symbol_request) == 16 + sizeof(struct elf_build_id) + 3,
	       "no bytes of a request are without a name");

#define SYMBOL_PATH_MAX 4096
#define SYMBOL_ADDRESSES_MAX 256

/* Then come @bytes, the frames of each address in turn. The first one is before any request. */
struct symbol_reply {
	int32_t error;			/* negative errno: there are none */
	uint32_t bytes;
	uint32_t wants_companions;	/* OPEN: its own file is not all there is to read */
};

/* Addresses of so much inlining and such names that they take more are no real ones. */
#define SYMBOL_REPLY_BYTES_MAX (64u << 20)

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
