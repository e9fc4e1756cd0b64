/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * demangle.h - symbol names as their authors wrote them.
 *
 * Knows C++ (Itanium) and Rust (legacy and v0) mangling and the suffixes that
 * compilers give to clones of a function. Names may be hostile: time, stack
 * and the length of the result are bounded, and a name that would exceed them
 * is shown mangled. No state; any thread.
 */
#ifndef WICK_DEMANGLE_H
#define WICK_DEMANGLE_H

#include <stdbool.h>
#include <stddef.h>
#include "profiler/base/strbuf.h"

/*
 * Append to @buf what the symbol @name is called in a profile: without clone
 * suffixes (".isra.0", ".constprop.1", ".part.2", ".cold", ".lto_priv.3",
 * ".llvm.4"), and demangled when it is C++ or Rust (whose hashes are left
 * out). A plain C name stays what it is, whatever it looks like. Returns 1
 * when it was demangled, 0 when not, -ENOMEM.
 */
int demangle_symbol(const char *name, struct strbuf *buf);
/* The same without parameters and the type of what is returned: "foo::bar" for "foo::bar(int)". */
int demangle_symbol_plain(const char *name, struct strbuf *buf);
/* How many bytes of the symbol @name are left without clone suffixes. */
size_t demangle_stem_size(const char *name);
/* Whether it begins as a mangled name does; others are what they are. */
bool demangle_is_mangled(const char *name);

#endif
