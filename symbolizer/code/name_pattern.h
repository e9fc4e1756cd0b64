/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * name_pattern.h - whether a symbol is what a glob or a plain name asks for.
 *
 * Knows versions, mangling and the suffixes of clones; knows no files. Demangles only what can match:
 * what a name says in letters is there in letters in the mangled name, too.
 */
#ifndef WICK_NAME_PATTERN_H
#define WICK_NAME_PATTERN_H

#include <stdbool.h>
#include <stddef.h>
#include "profiler/base/strbuf.h"

#define NAME_PATTERN_WORDS_MAX 8

struct name_pattern {
	const char *text;	/* the caller's */
	/* Those parts of it that a mangled name must have. */
	struct name_word {
		const char *start;
		size_t size;
	} words[NAME_PATTERN_WORDS_MAX];
	size_t word_count;
};

/* @text: a plain name, or a glob (* ? [a-z], a backslash takes the meaning away). */
void name_pattern_init(struct name_pattern *pattern, const char *text);
/* Whether @name, taken as it is, matches: as a glob or letter by letter. */
bool name_pattern_matches(const struct name_pattern *pattern, const char *name);
/*
 * Whether @symbol matches as it is, without its version, or demangled: "void foo<int>(int)",
 * "foo<int>(int)", "foo<int>". Clones of a function (.isra, .constprop, .lto_priv, .llvm) have its
 * name, too; parts of one (.part, .cold) only their own. Returns 1, 0 or -ENOMEM.
 */
int name_pattern_matches_symbol(const struct name_pattern *pattern, const char *symbol);
/*
 * Append what @symbol is called in a list of functions: without version; demangled, with parameters and
 * " [clone .isra.0]" where there is such a suffix. Returns 0 or -ENOMEM.
 */
int name_pattern_show(const char *symbol, struct strbuf *buf);

#endif
