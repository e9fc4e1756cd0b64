/* SPDX-License-Identifier: BSD-2-Clause */
/* type_reader.c - functions and types by DWARF, in the process that reads files. */
#include <errno.h>
#include <string.h>

#include "symbolizer/types/dwarf_types.h"
#include "symbolizer/worker/reading.h"
#include "symbolizer/worker/type_wire.h"

/* No enum and no struct that people ask for by name has more; each entry is found from the first one on. */
#define ENTRIES_MAX 4096

/* The type that is asked about, and the name behind it, where there is one. */
struct question {
	const struct type_provider *provider;
	struct type_info type;
	const char *name;
};

static int open_types(struct reading *reading)
{
	return reading->types ? 0 : dwarf_types_open(reading->mod, &reading->types);
}

void type_reader_close(struct reading *reading)
{
	reading->types = dwarf_types_close(reading->types);
}

int type_reader_open(struct reading *reading, struct strbuf *ret)
{
	int32_t r = open_types(reading);

	if (r == -ENOMEM)
		return r;
	strbuf_add(ret, &r, sizeof(r));
	return 0;
}

static int read_question(struct reading *reading, struct question *ret)
{
	struct type_wire_question asked;
	int r = open_types(reading);

	if (r < 0)
		return r;
	memcpy(&asked, reading->question, sizeof(asked));
	ret->provider = dwarf_types_provider(reading->types);
	ret->type = (struct type_info){ .kind = asked.kind, .is_enum = asked.is_enum,
					.id = asked.id, .provider = ret->provider };
	ret->name = reading->question + sizeof(asked);
	return 0;
}

int type_reader_functions(struct reading *reading, struct strbuf *ret)
{
	struct type_function function;
	uint64_t address;
	int r = open_types(reading);

	if (r < 0)
		return r;
	for (uint32_t at = 0; at < reading->request.size; at += sizeof(address)) {
		memcpy(&address, reading->question + at, sizeof(address));
		r = dwarf_types_function(reading->types, address, &function);
		if (r == -ENOMEM)
			return r;
		type_wire_add_function(ret, r, &function);
		if (ret->size > WORKER_REPLY_BYTES_MAX)
			return -EFBIG;
	}
	return 0;
}

int type_reader_target(struct reading *reading, struct strbuf *ret)
{
	struct type_info target;
	struct question question;
	int r = read_question(reading, &question);

	if (r < 0)
		return r;
	r = question.provider->target(&question.type, &target);
	type_wire_add_type(ret, r, &target);
	return r == -ENOMEM ? r : 0;
}

int type_reader_member(struct reading *reading, struct strbuf *ret)
{
	struct type_member member;
	struct question question;
	int r = read_question(reading, &question);

	if (r < 0)
		return r;
	r = question.provider->member(&question.type, question.name, &member);
	type_wire_add_member(ret, r, &member);
	return r == -ENOMEM ? r : 0;
}

static int add_member(const struct question *question, size_t index, struct strbuf *ret)
{
	struct type_member member;
	int r = index < ENTRIES_MAX ?
			question->provider->member_at(&question->type, index, &member) :
			-ENOENT;

	type_wire_add_member(ret, r, &member);
	return r;
}

static int add_enumerator(const struct question *question, size_t index, struct strbuf *ret)
{
	struct type_enumerator value;
	int r = index < ENTRIES_MAX ?
			question->provider->enumerator(&question->type, index, &value) :
			-ENOENT;

	type_wire_add_enumerator(ret, r, &value);
	return r;
}

/* One by one; behind the last comes why there is no other. */
static int add_entries(struct reading *reading, struct strbuf *ret,
		       int (*add)(const struct question *question, size_t index,
				  struct strbuf *ret))
{
	struct question question;
	int r = read_question(reading, &question);

	if (r < 0)
		return r;
	for (size_t i = 0; !r; i++)
		r = add(&question, i, ret);
	return r == -ENOMEM ? r : 0;
}

int type_reader_members(struct reading *reading, struct strbuf *ret)
{
	return add_entries(reading, ret, add_member);
}

int type_reader_enumerators(struct reading *reading, struct strbuf *ret)
{
	return add_entries(reading, ret, add_enumerator);
}

int type_reader_named(struct reading *reading, struct strbuf *ret)
{
	struct type_info type;
	struct question question;
	int r = read_question(reading, &question);

	if (r < 0)
		return r;
	r = question.provider->by_name(question.provider->context, question.name, &type);
	type_wire_add_type(ret, r, &type);
	return r == -ENOMEM ? r : 0;
}
