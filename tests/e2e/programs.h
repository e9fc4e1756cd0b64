/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * programs.h - well-known programs, and some of ours with uncommon stacks, at work until they are
 * ended: what stacks have to be complete of.
 */
#ifndef WICK_PROGRAMS_H
#define WICK_PROGRAMS_H

#include <stdbool.h>
#include <stddef.h>

/* Commands of the shell. C files for compilers to chew on: f1.c to f24.c in $WICK_TMP. */
#define PROGRAM_SOURCES                                                                                  \
	"for f in $(seq 24); do awk -v f=$f 'BEGIN { for (i = 0; i < 150; i++) printf "          \
	"\"int f%d_%d(int *a, int n) { int s = %d; for (int i = 0; i < n; i++) switch (s %% 5) "  \
	"{ case 0: s += a[i]; break; case 1: s ^= a[i] << %d; break; default: s = s * 3 + i; } "  \
	"return s; }\\n\", f, i, i, i % 7 }' >$WICK_TMP/f$f.c; done; "

struct program {
	const char *name;
	const char *needs;	/* a program that must be installed, or NULL */
	const char *command[8];
	bool sleeps;		/* now and then, for some milliseconds */
};

extern const struct program programs[];
extern const size_t program_count;

bool program_is_installed(const struct program *program);

#endif
