/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * type_wire.h - functions and types as the process that reads files says them.
 *
 * It is not to be believed: it has read hostile files. What is read here is in the ranges that
 * dwarf_types.h gives, whatever the bytes are; what a size or an offset leads to is checked by who uses it.
 * Texts are in the bytes, types are of the provider that is given.
 */
#ifndef WICK_TYPE_WIRE_H
#define WICK_TYPE_WIRE_H

#include "profiler/base/strbuf.h"
#include "symbolizer/elf/byte_reader.h"
#include "symbolizer/types/type_info.h"

/* What a question about a type begins with; a name may follow. */
struct type_wire_question {
	uint64_t id;
	uint32_t kind;
	uint32_t is_enum;
};

/*
 * Add an answer to @ret: @error 0 and what is found, or why it is not. The error of @ret says whether there
 * was memory.
 */
void type_wire_add_function(struct strbuf *ret, int error, const struct type_function *function);
void type_wire_add_type(struct strbuf *ret, int error, const struct type_info *type);
void type_wire_add_member(struct strbuf *ret, int error, const struct type_member *member);
void type_wire_add_enumerator(struct strbuf *ret, int error, const struct type_enumerator *value);

/*
 * Read one. Returns 0, what error it was added with, or -EBADMSG with the reader's failed set when it makes no
 * sense.
 */
int type_wire_read_function(struct byte_reader *reader, const struct type_provider *provider,
			    struct type_function *ret);
int type_wire_read_type(struct byte_reader *reader, const struct type_provider *provider,
			struct type_info *ret);
int type_wire_read_member(struct byte_reader *reader, const struct type_provider *provider,
			  struct type_member *ret);
int type_wire_read_enumerator(struct byte_reader *reader, struct type_enumerator *ret);

#endif
