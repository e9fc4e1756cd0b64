/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * compiled_program.h - small programs that a test compiles, for their debug information.
 */
#ifndef WICK_COMPILED_PROGRAM_H
#define WICK_COMPILED_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

#include "symbolizer/elf/module.h"

struct compiled_program {
	char folder[32];	/* of its own, with program and source.c or source.cc */
	char path[48];		/* of the program */
};

/*
 * Compile @source with @command ("cc -O2 -g"), which gets "-o program
 * source.c" in a folder of its own; c++ gets source.cc. Fails the test when
 * that fails.
 */
void compiled_program_init(struct compiled_program *program, const char *command,
			   const char *source);
/* Run a command of the shell in the folder; returns its status. */
int compiled_program_run(const struct compiled_program *program, const char *command);
/* A module over @name in the folder. */
struct module *compiled_program_module(const struct compiled_program *program, const char *name);
/* Its bytes, which the caller frees. */
uint8_t *compiled_program_bytes(const struct compiled_program *program, const char *name,
				size_t *ret_size);
/* The address of a symbol of .symtab of the program, and its size; fails the test without. */
uint64_t compiled_program_symbol(const struct compiled_program *program, const char *symbol,
				 uint64_t *ret_size);
void compiled_program_done(struct compiled_program *program);

#endif
