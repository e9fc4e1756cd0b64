/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * intern.h - each distinct string once, known by a small number.
 *
 * Number 0 is always the empty string. Texts live until intern_free(). Not
 * thread-safe.
 */
#ifndef WICK_INTERN_H
#define WICK_INTERN_H

#include <stddef.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"

struct intern;

struct intern *intern_new(void);
struct intern *intern_free(struct intern *in);
/* The number of @text (which may hold NULs), new or old, in @ret. Returns 0 or -ENOMEM. */
int intern_add(struct intern *in, const char *text, size_t size, uint32_t *ret);
int intern_add_text(struct intern *in, const char *text, uint32_t *ret);
const char *intern_text(const struct intern *in, uint32_t number);
size_t intern_size(const struct intern *in, uint32_t number);	/* bytes of that text */
uint32_t intern_count(const struct intern *in);
size_t intern_bytes(const struct intern *in);

DEFINE_CLEANUP(struct intern *, intern_free)

#endif
