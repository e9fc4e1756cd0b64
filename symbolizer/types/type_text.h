/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * type_text.h - a type as C writes it, put together from the inside out.
 *
 * "int (*)[4]" is int, then an array, then a pointer. What stands before the place of a name and what
 * stands behind it are kept apart, so that each step adds on its side. Errors are those of the
 * strbufs, asked once at the end.
 */
#ifndef WICK_TYPE_TEXT_H
#define WICK_TYPE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "profiler/base/strbuf.h"

struct type_text {
	struct strbuf before, after;
};

#define TYPE_TEXT_INIT { .before = STRBUF_INIT, .after = STRBUF_INIT }
#define _cleanup_type_text_ _cleanup_(type_text_done)

/* The innermost type: "struct", "file"; @keyword "" for those that need none. */
void type_text_base(struct type_text *text, const char *keyword, const char *name);
/* "const" of what is there so far. */
void type_text_qualify(struct type_text *text, const char *qualifier);
/* @mark: "*", "&", "&&". */
void type_text_pointer(struct type_text *text, const char *mark);
void type_text_array(struct type_text *text, uint64_t count);
/* A function that returns what is there so far; @parameters: "int, char *". */
void type_text_function(struct type_text *text, const char *parameters);
/* All of it, in text->before. Returns it, or NULL when memory has run out. */
const char *type_text_join(struct type_text *text);
void type_text_reset(struct type_text *text);
void type_text_done(struct type_text *text);

/*
 * "unsigned long" is "long unsigned int" to GCC: how compilers spell the integer type @name otherwise. NULL after
 * the last; @index counts from 0.
 */
const char *type_text_spelling(const char *name, size_t index);

#endif
