/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * typed_program.h - a small program that a test compiles, and its types.
 */
#ifndef WICK_TYPED_PROGRAM_H
#define WICK_TYPED_PROGRAM_H

#include "symbolizer/types/dwarf_types.h"
#include "tests/unit/compiled_program.h"

struct typed_program {
	struct compiled_program program;
	struct module *mod;
	struct dwarf_types *types;
	const struct type_provider *provider;
};

/* As compiled_program_init(); fails the test when there are no types. */
void typed_program_init(struct typed_program *p, const char *command, const char *source);
/* The function that is entered where @symbol is; fails the test when there is none. */
void typed_program_function(struct typed_program *p, const char *symbol,
			    struct type_function *ret);
void typed_program_done(struct typed_program *p);

#endif
