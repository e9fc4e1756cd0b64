/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe_words.h - what stands behind a probe's scheme, taken apart: "libc:malloc+4".
 *
 * Pure: whether there are such files and functions is found out elsewhere.
 */
#ifndef WICK_PROBE_WORDS_H
#define WICK_PROBE_WORDS_H

#include <stdbool.h>
#include <stdint.h>
#include "profiler/base/error.h"

/* What a scheme's argument is made of. */
enum probe_grammar {
	PROBE_GRAMMAR_FUNCTION,		/* FILE:FUNCTION[+OFFSET] */
	PROBE_GRAMMAR_USDT,		/* FILE:[PROVIDER:]NAME */
	PROBE_GRAMMAR_KERNEL,		/* FUNCTION[+OFFSET] */
	PROBE_GRAMMAR_TRACEPOINT,	/* CATEGORY:NAME */
	PROBE_GRAMMAR_NAME,		/* NAME */
	PROBE_GRAMMAR_LIST,		/* [NAME[+NAME]…] */
};

/* Texts of the copy that was taken apart, never NULL; what a grammar does not have is "". */
struct probe_words {
	char *copy;
	const char *file;		/* a path, a library's name; "": whatever the targets run */
	const char *category;		/* of a tracepoint; provider of a USDT probe, "*" when not given */
	const char *name;		/* function, tracepoint, USDT probe, counter; may be a glob */
	uint64_t offset;		/* behind the function's first byte */
	bool has_offset;
};

const char *probe_grammar_text(enum probe_grammar grammar);
/* @scheme is for the complaint. Returns 0, -EINVAL or -ENOMEM, in @err. */
int probe_words_parse(enum probe_grammar grammar, const char *scheme, const char *argument,
		      struct probe_words *ret, struct error *err);
void probe_words_done(struct probe_words *words);
/* Whether @name is no plain name: * ? [ */
bool probe_name_is_glob(const char *name);

#endif
