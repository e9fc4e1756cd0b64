/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * argument_programs.h - programs in several languages that call functions with arguments that are known.
 */
#ifndef WICK_ARGUMENT_PROGRAMS_H
#define WICK_ARGUMENT_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VALUES_MAX 12

/* "p.a" is a member of an argument; "s#" the length of a text, "s$" its first byte. */
struct expected_value {
	const char *path;
	int64_t value;
};

struct expected_call {
	const char *function;	/* part of its symbol */
	struct expected_value values[VALUES_MAX];
};

struct argument_program {
	const char *name, *command;
	const char *file, *source;
	const struct expected_call *calls;
	size_t call_count;
	bool is_split;
	bool may_refuse;	/* what the optimizer has left out */
};

extern const struct argument_program argument_programs[];
extern const size_t argument_program_count;

#endif
