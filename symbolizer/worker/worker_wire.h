/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * worker_wire.h - how questions go to the process that reads files, and answers come back.
 *
 * By a socket of stream type, in native form: they are one program. What the reading process says is not
 * to be believed: it has read hostile files.
 */
#ifndef WICK_WORKER_WIRE_H
#define WICK_WORKER_WIRE_H

#include <stdint.h>
#include "symbolizer/elf/elf_file.h"

/* The files of a module, as descriptors that come with a request, in this order. */
enum worker_file {
	WORKER_FILE_OWN,
	WORKER_FILE_DEBUG,	/* a separate one with its debug information */
	WORKER_FILE_ALTERNATE,	/* what that one or its own refers to by .gnu_debugaltlink */
	WORKER_FILES,
};

/*
 * A module is opened first, and only what could be read once is read by others, too, to find the files
 * that go with it.
 */
enum worker_request_type {
	WORKER_OPEN,		/* its own file, and its path; one byte: it is not all there is to read */
	WORKER_COMPANIONS,	/* the others; nothing */
	WORKER_SYMBOLS,		/* addresses; the frames of each in turn (symbol_wire.h) */
	/* The others' answers are type_wire.h's. A list ends with what is no entry. */
	WORKER_TYPES,		/* whether there are types: an error number */
	WORKER_FUNCTIONS,	/* addresses; a function for each */
	WORKER_TARGET,		/* a question; a type */
	WORKER_MEMBER,		/* a question and a name; a member */
	WORKER_MEMBERS,		/* a question; a list of them */
	WORKER_ENUMERATORS,	/* a question; a list */
	WORKER_NAMED,		/* a name; a type */
};

struct worker_request {
	uint32_t type;
	uint32_t size;			/* bytes that follow */
	uint32_t files;			/* a bit for each that comes with it */
	uint32_t without_libdw;		/* OPEN */
	struct elf_build_id build_id;	/* OPEN */
	uint8_t reserved[3];		/* or what was on our stack would go with it */
};

_Static_assert(sizeof(struct worker_request) == 16 + sizeof(struct elf_build_id) + 3,
	       "no bytes of a request are without a name");

#define WORKER_PATH_MAX 4096
/* So many of any question: it fits into a socket. */
#define WORKER_REQUEST_BYTES_MAX 8192
#define WORKER_ADDRESSES_MAX 256

/* Then come @bytes. The first one is before any request. */
struct worker_reply {
	int32_t error;			/* negative errno: there are none */
	uint32_t bytes;
};

/* Addresses of so much inlining and such names that they take more are no real ones. */
#define WORKER_REPLY_BYTES_MAX (64u << 20)

#endif
