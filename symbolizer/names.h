/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names.h - the texts a symbolizer has handed out, each once.
 *
 * Shared by everything that fills frames. Texts live until names_free(). Not
 * thread-safe.
 */
#ifndef WICK_NAMES_H
#define WICK_NAMES_H

#include <stddef.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"

struct frame;
struct names;

struct names *names_new(void);
struct names *names_free(struct names *names);
DEFINE_CLEANUP(struct names *, names_free)

/* Our copy of @text, NULL when there is no memory. */
const char *names_text(struct names *names, const char *text);
/*
 * Fill function and system_name of @frame from a symbol's name as the file has
 * it: the first without clone suffixes and demangled. Returns 0 or -ENOMEM.
 */
int names_symbol(struct names *names, const char *symbol, struct frame *frame);
/* Fill both with a name that nothing has mangled and no compiler has given a suffix. */
int names_plain(struct names *names, const char *name, struct frame *frame);
/* Fill both with "@base+0xADDRESS", or the address alone when @base is empty. */
int names_address(struct names *names, const char *base, uint64_t address, struct frame *frame);
size_t names_bytes(const struct names *names);

#endif
