/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * reading.h - what worker_process.c shares with those who answer in its process; nobody else includes it.
 *
 * An answer returns 0 with its bytes in @ret, whose error is asked for it, or a negative errno, which
 * ends the process.
 */
#ifndef WICK_READING_H
#define WICK_READING_H

#include "profiler/base/strbuf.h"
#include "symbolizer/providers/providers.h"
#include "symbolizer/worker/worker_wire.h"

struct dwarf_types;

/* The module that is open, and the request that is to be answered. */
struct reading {
	struct worker_request request;
	int files[WORKER_FILES];	/* -1: it has not come */
	char question[WORKER_REQUEST_BYTES_MAX + 1];	/* request.size bytes, and a NUL */

	struct module *mod;
	bool without_libdw;
	struct names *names;		/* NULL: no names were asked for yet */
	struct providers providers;
	struct dwarf_types *types;	/* NULL: no types were asked for yet, or there are none */
};

/* ---- names, by symbol_reader.c ---- */

int symbol_reader_answer(struct reading *reading, struct strbuf *ret);
void symbol_reader_close(struct reading *reading);

/* ---- types, by type_reader.c ---- */

int type_reader_open(struct reading *reading, struct strbuf *ret);
int type_reader_functions(struct reading *reading, struct strbuf *ret);
int type_reader_target(struct reading *reading, struct strbuf *ret);
int type_reader_member(struct reading *reading, struct strbuf *ret);
int type_reader_members(struct reading *reading, struct strbuf *ret);
int type_reader_enumerators(struct reading *reading, struct strbuf *ret);
int type_reader_named(struct reading *reading, struct strbuf *ret);
void type_reader_close(struct reading *reading);

#endif
