/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * function_list.h - the functions of an ELF file by name: the other way around than symbolizer.h.
 *
 * From .symtab, .dynsym, .gnu_debugdata, Go's .gopclntab and, when the file itself has no .symtab, the
 * separate debug file's symbols. A pattern is a glob (* ? [a-z]) or a plain name; it is tried on the
 * symbol as it is in the file ("_ZN3foo3barEi"), without its version ("malloc@@GLIBC_2.2.5"), and
 * demangled with and without parameters ("foo::bar(int)", "foo::bar"), so that overloads are all found.
 *
 * An address is there once for each name, so aliases ("read", "__read") are several entries with one
 * address: who attaches takes an address once. Clones (.isra, .constprop, .lto_priv, .llvm) are found by
 * their function's name too, in place of which they are called; parts that are not entered by a call
 * (.part, .cold) only by their own, and .cold only when the pattern says ".cold". Labels without a type
 * are found by their whole name and by no glob. What has no bytes in the file is left out. 64-bit and
 * 32-bit files; no relocatable ones.
 */
#ifndef WICK_FUNCTION_LIST_H
#define WICK_FUNCTION_LIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "profiler/base/cleanup.h"
#include "symbolizer/elf/module.h"

struct function_list;

struct function_entry {
	uint64_t address;	/* ELF virtual address */
	uint64_t size;		/* bytes; 0: not known */
	uint64_t offset;	/* of its first byte in the file, as perf's uprobes want it */
	const char *symbol;	/* as in the file */
	const char *name;	/* demangled, with parameters; the symbol without version for C */
	/*
	 * It is the resolver that the dynamic linker asks, once in a process, which function to take:
	 * the functions themselves have other names, if any ("__memmove_avx_unaligned_erms").
	 */
	bool is_ifunc;
};

/*
 * Those of @mod that match @pattern, sorted by address and name, at most @max (0: no limit). Returns 0,
 * -ENOENT when none matches, -EOVERFLOW when there are more (and *@ret has the first @max), -EBADMSG
 * when none matches and a table is damaged, -ENOEXEC, -ENOMEM.
 */
int function_list_read(struct module *mod, const char *pattern, size_t max,
		       struct function_list **ret);
struct function_list *function_list_free(struct function_list *list);
DEFINE_CLEANUP(struct function_list *, function_list_free)
size_t function_list_count(const struct function_list *list);
const struct function_entry *function_list_at(const struct function_list *list, size_t index);
/*
 * The name nearest to @pattern, for "did you mean": a function of another scope that is called so
 * ("foo::bar" for "bar"), or one that is spelled nearly so. Returns 0 with *@ret, which the caller
 * frees, -ENOENT when none is near, or an error as above.
 */
int function_list_suggest(struct module *mod, const char *pattern, char **ret);

#endif
