/* SPDX-License-Identifier: BSD-2-Clause */
/* symbol_reader.c - names of addresses, in the process that reads files. */
#include <errno.h>
#include <string.h>

#include "symbolizer/names.h"
#include "symbolizer/worker/reading.h"
#include "symbolizer/worker/symbol_wire.h"

static int name_address(struct reading *reading, uint64_t address, struct strbuf *ret)
{
	struct frame frames[PROVIDER_FRAMES_MAX] = { 0 };
	const struct providers_question question = { .mod = reading->mod, .names = reading->names,
						     .without_libdw = reading->without_libdw };
	int count = providers_lookup(&reading->providers, &question, address, frames);

	if (count < 0)
		return count;
	symbol_wire_add(ret, frames, (size_t)count);
	return ret->size > WORKER_REPLY_BYTES_MAX ? -EFBIG : ret->error;
}

int symbol_reader_answer(struct reading *reading, struct strbuf *ret)
{
	uint64_t address;
	int r = 0;

	if (!reading->names)
		reading->names = names_new();
	if (!reading->names)
		return -ENOMEM;
	for (uint32_t at = 0; at < reading->request.size && !r; at += sizeof(address)) {
		memcpy(&address, reading->question + at, sizeof(address));
		r = name_address(reading, address, ret);
	}
	return r;
}

void symbol_reader_close(struct reading *reading)
{
	providers_close(&reading->providers);
	reading->names = names_free(reading->names);
}
